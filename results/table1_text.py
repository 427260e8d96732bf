"""Table 1 as text: Markdown for a README, and a table for the terminal.

Both give every distance three lines: ours in the paper's mode, the published accuracies, ours in the house mode. An
accuracy of ours that agrees with the published one has a tick behind it, so that nothing depends on colour.
"""

from collections.abc import Sequence

from rich import box
from rich.style import Style
from rich.table import Table
from rich.text import Text

from .intervals import Proportion
from .table1 import COLUMN_HEADINGS, Row, Table1

TICK = "✓"
"""Marks an accuracy of ours that agrees with the published one."""

_TEXT_COLUMNS = 2  # distance and mode; numbers follow
_MODES = ("paper's mode", "published", "house mode")
_SHORT_MODES = ("paper", "publ.", "house")
_LINE_STYLES = (Style(), Style(dim=True), Style(color="cyan"))
_TICK_STYLE = Style(color="green", bold=True)


def accuracy_text(accuracy: Proportion | float | None) -> str:
    """An accuracy as the paper prints it, without the leading zero: ``.617``, ``1.000``; a dash if there is none."""
    if accuracy is None:
        return "–"
    value = accuracy.value if isinstance(accuracy, Proportion) else accuracy
    return f"{value:.3f}".removeprefix("0")


def summary(table: Table1) -> str:
    """One line: how many of the published cells agree in each mode."""
    return (
        f"Of {table.published_cells} published cells, {table.agreeing_cells} agree in the paper's mode "
        f"and {table.house_agreeing_cells} in the house mode."
    )


def markdown(table: Table1) -> str:
    """The table in Markdown, aligned so that it reads well as plain text, too; ends with a newline."""
    headings = ["distance", "mode", *(" ".join(heading) for heading in COLUMN_HEADINGS.values())]
    lines: list[list[str]] = []
    for row in table.rows:
        for position, (mode, cells) in enumerate(_lines_of(row)):
            name = f"`{row.distance}`" if position == 0 else ""
            lines.append([name, mode, *(f"{text} {TICK}" if ticked else text for text, ticked in cells)])
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    rule = ["-" * (width - 1) + (":" if column >= _TEXT_COLUMNS else "-") for column, width in enumerate(widths)]
    text = [_markdown_line(line, widths) for line in (headings, rule, *lines)]
    return "\n".join(text) + "\n\n" + "  \n".join(_notes(table)) + "\n"


def rich_table(table: Table1) -> Table:
    """The table for a terminal: 78 columns wide, and legible without colour.

    Print it with ``rich.console.Console().print``.
    """
    legend = "paper: ours in the paper's mode. publ.: published. house: ours in house mode."
    drawn = Table(
        box=box.HORIZONTALS,
        show_edge=False,
        padding=(0, 0),
        header_style="bold",
        caption="\n".join((legend, *_notes(table))),
        caption_justify="left",
        caption_style="",
    )
    drawn.add_column("distance", no_wrap=True)
    drawn.add_column("mode", no_wrap=True)
    for what, step in COLUMN_HEADINGS.values():
        drawn.add_column(f"{what}\n{step.replace(' ', chr(10))}", justify="right", no_wrap=True)
    for row in table.rows:
        for position, (mode, cells) in enumerate(_lines_of(row)):
            style = _LINE_STYLES[position]
            drawn.add_row(
                row.distance if position == 0 else "",
                Text(_SHORT_MODES[position], style),
                *(
                    Text.assemble((text, style), (f" {TICK}" if ticked else "  ", _TICK_STYLE))
                    for text, ticked in cells
                ),
                end_section=mode == _MODES[-1],
            )
    return drawn


def _lines_of(row: Row) -> tuple[tuple[str, Sequence[tuple[str, bool]]], ...]:
    """Per mode its name and, per column, the accuracy and whether it gets a tick."""
    return (
        (_MODES[0], [(accuracy_text(cell.paper), cell.paper_agrees is True) for cell in row.cells]),
        (_MODES[1], [(accuracy_text(cell.published), False) for cell in row.cells]),
        (_MODES[2], [(accuracy_text(cell.house), cell.house_agrees is True) for cell in row.cells]),
    )


def _notes(table: Table1) -> tuple[str, ...]:
    return (
        f"{TICK} agrees with the published accuracy: 0 lies in the 95 % Newcombe interval of the difference.",
        summary(table),
        f"Paper's mode: {table.paper_settings}. Published: n = {table.published_trials}.",
        f"House mode: {table.house_settings}.",
        *table.missing,
    )


def _markdown_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded: list[str] = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        # A number without a tick keeps the tick's place, so that the digits stand below one another.
        number = column >= _TEXT_COLUMNS and (cell == "–" or "." in cell)
        text = cell if cell.endswith(TICK) or not number else f"{cell}  "
        padded.append(text.rjust(width) if column >= _TEXT_COLUMNS else text.ljust(width))
    return f"| {' | '.join(padded)} |"
