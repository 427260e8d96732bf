"""What the losses say of pitch before they teach it, from the records of kind ``training``: is the nearest pitch right?

On a path that tries pitches a model learns the one that a loss finds nearest to the target. Before an arm is trained,
its record says how often that is the true one, while the timbre is that of a model that never heard of pitch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .figure_foretelling import association_text
from .rank_association import association
from .record import Record
from .seed_intervals import SeedMean, seed_mean
from .studies import Study
from .training_comparison import ArmResult
from .training_records import trainings
from .training_text import mean_text

PITCH = "raw_pitch_accuracy"
FEWEST = 5
"""Losses of a correlation that is told."""


def evidence_markdown(study: Study, records: Sequence[Record]) -> str:
    """A line a loss, in the order of what its models learnt; empty if no record of the study says anything.

    Shares are of drawn notes of held-out songs, means with 95 % t-intervals over the seeds that have both a share and a
    judged model; so is raw pitch accuracy.

    Args:
        study: whose arms.
        records: of any kinds; those of kind ``training`` of the study's settings are used.
    """
    rows = [row for arm in study.arms if (row := _row(study, arm, records)) is not None]
    if not rows:
        return ""
    lines = [
        f"**{study.title}**",
        "",
        "| loss | seeds | nearest is the true pitch | nearest is within a semitone | these lie above it by (semitones) "
        "| raw pitch accuracy after training |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        above = "–" if row.above is None else f"{row.above:+.2f}".replace("-", "−")
        cells = (f"`{row.loss}`", str(row.right.n), mean_text(row.right), mean_text(row.near), above)
        lines.append(f"| {' | '.join((*cells, mean_text(row.learnt)))} |")
    notes = " or ".join(map(str, sorted({row.notes for row in rows})))
    lines += ["", f"Of {notes} draws of a note of the validation songs a seed."]
    if len(rows) >= FEWEST:
        told = association([row.right.value for row in rows], [row.learnt.value for row in rows])
        lines[-1] += f" Exploratory, true pitch nearest and raw pitch accuracy: {association_text(told)}."
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Row:
    loss: str
    notes: int
    right: SeedMean
    near: SeedMean
    above: float | None
    learnt: SeedMean


def _row(study: Study, arm: ArmResult, records: Sequence[Record]) -> _Row | None:
    learnt = study.values(arm, PITCH)
    found = trainings(study, arm.arm, records)
    said: dict[int, Mapping[str, Any]] = {
        seed: evidence
        for seed, record in found.items()
        if seed in learnt and (evidence := record.metrics.get("evidence"))
    }
    if not said:
        return None
    above = [one["semitones_above"] for one in said.values() if one["semitones_above"] is not None]
    right, near, pitch = (
        seed_mean(values, lowest=0.0, highest=1.0)
        for values in (
            [one["right"] for one in said.values()],
            [one["near"] for one in said.values()],
            [learnt[seed] for seed in said],
        )
    )
    notes = max(int(one["notes"]) for one in said.values())
    return _Row(arm.arm.loss, notes, right, near, seed_mean(above).value if above else None, pitch)
