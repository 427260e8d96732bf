"""What the command line shows: tables on standard output, progress and notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..losses import Description
from ..results.intervals import Proportion
from ..results.record import Record
from .cells import accuracies
from .minimum import METRICS as MINIMUM_METRICS

_UNITS = {"cents": "cents", "db": "dB"}


def out() -> Console:
    """Standard output; as wide as the terminal. Piped, wide enough for any table: 160 characters, or ``COLUMNS``."""
    console = Console(highlight=False)  # which reads COLUMNS
    if not sys.stdout.isatty():
        console.width = max(160, console.width)
    return console


def note(message: str) -> None:
    """One line on standard error."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress_bar(total: int, unit: str = "trials") -> Generator[Callable[[str, int], None]]:
    """A progress bar over trials on a terminal, nothing elsewhere.

    Args:
        total: how many there are.
        unit: what they are called.

    Yields:
        What is called with the name of the distance under way and the number of trials done since the last call.
    """
    if not sys.stderr.isatty():
        yield lambda _name, _done: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=total)
        yield lambda name, done: bar.update(shown, description=name, advance=done)


def column_heading(column: str) -> str:
    """The heading of a metric's column: ``pitch_30_cents`` is ``pitch ±30 cents``, on two lines."""
    axis, _, rest = column.partition("_")
    step, _, unit = rest.partition("_")
    return f"{axis}\n{rest}" if not unit else f"{axis}\n±{step} {_UNITS.get(unit, unit.replace('_', ' '))}"


def ranking_table(records: Sequence[Record], minima: Sequence[Record] = ()) -> Table:
    """The sign accuracies of some records that share their columns; the best of each column is bold.

    Args:
        records: of kind ``ranking``.
        minima: of kind ``minimum``, for the same distances and task: two columns more.
    """
    columns = list(dict.fromkeys(column for record in records for column in accuracies(record)))
    minimum_of = {record.distance.name: record for record in minima}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("distance", overflow="fold")
    for column in columns:
        table.add_column(column_heading(column), justify="right", no_wrap=True)
    for heading in ("minimum\nlevel matched", "minimum\nunmatched") if minima else ():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("seconds", justify="right")
    best = {
        column: max(values[column].value for record in records if column in (values := accuracies(record)))
        for column in columns
    }
    usual = min((float(record.task.params["duration"]) for record in records), default=0.0)
    for record in records:
        values = accuracies(record)
        longer = "*" if float(record.task.params["duration"]) > usual else ""
        cells = [
            Text(
                f"{values[column].value:.3f}" + ("ᵗ" if values[column].ties else ""),
                style="bold" if values[column].value == best[column] else "",
            )
            if column in values
            else Text("–" if record.status == "ok" else record.status)
            for column in columns
        ]
        if minima:
            cells.extend(_minimum_cells(minimum_of.get(record.distance.name), minima))
        table.add_row(
            Text(record.distance.name + longer),
            *cells,
            f"{record.seconds:.1f}" if record.status == "ok" else record.status,
        )
    return table


def _minimum_cells(record: Record | None, minima: Sequence[Record]) -> list[Text]:
    """The two shares of a record of kind ``minimum``, the best among ``minima`` bold."""
    if record is None or record.status != "ok":
        return [Text("–" if record is None else record.status)] * len(MINIMUM_METRICS)
    shares = [
        (Proportion.from_metric(record.metrics[name]), max(one.metrics[name]["value"] for one in minima if one.metrics))
        for name in MINIMUM_METRICS
    ]
    return [
        Text(f"{own.value:.3f}" + ("ᵗ" if own.ties else ""), style="bold" if own.value == best else "")
        for own, best in shares
    ]


def ranking_notes(records: Sequence[Record], minima: Sequence[Record] = ()) -> list[str]:
    """What must be said below :func:`ranking_table`."""
    notes: list[str] = []
    widths = [value.high - value.low for record in records for value in accuracies(record).values()]
    if widths:
        counts = [record.trials or 0 for record in records]
        trials = str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
        notes.append(
            f"n = {trials} trials, seed {records[0].seed}; 95 % Wilson intervals of at most ±{max(widths) / 2:.3f}"
        )
    durations = sorted({float(record.task.params["duration"]) for record in records})
    if len(durations) > 1:
        notes.append(f"* signals longer than {durations[0]:g} s, as the distance needs: not comparable trial by trial")
    tied = [
        f"{record.distance.name} {column} {value.ties}"
        for record in records
        for column, value in accuracies(record).items()
        if value.ties
    ]
    if tied:
        notes.append(f"ᵗ ties, counted as wrong: {', '.join(tied)}")
    found = [Proportion.from_metric(one.metrics[name]) for one in minima if one.metrics for name in MINIMUM_METRICS]
    if found:
        notes.append(
            "minimum: share of trials whose nearest prediction over the whole range of pitch is within 50 cents of the "
            f"target; n = {found[0].n}, intervals of at most ±{max(one.high - one.low for one in found) / 2:.3f}"
        )
    reasons = (
        f"{record.distance.name}: {record.status}: {record.reason}" for record in (*records, *minima) if record.reason
    )
    notes.extend(dict.fromkeys(reasons))
    return notes


def distances_table(descriptions: Sequence[Description]) -> Table:
    """What ``tonedeaf list distances`` shows; legible from 80 columns on."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("\ndistance", no_wrap=True)
    table.add_column("gra-\ndient", no_wrap=True)
    table.add_column("sym-\nmetric", no_wrap=True)
    table.add_column("sample\nrate", justify="right", no_wrap=True)
    table.add_column("min\nsamples", justify="right", no_wrap=True)
    table.add_column("source,\nor why it is not available", overflow="fold", min_width=16)
    for each in descriptions:
        table.add_row(
            each.name,
            _yes(each.differentiable),
            _yes(each.symmetric),
            "" if not each.available else "any" if each.sample_rate is None else f"{each.sample_rate}",
            "" if each.min_samples is None else str(each.min_samples),
            Text(each.source if each.available else f"not available: {each.reason}"),
        )
    return table


def pairs_table(heading: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Names and one line about each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(heading, no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
