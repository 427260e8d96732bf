"""What ``tonedeaf descend`` shows in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ..results.descent_correlation import Correlation
from ..results.intervals import Proportion
from ..results.record import Record

_ENDS = ("level", "octave", "quietest", "edge", "elsewhere")


def descent_table(records: Sequence[Record]) -> Table:
    """How many trials reach the target, how soon, and where the others end; the best share is bold."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("distance", overflow="fold")
    for heading in ("reached", "95 %", "steps", "learning\nrate", *_ENDS, "|cents|", "|dB|", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    shares = [Proportion.from_metric(record.metrics["reached"]).value for record in records if record.status == "ok"]
    usual = min((float(record.task.params["duration"]) for record in records), default=0.0)
    for record in records:
        name = record.distance.name + ("*" if float(record.task.params["duration"]) > usual else "")
        if record.status != "ok":
            table.add_row(Text(name), record.status, *[""] * (4 + len(_ENDS)), f"{record.seconds:.1f}")
            continue
        metrics = record.metrics
        reached = Proportion.from_metric(metrics["reached"])
        steps = metrics["median_steps"]
        table.add_row(
            Text(name),
            Text(
                f"{reached.value:.3f}" + ("ᵗ" if reached.ties else ""),
                style="bold" if reached.value == max(shares) else "",
            ),
            f"{reached.low:.2f}–{reached.high:.2f}",
            "–" if steps is None else f"{steps:.0f}",
            f"{metrics['learning_rate']:g}",
            *(str(metrics["ends"][end] or "") for end in _ENDS),
            f"{metrics['median_cents']:.0f}",
            f"{metrics['median_db']:.2f}",
            f"{record.seconds:.1f}",
        )
    return table


def descent_notes(records: Sequence[Record]) -> list[str]:
    """What must be said below :func:`descent_table`."""
    first = records[0]
    durations = sorted({float(record.task.params["duration"]) for record in records})
    notes = [
        f"n = {first.trials} trials, seed {first.seed}, {first.task.params['descent']['steps']} steps of Adam, "
        f"{durations[0]:g} s; reached: ends within 50 cents and 1 dB; steps: median until it is there for good",
        "where the others end: at the pitch but not the level, an octave or several off, at the lowest level, at "
        "another edge of the range, elsewhere; |cents|, |dB|: medians over all ends",
    ]
    if len(durations) > 1:
        notes.append(f"* signals longer than {durations[0]:g} s, as the distance needs")
    tied = [
        f"{record.distance.name} {ties}"
        for record in records
        if record.status == "ok" and (ties := Proportion.from_metric(record.metrics["reached"]).ties)
    ]
    if tied:
        notes.append(f"ᵗ trials that never moved, for their gradient is exactly 0: {', '.join(tied)}")
    notes.extend(f"{record.distance.name}: {record.status}: {record.reason}" for record in records if record.reason)
    return notes


def correlation_table(found: Sequence[Correlation]) -> Table:
    """Spearman's ρ for the mean over all columns, and for each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("sign accuracy")
    table.add_column("Spearman's ρ", justify="right")
    table.add_column("95 % (bootstrap)", justify="right")
    for each in found:
        interval = "–" if each.low is None or each.high is None else f"{each.low:+.2f} … {each.high:+.2f}"
        table.add_row(each.column, "–" if each.value is None else f"{each.value:+.3f}", interval)
    return table
