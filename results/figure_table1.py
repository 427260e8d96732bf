# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Table 1 as a figure: three grids of accuracies, ours in the paper's mode, the published ones, ours in house mode.

A cell's colour and number are its accuracy. An accuracy of ours that agrees with the published one is framed and has a
bold number, so that agreement survives a greyscale print.
"""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .intervals import Proportion
from .style import (
    FAINT_INK,
    HEADING_SIZE,
    NO_DATA,
    PAPER,
    TEXT_SIZE,
    TITLE_SIZE,
    accuracy_colour,
    accuracy_map,
    ink_on,
    new_figure,
    styled,
)
from .table1 import COLUMN_HEADINGS, Table1
from .table1_text import accuracy_text

_CELL_WIDTH, _CELL_HEIGHT = 0.50, 0.30
_BETWEEN_PARAMETERS = 0.10  # between pitch and level
_BETWEEN_PANELS = 0.34
_LEFT, _RIGHT = 1.78, 0.75
_HEADINGS = 0.66  # above the grid: columns, pitch and level
_TITLES = 0.62  # above the settings: the figure's title and the panels'
_LINE = 0.135  # of the settings and the notes
_MARGIN = 0.12
"""All in inches."""

_SETTINGS_CHARACTERS = 52
_NOTE_CHARACTERS = 190

_Accuracy = Proportion | float | None
_Accuracies = Sequence[Sequence[tuple[_Accuracy, bool | None]]]


def figure_table1(table: Table1) -> Figure:
    """Draw Table 1; save it with :func:`tonedeaf.results.style.save_figure`."""
    rows = [row.cells for row in table.rows]
    panels: tuple[tuple[str, str, _Accuracies], ...] = (
        (
            "Ours, the paper's mode",
            table.paper_settings,
            [[(cell.paper, cell.paper_agrees) for cell in cells] for cells in rows],
        ),
        (
            "Published",
            f"n = {table.published_trials}",
            [[(cell.published, None) for cell in cells] for cells in rows],
        ),
        (
            "Ours, house mode",
            table.house_settings,
            [[(cell.house, cell.house_agrees) for cell in cells] for cells in rows],
        ),
    )
    settings = [textwrap.wrap(text, _SETTINGS_CHARACTERS) for _, text, _ in panels]
    notes = _notes(table)
    panel = 6 * _CELL_WIDTH + _BETWEEN_PARAMETERS
    grid = len(rows) * _CELL_HEIGHT
    settings_height = max(map(len, settings)) * _LINE
    bottom = 2 * _MARGIN + len(notes) * _LINE
    width = _LEFT + 3 * panel + 2 * _BETWEEN_PANELS + _RIGHT
    height = bottom + grid + _HEADINGS + settings_height + _TITLES
    with styled():
        figure = new_figure(width, height)
        for position, (title, _, accuracies) in enumerate(panels):
            left = _LEFT + position * (panel + _BETWEEN_PANELS)
            axes = figure.add_axes((left / width, bottom / height, panel / width, grid / height))
            _draw_panel(axes, accuracies)
            _draw_column_headings(axes)
            _draw_title(axes, title, settings[position], _HEADINGS + settings_height)
            if position == 0:
                _draw_names(axes, [row.distance for row in table.rows])
        bar = figure.add_axes(((width - _RIGHT + 0.16) / width, bottom / height, 0.11 / width, grid / height))
        _draw_colour_bar(figure, bar)
        title = "How often the gradient of an audio distance points the right way"
        figure.text(_MARGIN / width, 1 - _MARGIN / height, title, fontsize=TITLE_SIZE, fontweight="bold", va="top")
        _draw_lines(figure, notes, _MARGIN / width, _MARGIN / height)
    return figure


def _draw_panel(axes: Axes, accuracies: _Accuracies) -> None:
    """Coordinates are inches from the panel's upper left corner."""
    axes.set_xlim(0, 6 * _CELL_WIDTH + _BETWEEN_PARAMETERS)
    axes.set_ylim(len(accuracies) * _CELL_HEIGHT, 0)
    axes.set_axis_off()
    for row, cells in enumerate(accuracies):
        for column, (accuracy, agrees) in enumerate(cells):
            _draw_cell(axes, _left_of(column), row * _CELL_HEIGHT, accuracy, framed=agrees is True)


