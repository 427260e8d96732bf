"""What every loss says of every trained model, from the records of kind ``training``: does a loss know a better model?

When an arm is trained, every loss of the comparison judges how the model sounds on held-out songs, as it decodes them.
A loss that judges well puts the models in the order of their pitch and of their harmonics, whoever taught them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .descent_correlation import spearman
from .record import Record
from .studies import Study
from .training_comparison import METRICS
from .training_records import trainings

JUDGED_BY = ("raw_pitch_accuracy", "harmonic_db_level_free")
FEWEST = 5
"""Arms of an order that is told."""


def judges_markdown(study: Study, records: Sequence[Record]) -> str:
    """A line a judge, by its agreement with raw pitch accuracy; empty if fewer than five arms have been judged.

    An arm's figures are means over the seeds that all arms have in common. Spearman's ρ is over the arms, the baselines
    among them, and positive where the judge prefers the better models.

    Args:
        study: whose arms.
        records: of any kinds; those of kind ``training`` of the study's settings are used.
    """
    arms = {arm.arm.loss: arm for arm in study.arms}
    said = {
        loss: {seed: _said(record) for seed, record in found.items()}
        for loss, arm in arms.items()
        if (found := trainings(study, arm.arm, records))
    }
    seeds = set[int].intersection(*map(set, said.values())) if said else set[int]()
    if len(said) < FEWEST or not seeds:
        return ""
    judges = sorted(set[str].intersection(*(set(of_one[seed]) for of_one in said.values() for seed in seeds)))
    opinions = {
        judge: {loss: math.fsum(of_one[seed][judge] for seed in seeds) / len(seeds) for loss, of_one in said.items()}
        for judge in judges
    }
    lines = [
        f"**{study.title}**; {len(said)} models a seed, {len(seeds)} seeds",
        "",
        "| judge | ρ with raw pitch accuracy | ρ with the harmonics' level-free error | prefers | "
        "place of the model it taught |",
        "|---|--:|--:|---|--:|",
    ]
    learnt = {metric: {loss: study.values(arms[loss], metric) for loss in said} for metric in JUDGED_BY}
    rows = [_row(judge, of_arms, learnt, seeds) for judge, of_arms in opinions.items()]
    lines += [line for _, line in sorted(rows, key=lambda row: -row[0])]
    return "\n".join(lines) + "\n" if judges else ""


def _row(
    judge: str,
    opinions: Mapping[str, float],
    learnt: Mapping[str, Mapping[str, Mapping[int, float]]],
    seeds: set[int],
) -> tuple[float, str]:
    rhos = [_agreement(opinions, learnt[metric], seeds, 1 if METRICS[metric] else -1) for metric in JUDGED_BY]
    best_first = sorted(opinions, key=lambda loss: opinions[loss])
    place = str(best_first.index(judge) + 1) if judge in best_first else "–"
    shown = ["–" if rho is None else f"{rho:+.2f}".replace("-", "−") for rho in rhos]
    first = -2.0 if rhos[0] is None else rhos[0]
    return first, f"| `{judge}` | {shown[0]} | {shown[1]} | `{best_first[0]}` | {place} |"


def _agreement(
    opinions: Mapping[str, float], learnt: Mapping[str, Mapping[int, float]], seeds: set[int], sign: int
) -> float | None:
    """Spearman's ρ of a judge's opinions with a metric, over the arms that have it for every seed."""
    pairs = [
        (-opinion, sign * math.fsum(learnt[loss][seed] for seed in seeds))
        for loss, opinion in opinions.items()
        if seeds <= set(learnt[loss])
    ]
    return spearman(*np.array(pairs).T) if len(pairs) >= FEWEST else None


def _said(record: Record) -> Mapping[str, float]:
    """Judge to opinion."""
    return {judge: value for judge, value in (record.metrics.get("judged_by") or {}).items() if value is not None}
