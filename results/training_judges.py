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
from .training_answer import comparable
from .training_comparison import METRICS, PAPER
from .training_records import trainings

FEWEST = 4
"""Models of an order that is told."""


def judges_markdown(study: Study, records: Sequence[Record]) -> str:
    """A line a judge, by its agreement with raw pitch accuracy; empty if fewer than five arms have been judged.

    An arm's figures are means over the seeds that all arms have in common. Spearman's ρ is over all arms but the one
    that the judge taught, the baselines among them, and positive where the judge prefers the better models. Harmonics
    are compared among the arms that are judged on about as many frames as the paper's own objective.

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
    if len(said) <= FEWEST or not seeds:
        return ""
    judges = sorted(set[str].intersection(*(set(of_one[seed]) for of_one in said.values() for seed in seeds)))
    opinions = {
        judge: {loss: math.fsum(of_one[seed][judge] for seed in seeds) / len(seeds) for loss, of_one in said.items()}
        for judge in judges
    }
    lines = [
        f"**{study.title}**; {len(said)} models a seed, {len(seeds)} seeds",
        "",
        "| judge | ρ with raw pitch accuracy (models) | ρ with the harmonics' level-free error (models) | prefers | "
        "place of the model it taught |",
        "|---|--:|--:|---|--:|",
    ]
    paper = arms.get(PAPER)
    heard = [loss for loss in said if paper is not None and comparable(arms[loss], paper)]
    learnt = {
        "raw_pitch_accuracy": {loss: study.values(arms[loss], "raw_pitch_accuracy") for loss in said},
        "harmonic_db_level_free": {loss: study.values(arms[loss], "harmonic_db_level_free") for loss in heard},
    }
    rows = [_row(judge, of_arms, learnt, seeds) for judge, of_arms in opinions.items()]
    lines += [line for _, line in sorted(rows, key=lambda row: -row[0])]
    lines += ["", "Spearman's ρ, positive where a judge prefers the better models; its own is left out. Exploratory."]
    return "\n".join(lines) + "\n" if judges else ""


def _row(
    judge: str,
    opinions: Mapping[str, float],
    learnt: Mapping[str, Mapping[str, Mapping[int, float]]],
    seeds: set[int],
) -> tuple[float, str]:
    found = [_agreement(judge, opinions, learnt[metric], seeds, 1 if METRICS[metric] else -1) for metric in learnt]
    best_first = sorted(opinions, key=lambda loss: opinions[loss])
    place = str(best_first.index(judge) + 1) if judge in best_first else "–"
    shown = ["–" if rho is None else f"{rho:+.2f} ({n})".replace("-", "−") for rho, n in found]
    first = -2.0 if found[0][0] is None else found[0][0]
    return first, f"| `{judge}` | {shown[0]} | {shown[1]} | `{best_first[0]}` | {place} |"


def _agreement(
    judge: str, opinions: Mapping[str, float], learnt: Mapping[str, Mapping[int, float]], seeds: set[int], sign: int
) -> tuple[float | None, int]:
    """Spearman's ρ of opinions with a metric, over the other arms that have it for every seed; and how many."""
    pairs = [
        (-opinion, sign * math.fsum(learnt[loss][seed] for seed in seeds))
        for loss, opinion in opinions.items()
        if loss != judge and seeds <= set(learnt.get(loss, {}))
    ]
    return (spearman(*np.array(pairs).T) if len(pairs) >= FEWEST else None), len(pairs)


def _said(record: Record) -> Mapping[str, float]:
    """Judge to opinion."""
    return {judge: value for judge, value in (record.metrics.get("judged_by") or {}).items() if value is not None}
