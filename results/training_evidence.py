"""What the losses say of pitch before they teach it, from the records of kind ``training``: is the nearest pitch right?

On a path that tries pitches a model learns the one that a loss finds nearest to the target. Before an arm is trained,
its record says how often that is the true one, while the timbre is that of a model that never heard of pitch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .rank_association import association
from .record import Record
from .seed_intervals import seed_mean
from .studies import Study
from .training_comparison import SHARED, ArmName, arm_of
from .training_text import mean_text

PITCH = "raw_pitch_accuracy"
FEWEST = 5
"""Losses of a correlation that is told."""


def evidence_markdown(study: Study, records: Sequence[Record]) -> str:
    """A line a loss, in the order of what its models learnt; empty if no record of the study says anything.

    Shares are of notes of held-out songs (n a seed), means over seeds with 95 % t-intervals.

    Args:
        study: whose arms.
        records: of any kinds; those of kind ``training`` of the study's settings are used.
    """
    found = _evidence(study, records)
    arms = [arm for arm in study.arms if arm.arm in found and PITCH in arm.metrics]
    if not arms:
        return ""
    lines = [
        f"**{study.title}**",
        "",
        "| loss | seeds | nearest pitch is the true one | within a semitone | of these, semitones above the true one "
        "| raw pitch accuracy after training |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for arm in arms:
        seeds = found[arm.arm]
        right, near = ([one[name] for one in seeds] for name in ("right", "near"))
        above = [one["semitones_above"] for one in seeds if one["semitones_above"] is not None]
        lines.append(
            f"| `{arm.arm.loss}` | {len(seeds)} | {mean_text(seed_mean(right, lowest=0.0, highest=1.0))} "
            f"| {mean_text(seed_mean(near, lowest=0.0, highest=1.0))} "
            f"| {f'{seed_mean(above).value:+.2f}' if above else '–'} | {mean_text(arm.metrics[PITCH])} |"
        )
    notes = sorted({int(one["notes"]) for seeds in found.values() for one in seeds})
    lines += ["", f"n = {' or '.join(map(str, notes))} notes a seed."]
    if len(arms) >= FEWEST:
        told = association(
            [seed_mean([one["right"] for one in found[arm.arm]]).value for arm in arms],
            [arm.metrics[PITCH].value for arm in arms],
        )
        if told.rho is not None:
            lines[-1] += (
                f" First and last column: Spearman's ρ = {told.rho:+.2f}, p = {told.p:.2g}, {told.n} losses "
                "(exploratory)."
            )
    return "\n".join(lines) + "\n"


def _evidence(study: Study, records: Sequence[Record]) -> dict[ArmName, list[Mapping[str, Any]]]:
    """Arm to what its records say, a seed each."""
    settings = {name: study.settings.get(name) for name in SHARED}
    newest: dict[tuple[ArmName, int], Record] = {}
    for record in records:
        params = record.task.params
        if record.kind != "training" or record.status != "ok" or not record.metrics.get("evidence"):
            continue
        said = {name: None if params.get(name) is None else str(params[name]) for name in SHARED}
        asked = arm_of(record), record.seed
        if said == settings and (asked not in newest or newest[asked].started < record.started):
            newest[asked] = record
    found: dict[ArmName, list[Mapping[str, Any]]] = {}
    for (arm, _), record in sorted(newest.items(), key=lambda one: one[0][1]):
        found.setdefault(arm, []).append(record.metrics["evidence"])
    return found
