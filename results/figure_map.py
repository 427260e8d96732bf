# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Maps: a distance from one target over the whole range of pitch and level.

After Figures 3, 5 and 6 of Turian & Henry 2020: one panel a distance, one cell a prediction.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .landscape import Grid, Landscape, LandscapeTarget, check_together, panel_title, settings_text
from .panels import Sizes, draw_heading, hide_unused, pitch_axis, small_multiples
from .style import FAINT_INK, PAPER, TEXT_SIZE, distance_map, styled

_SIZES = Sizes(panel=(2.3, 1.72), left=0.6, between=0.32, right=0.78)
_MOST_COLUMNS = 4


def figure_map(
    landscapes: Sequence[Landscape], target: int = 0, paths: Mapping[str, pl.DataFrame] | None = None
) -> Figure:
    """Draw maps; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        landscapes: of kind ``map``, of one task, one seed and the same targets: one panel each.
        target: number of the target that is shown.
        paths: distance to the table of a record of kind ``paths``, to be drawn over its map.

    Raises:
        ValueError: if they are not, or there are none, or there is no such target.
    """
    check_together(landscapes, "map")
    columns = columns_for(len(landscapes), _MOST_COLUMNS)
    rows = math.ceil(len(landscapes) / columns)
    with styled():
        figure, axes = small_multiples(
            rows,
            columns,
            _SIZES,
            title=f"{'Descents to' if paths else 'Distance from'} {landscapes[0].targets[target]}",
            caption=_caption(landscapes, target) + (_PATHS if paths else ""),
        )
        panels = hide_unused(axes, len(landscapes))
        for number, (panel, landscape) in enumerate(zip(panels, landscapes, strict=True)):
            grid = landscape.grid(target)
            draw_cells(panel, grid)
            _draw_contours(panel, grid)
            if paths and landscape.name in paths:
                _draw_paths(panel, paths[landscape.name].filter(pl.col("target") == target))
            mark_target(panel, landscape.targets[target])
            level_axis(panel, labels=number % columns == 0)
            panel.set_title(f"max {grid.values.max():.3g}", loc="right", fontsize=TEXT_SIZE - 1, color=FAINT_INK, pad=4)
            draw_heading(panel, landscape.name, panel_title(landscape, landscapes))
        distance_bar(figure, axes[0][-1])
    return figure


def columns_for(panels: int, most: int) -> int:
    """Columns of small multiples that leave few panels empty."""
    rows = math.ceil(panels / most)
    return max(2, math.ceil(panels / rows))


def _square_root(largest: float) -> PowerNorm:
    """Colours by the square root: most distances grow fast with level, and would leave the valley in one colour."""
    return PowerNorm(0.5, 0, largest)


def draw_cells(axes: Axes, grid: Grid, *, dense: bool = False) -> None:
    """The cells of a grid, from 0 (dark) to the largest (light); the axes are log2 of the pitch, and level."""
    octave, decibel = (float(np.diff(each).mean()) for each in (grid.octaves, grid.level_db))
    box = (
        float(grid.octaves[0]) - octave / 2,
        float(grid.octaves[-1]) + octave / 2,
        float(grid.level_db[0]) - decibel / 2,
        float(grid.level_db[-1]) + decibel / 2,
    )
    axes.imshow(
        grid.values,
        cmap=distance_map(),
        norm=_square_root(float(grid.values.max()) or 1.0),
        origin="lower",
        extent=box,
        aspect="auto",
        interpolation="nearest",
    )
    pitch_axis(axes, box[:2], dense=dense)


def _draw_contours(axes: Axes, grid: Grid) -> None:
    levels = float(grid.values.max()) * (np.arange(1, 8) / 8) ** 2
    if levels[-1] > 0:
        axes.contour(grid.octaves, grid.level_db, grid.values, levels=levels, colors=PAPER, linewidths=0.35, alpha=0.8)


_PATHS = (
    " Paths: descents by Adam from random pitches and levels (dots); thick: it ends within 50 cents and 1 dB of the "
    "target; thin: it does not (cross)."
)


def _draw_paths(axes: Axes, table: pl.DataFrame) -> None:
    """What arrives is white on black, so that it is seen on dark and on light; what does not is thin."""
    for row in table.iter_rows(named=True):
        octaves, decibels, reached = np.log2(row["path_pitch_hz"]), row["path_level_db"], row["end"] == "reached"
        for ink, width in (("#000000", 1.5), ("#ffffff", 0.7)) if reached else (("#000000", 0.7), ("#ffffff", 0.35)):
            axes.plot(octaves, decibels, color=ink, lw=width, zorder=3)
        axes.plot(octaves[:1], decibels[:1], "o", ms=2.8, color="#ffffff", mec="#000000", mew=0.5, zorder=4)
        if not reached:
            axes.plot(octaves[-1:], decibels[-1:], "X", ms=4, color="#ffffff", mec="#000000", mew=0.5, zorder=4)


def mark_target(axes: Axes, target: LandscapeTarget) -> None:
    """A ring around the target, visible on dark and on light."""
    for ink, width in (("#000000", 2.6), ("#ffffff", 1.2)):
        axes.plot(
            [np.log2(target.pitch_hz)],
            [target.level_db],
            marker="o",
            ms=8,
            mfc="none",
            mec=ink,
            mew=width,
            ls="none",
            zorder=5,
        )


def level_axis(axes: Axes, *, labels: bool) -> None:
    """An axis of level; only the first panel of a row says its numbers."""
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.tick_params(length=2.5, width=0.6, pad=2, labelleft=labels)
    if labels:
        axes.set_ylabel("predicted level (dB)", labelpad=2)


def distance_bar(figure: Figure, beside: Axes) -> None:
    """The colours' meaning, right of the first row's last panel."""
    box = beside.get_position()
    width = figure.get_figwidth()
    axes = figure.add_axes((box.x1 + 0.12 / width, box.y0, 0.1 / width, box.height))
    bar = figure.colorbar(ScalarMappable(_square_root(1.0), distance_map()), cax=axes)
    bar.set_ticks([0, 0.1, 0.25, 0.5, 1], labels=["0", ".1", ".25", ".5", "panel's\nlargest"])
    bar.minorticks_off()
    bar.outline.set_visible(False)
    axes.tick_params(length=2, width=0.6, pad=2, labelsize=TEXT_SIZE - 1)


def _caption(landscapes: Sequence[Landscape], target: int) -> str:
    grid = landscapes[0].grid(target)
    cents, decibels = 1200 * float(np.diff(grid.octaves).mean()), float(np.diff(grid.level_db).mean())
    return (
        f"Each cell is one prediction, compared with the target (ring) at {landscapes[0].targets[target]}: "
        f"{grid.pitch_hz.size} × {grid.level_db.size} cells of {cents:.0f} cents × {decibels:.2g} dB. Colours "
        "run from 0 to the panel's largest distance, by the square root; lines are contours at even steps of it. "
        f"{settings_text(landscapes)}"
    )
