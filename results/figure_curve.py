# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Curves: a distance along pitch, for several targets, and its analytic gradient for one of them.

After Figures 2 and 4a of Turian & Henry 2020: one row a distance. On the left a curve for each target, in shades of the
distance's colour. On the right the gradient; where it points the wrong way, the background is grey.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .landscape import Grid, Landscape, LandscapeTarget, check_together, number_text, panel_title, settings_text
from .panels import Sizes, draw_heading, pitch_axis, small_multiples
from .style import FAINT_INK, INK, NO_DATA, TEXT_SIZE, colour, shades, styled

_SIZES = Sizes(panel=(2.95, 1.25), left=0.68, between=0.72, right=0.25, above=0.28, below=0.36)


def figure_curve(landscapes: Sequence[Landscape]) -> Figure:
    """Draw curves; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        landscapes: of kind ``curve``, of one task, one seed and the same targets: one row each.

    Raises:
        ValueError: if they are not, or there are none.
    """
    check_together(landscapes, "curve")
    targets = landscapes[0].targets
    shown = len(targets) // 2
    with styled():
        figure, axes = small_multiples(
            len(landscapes),
            2,
            _SIZES,
            title="Distance along pitch, and its gradient",
            caption=_caption(landscapes, shown),
        )
        for row, landscape in zip(axes, landscapes, strict=True):
            _draw_distances(row[0], landscape, landscapes)
            _draw_gradient(row[1], landscape, shown)
    return figure


def _draw_distances(axes: Axes, landscape: Landscape, landscapes: Sequence[Landscape]) -> None:
    inks = shades(landscape.name, len(landscape.targets))
    grids = [landscape.grid(number) for number in range(len(landscape.targets))]
    highest = max(float(grid.values.max()) for grid in grids)
    for number, (grid, ink) in enumerate(zip(grids, inks, strict=True)):
        axes.plot(grid.octaves, grid.values[0], color=ink, lw=1.1, zorder=3 + number)
        target = landscape.targets[number]
        where = np.log2(target.pitch_hz)
        axes.plot([where], [-0.06 * highest], marker="^", ms=4, color=ink, clip_on=False, zorder=9)
        axes.annotate(
            f"{target.pitch_hz:g}",
            (where, 0.0),
            (5, -6.5),
            textcoords="offset points",
            color=INK,
            fontsize=TEXT_SIZE - 1.5,
            va="center",
        )
    axes.set_ylim(-0.14 * highest, 1.06 * highest)
    axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=2))
    axes.set_ylabel("distance", labelpad=3)
    _finish(axes, grids[0])
    draw_heading(axes, landscape.name, panel_title(landscape, landscapes))


def _draw_gradient(axes: Axes, landscape: Landscape, shown: int) -> None:
    target = landscape.targets[shown]
    if not landscape.has("gradient_per_octave"):
        axes.set_axis_off()
        axes.text(0.5, 0.5, "not differentiable", transform=axes.transAxes, ha="center", color=FAINT_INK)
        return
    grid = landscape.grid(shown, "gradient_per_octave")
    slopes, wrong = grid.values[0], wrong_way(grid, target)
    limit = 1.08 * float(np.abs(slopes).max()) or 1.0
    step = float(np.diff(grid.octaves).mean())
    for start, stop in _runs(wrong):
        left, right = grid.octaves[start] - step / 2, grid.octaves[stop - 1] + step / 2
        axes.axvspan(left, right, color=NO_DATA, lw=0, zorder=0)
    axes.axhline(0, color=FAINT_INK, lw=0.5, zorder=1)
    axes.axvline(float(np.log2(target.pitch_hz)), color=FAINT_INK, lw=0.5, ls=(0, (2, 2)), zorder=1)
    axes.plot(grid.octaves, slopes, color=colour(landscape.name), lw=0.9, zorder=3)
    axes.set_ylim(-limit, limit)
    axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=3, symmetric=True))
    axes.set_ylabel("gradient per octave", labelpad=3)
    _finish(axes, grid)
    axes.set_title(
        f"target {target.pitch_hz:g} Hz: right at {100 * (1 - wrong.mean()):.0f} % of pitches",
        loc="left",
        fontsize=TEXT_SIZE,
        color=INK,
        pad=4,
    )


def _finish(axes: Axes, grid: Grid) -> None:
    pitch_axis(axes, (float(grid.octaves[0]), float(grid.octaves[-1])), dense=True)
    axes.tick_params(length=2.5, width=0.6, pad=2)


def wrong_way(gradient: Grid, target: LandscapeTarget) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where the gradient along pitch does not point away from the target, or is 0."""
    away = np.sign(gradient.pitch_hz - target.pitch_hz)
    return (gradient.values[0] * away <= 0) & (away != 0)


def _runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Start and end of each stretch of flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _caption(landscapes: Sequence[Landscape], shown: int) -> str:
    first = landscapes[0]
    levels = sorted({target.level_db for target in first.targets})
    level = " and ".join(f"{number_text(each)} dB" for each in levels)
    pitches = ", ".join(f"{target.pitch_hz:g}" for target in first.targets)
    points = first.grid(0).pitch_hz
    cents = 1200 * np.log2(points[-1] / points[0]) / (points.size - 1)
    return (
        f"Left: distance from a target at {pitches} Hz (triangles; from dark to light), at {level}, "
        f"{points.size} pitches, {cents:.1f} cents apart. Right: its derivative with respect to log2 of the predicted "
        f"pitch, target {first.targets[shown]}; grey where it does not point away from the target. "
        f"{settings_text(landscapes)}"
    )
