"""How fast: measurements of one run, and their ratios, which can be compared between machines where times cannot.

A measurement says in which table it stands, which work was done, and who did it. The ratio of a work is another's time
over ours: 3 is three times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .record import Record

KIND = "speed"
OURS = "tonedeaf"
TOLERATED = 0.7
"""A ratio may be this much of the stored one: two runs of one machine differ by less."""


@dataclass(frozen=True)
class Measurement:
    """One measurement.

    Attributes:
        table: in which it stands.
        work: what was done.
        who: who did it.
        seconds: the fastest round's.
        facts: what else is known of it.
    """

    table: str
    work: str
    who: str
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_metric(self) -> dict[str, Any]:
        """As a record holds it."""
        return {
            "table": self.table,
            "work": self.work,
            "who": self.who,
            "seconds": self.seconds,
            "facts": dict(self.facts),
        }


def measurements(record: Record) -> list[Measurement]:
    """The measurements of a record of kind ``speed``.

    Raises:
        ValueError: if it is of another kind.
    """
    if record.kind != KIND:
        raise ValueError(f"a record of kind {KIND} is needed, got {record.kind}")
    return [Measurement(**each) for each in record.metrics["measurements"]]


def from_pytest_benchmark(report: Mapping[str, Any]) -> list[Measurement]:
    """The measurements in what ``pytest --benchmark-json`` writes."""
    found: list[Measurement] = []
    for each in report["benchmarks"]:
        facts = dict(each["extra_info"])
        labels = (facts.pop("table"), facts.pop("work"), facts.pop("who"))
        found.append(Measurement(*labels, seconds=each["stats"]["min"], facts=facts))
    return found


def ratios(found: Sequence[Measurement]) -> dict[str, float]:
    """``table: work: who`` to that one's time over ours, for each work that we and others did."""
    ours = {(each.table, each.work): each.seconds for each in found if each.who == OURS}
    return {
        f"{each.table}: {each.work}: {each.who}": each.seconds / ours[each.table, each.work]
        for each in found
        if each.who != OURS and (each.table, each.work) in ours
    }


def regressions(now: Mapping[str, float], stored: Mapping[str, float]) -> list[str]:
    """One line for each ratio that has fallen below :data:`TOLERATED` of the stored one, or is not there any more."""
    lines: list[str] = []
    for name, before in stored.items():
        if name not in now:
            lines.append(f"{name}: was not measured; its ratio was {before:.2f}")
        elif now[name] < TOLERATED * before:
            lines.append(f"{name}: {now[name]:.2f}, was {before:.2f}")
    return lines
