# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Small multiples: where the panels of a figure stand, its title and caption, and what an axis of pitch looks like."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import FAINT_INK, INK, TEXT_SIZE, TITLE_SIZE, colour, new_figure

_LINE = 0.135
_MARGIN = 0.12
_TITLE = 0.2
_CHARACTERS_PER_INCH = 19.0
_PITCHES = (30, 50, 100, 200, 500, 1000, 2000, 4000, 8000)
_FAMILIAR = (30, 100, 300, 1000, 4000, 10000)


@dataclass(frozen=True)
class Sizes:
    """Of a figure's parts, in inches.

    Attributes:
        panel: width and height of a panel.
        left: of the first column: labels of the vertical axis.
        between: of the others: from a panel's right edge to the next panel's left one.
        right: of the last column.
        above: a panel: its heading.
        below: a panel: ticks and label of the horizontal axis.
    """

    panel: tuple[float, float]
    left: float = 0.62
    between: float = 0.3
    right: float = 0.15
    above: float = 0.3
    below: float = 0.42


def small_multiples(
    rows: int, columns: int, sizes: Sizes, *, title: str, caption: str
) -> tuple[Figure, list[list[Axes]]]:
    """A figure with a grid of panels, its title above and its caption below.

    Args:
        rows: of panels.
        columns: of panels.
        sizes: of its parts.
        title: one line.
        caption: wrapped to the figure's width.

    Returns:
        The figure, and its axes, row by row.
    """
    width = sizes.left + columns * sizes.panel[0] + (columns - 1) * sizes.between + sizes.right
    lines = textwrap.wrap(caption, max(30, int((width - 2 * _MARGIN) * _CHARACTERS_PER_INCH)))
    foot = 2 * _MARGIN + len(lines) * _LINE
    row_height = sizes.above + sizes.panel[1] + sizes.below
    height = _MARGIN + _TITLE + rows * row_height + foot
    figure = new_figure(width, height)
    figure.text(_MARGIN / width, 1 - _MARGIN / height, title, fontsize=TITLE_SIZE, fontweight="bold", va="top")
    for number, line in enumerate(reversed(lines)):
        y = (_MARGIN + number * _LINE) / height
        figure.text(_MARGIN / width, y, line, fontsize=TEXT_SIZE - 1, color=FAINT_INK, va="bottom")
    axes: list[list[Axes]] = []
    for row in range(rows):
        bottom = foot + (rows - 1 - row) * row_height + sizes.below
        axes.append([])
        for column in range(columns):
            left = sizes.left + column * (sizes.panel[0] + sizes.between)
            box = (left / width, bottom / height, sizes.panel[0] / width, sizes.panel[1] / height)
            axes[-1].append(figure.add_axes(box))
    return figure, axes


_LONGEST_HEADING, _LONGEST_DETAIL = 27, 44
"""Characters that fit above the narrowest panel; longer ones are set smaller."""

DETAIL_POINTS = 9.0
"""What a line below the heading takes."""


def draw_heading(axes: Axes, distance: str, heading: str, detail: str = "") -> None:
    """The heading of a panel: a swatch of the distance's colour, and the text; a detail goes on a line below them."""
    above = 4 + (DETAIL_POINTS if detail else 0)

    def write(text: str, place: tuple[float, float], **style: Any) -> None:
        axes.annotate(text, (0, 1), place, "axes fraction", textcoords="offset points", **style)

    write("■", (0, above), color=colour(distance), fontsize=TEXT_SIZE + 1)
    shrunk = min(1, _LONGEST_HEADING / len(heading))
    write(heading, (11, above), color=INK, fontsize=(TEXT_SIZE + 0.5) * shrunk, fontweight="bold")
    if detail:
        shrunk = min(1, _LONGEST_DETAIL / len(detail))
        write(detail, (0, 4), color=FAINT_INK, fontsize=(TEXT_SIZE - 1) * shrunk)


def pitch_axis(axes: Axes, octaves: tuple[float, float], *, labels: bool = True, dense: bool = False) -> None:
    """An axis of pitch whose coordinate is log2 of the frequency in Hz: familiar frequencies, and none crowded."""
    axes.set_xlim(*octaves)
    candidates = _PITCHES if dense else _FAMILIAR
    ticks = [hertz for hertz in candidates if octaves[0] - 0.02 <= np.log2(hertz) <= octaves[1] + 0.02]
    axes.set_xticks(np.log2(ticks), [f"{hertz:g}" if labels else "" for hertz in ticks])
    axes.tick_params(length=2.5, width=0.6, pad=2)
    if labels:
        axes.set_xlabel("predicted pitch (Hz)", labelpad=2)


def hide_unused(axes: Sequence[Sequence[Axes]], used: int) -> list[Axes]:
    """The first ``used`` panels, row by row; the others are hidden."""
    panels = [panel for row in axes for panel in row]
    for panel in panels[used:]:
        panel.set_axis_off()
    return panels[:used]