def _draw_cell(axes: Axes, left: float, top: float, accuracy: _Accuracy, *, framed: bool) -> None:
    value = accuracy.value if isinstance(accuracy, Proportion) else accuracy
    background = NO_DATA if value is None else accuracy_colour(value)
    ink = FAINT_INK if value is None else ink_on(background)
    axes.add_patch(Rectangle((left, top), _CELL_WIDTH, _CELL_HEIGHT, facecolor=background, edgecolor=PAPER, lw=1.2))
    if framed:
        inset = 0.035
        size = (_CELL_WIDTH - 2 * inset, _CELL_HEIGHT - 2 * inset)
        axes.add_patch(Rectangle((left + inset, top + inset), *size, fill=False, edgecolor=ink, lw=1.1))
    axes.text(
        left + _CELL_WIDTH / 2,
        top + _CELL_HEIGHT / 2,
        accuracy_text(accuracy),
        color=ink,
        fontsize=TEXT_SIZE,
        fontweight="bold" if framed else "normal",
        ha="center",
        va="center_baseline",
    )


def _draw_column_headings(axes: Axes) -> None:
    headings = tuple(COLUMN_HEADINGS.values())
    for column, (_, step) in enumerate(headings):
        centre = _left_of(column) + _CELL_WIDTH / 2
        axes.text(centre, -0.06, step.replace(" ", "\n"), fontsize=TEXT_SIZE, ha="center", va="bottom", linespacing=1.0)
    for first in (0, 3):
        left, right = _left_of(first) + 0.03, _left_of(first + 2) + _CELL_WIDTH - 0.03
        axes.plot([left, right], [-0.37, -0.37], color=FAINT_INK, lw=0.7, clip_on=False)
        axes.text((left + right) / 2, -0.41, headings[first][0], fontsize=HEADING_SIZE, ha="center", va="bottom")


def _draw_title(axes: Axes, title: str, settings: Sequence[str], above: float) -> None:
    axes.text(0, -above - 0.05, title, fontsize=HEADING_SIZE + 0.5, fontweight="bold", ha="left", va="bottom")
    for number, line in enumerate(settings):
        axes.text(0, number * _LINE - above, line, fontsize=TEXT_SIZE - 1, color=FAINT_INK, ha="left", va="top")


def _draw_names(axes: Axes, names: Sequence[str]) -> None:
    for row, name in enumerate(names):
        axes.text(-0.1, (row + 0.5) * _CELL_HEIGHT, name, fontsize=TEXT_SIZE + 0.5, ha="right", va="center_baseline")


def _draw_colour_bar(figure: Figure, axes: Axes) -> None:
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), accuracy_map()), cax=axes)
    bar.set_ticks([0, 0.5, 1], labels=["0", ".5\nchance", "1"])
    bar.outline.set_visible(False)
    axes.tick_params(length=2, width=0.6, pad=2, labelsize=TEXT_SIZE - 1)


def _draw_lines(figure: Figure, lines: Sequence[str], left: float, bottom: float) -> None:
    for number, line in enumerate(reversed(lines)):
        y = bottom + number * _LINE / figure.get_figheight()
        figure.text(left, y, line, fontsize=TEXT_SIZE - 1, color=FAINT_INK, va="bottom")


def _notes(table: Table1) -> list[str]:
    notes = (
        "Framed and bold: agrees with the published accuracy (0 lies in the 95 % Newcombe interval of the difference): "
        f"{table.agreeing_cells} of {table.published_cells} cells in the paper's mode, "
        f"{table.house_agreeing_cells} in the house mode.",
        f"Published: {table.source}.",
        *(f"Empty: {line}" for line in table.missing),
    )
    return [line for note in notes for line in textwrap.wrap(note, _NOTE_CHARACTERS)]


def _left_of(column: int) -> float:
    return column * _CELL_WIDTH + (_BETWEEN_PARAMETERS if column >= 3 else 0.0)
