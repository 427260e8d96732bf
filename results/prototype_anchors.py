"""Beside an earlier implementation: sign accuracies that throw-away code gave before this suite was written.

Two implementations that share no line and agree are worth more than one. What the prototype's settings were is not
known in full (its windows, edges, durations and seeds were not kept).
"""

from __future__ import annotations

from collections.abc import Iterable

from .intervals import Proportion
from .ladder_text import column_order
from .record import Record

TOLERANCE = 0.04
"""How far two accuracies may lie apart to be called the same."""

PROTOTYPE: dict[tuple[str, str], tuple[float, ...]] = {
    ("sines", "log_spectral_transport"): (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ("harmonic_timbre", "log_spectral_transport"): (0.87, 0.86, 0.885),
    ("harmonic_timbre", "log_mss"): (0.54, 0.76, 0.995),
}
"""Task and distance to accuracies: pitch analytic, 30 and 600 cents; then, if they are there, level analytic, 2 and 10
dB. 1000 trials of sines, 150 to 200 of harmonic tones."""


def anchors_markdown(records: Iterable[Record]) -> str:
    """Two lines for each task and distance, the prototype's and ours; what lies further apart than allowed is bold.

    Args:
        records: of kind ``ranking``, comparable ones; those that the prototype did not ask are ignored.
    """
    ranked = {(one.task.name, one.distance.name): one for one in records if one.status == "ok"}
    lines = [
        "| task | distance | | pitch: analytic | 30 cents | 600 cents | level: analytic | 2 dB | 10 dB | n |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (task, distance), theirs in PROTOTYPE.items():
        record = ranked.get((task, distance))
        if record is None:
            continue
        columns = sorted(record.metrics, key=column_order)
        ours = [Proportion.from_metric(record.metrics[column]) for column in columns]
        there = [f"{value:g}" for value in theirs] + ["–"] * (len(ours) - len(theirs))
        here = [_ours(each, theirs[i] if i < len(theirs) else None) for i, each in enumerate(ours)]
        lines.append(f"| {task} | `{distance}` | prototype | {' | '.join(there)} | |")
        lines.append(f"| | | ours | {' | '.join(here)} | {record.trials} |")
    return "\n".join(lines) + "\n"


def _ours(cell: Proportion, prototype: float | None) -> str:
    text = f"{cell.value:.3f} ({cell.low:.3f}–{cell.high:.3f})"
    return f"**{text}**" if prototype is not None and round(abs(cell.value - prototype), 9) > TOLERANCE else text
