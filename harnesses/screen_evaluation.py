"""What ``evaluate`` shows: a column for each model, a line for each figure."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from ..results.bassnet_text import TextTable


def text_table(table: TextTable) -> Table:
    """A table turned on its side, so that it fits a terminal: its rows are columns here."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=table.title, title_justify="left", title_style="bold")
    drawn.add_column("\n".join(table.headings[: table.numbers_from]), no_wrap=True)
    for row in table.rows:
        drawn.add_column("\n".join(row[: table.numbers_from]), justify="right", no_wrap=True)
    for place in range(table.numbers_from, len(table.headings)):
        drawn.add_row(Text(table.headings[place]), *(Text(row[place]) for row in table.rows))
    return drawn
