# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Fields: which way is downhill around a target, at a coarse resolution.

After Figure 4b of Turian & Henry 2020: one panel a distance; an arrow in each cell points where the distance falls.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure_map import columns_for, distance_bar, draw_cells, level_axis, mark_target
from .landscape import Landscape, check_together, panel_title, settings_text
from .panels import Sizes, draw_heading, hide_unused, small_multiples
from .style import styled

_SIZES = Sizes(panel=(2.9, 2.3), left=0.6, between=0.32, right=0.78)
_MOST_COLUMNS = 3
_LONGEST = 0.46
"""Of an arrow, from its middle, in cells."""


def figure_field(landscapes: Sequence[Landscape], target: int = 0) -> Figure:
    """Draw fields; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        landscapes: of kind ``field``, of one task, one seed and the same targets: one panel each.
        target: number of the target that is shown.

    Raises:
        ValueError: if they are not, or there are none, or there is no such target.
    """
    check_together(landscapes, "field")
    columns = columns_for(len(landscapes), _MOST_COLUMNS)
    rows = math.ceil(len(landscapes) / columns)
    with styled():
        figure, axes = small_multiples(
            rows,
            columns,
            _SIZES,
            title=f"Which way is down, around {landscapes[0].targets[target]}",
            caption=_caption(landscapes, target),
        )
        panels = hide_unused(axes, len(landscapes))
        for number, (panel, landscape) in enumerate(zip(panels, landscapes, strict=True)):
            draw_cells(panel, landscape.grid(target), dense=True)
            _draw_arrows(panel, landscape, target)
            mark_target(panel, landscape.targets[target])
            level_axis(panel, labels=number % columns == 0)
            draw_heading(panel, landscape.name, panel_title(landscape, landscapes))
        distance_bar(figure, axes[0][-1])
    return figure


def _draw_arrows(axes: Axes, landscape: Landscape, target: int) -> None:
    """Minus the gradient, in cells; white on dark cells, black on light ones."""
    along_pitch, along_level = (landscape.grid(target, f"{axis}_gradient") for axis in ("pitch", "level"))
    octave, decibel = (float(np.diff(each).mean()) for each in (along_pitch.octaves, along_pitch.level_db))
    right, up = -along_pitch.values, -along_level.values
    steepness = np.hypot(right, up)
    length = _LONGEST * 2 * np.sqrt(steepness / (steepness.max() or 1.0)) / np.where(steepness > 0, steepness, 1)
    values = landscape.grid(target).values
    inks = np.where(values > 0.3 * values.max(), "#000000", "#ffffff")
    columns, rows = np.meshgrid(along_pitch.octaves, along_pitch.level_db)
    axes.quiver(
        columns,
        rows,
        right * length * octave,
        up * length * decibel,
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color=inks.ravel().tolist(),
        width=0.006,
        headwidth=3.6,
        headlength=4,
        headaxislength=3.6,
        minlength=0.5,
        zorder=4,
    )


def _caption(landscapes: Sequence[Landscape], target: int) -> str:
    grid = landscapes[0].grid(target)
    cents, decibels = 1200 * float(np.diff(grid.octaves).mean()), float(np.diff(grid.level_db).mean())
    return (
        f"Cells of {cents:.0f} cents × {decibels:.2g} dB around the target (ring) at {landscapes[0].targets[target]}; "
        "colours run from 0 to the panel's largest distance, by the square root. Arrows point downhill: "
        "minus the numeric gradient in these cells (central differences, one-sided at the edges); their length is the "
        f"square root of its size. {settings_text(landscapes)}"
    )
