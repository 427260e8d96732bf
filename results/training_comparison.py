"""What a loss does to a model: the evaluations of training arms, compared over seeds.

An **arm** is one loss in one condition; its **runs** differ by their seed. Runs of one seed share initial weights and
batches, so an arm is compared with the paper's own objective by the differences within seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .record import Record
from .seed_intervals import SeedMean, paired_difference, seed_mean

PAPER, NONE = "paper", "none"
"""The baselines: BassNet's own objective, and no spectral term at all."""

METRICS: Mapping[str, bool] = {
    "raw_pitch_accuracy": True,
    "raw_chroma_accuracy": True,
    "median_cents": False,
    "octave_errors": False,
    "harmonic_db": False,
    "harmonic_db_level_free": False,
    "level_db": False,
    "onset_f_measure": True,
    "qda_accuracy": True,
}
"""What arms are compared by, all held out, none of them a loss; and whether more is better."""
SHARES = {"raw_pitch_accuracy", "raw_chroma_accuracy", "octave_errors", "onset_f_measure", "qda_accuracy"}
"""Those of them that lie between 0 and 1."""


@dataclass(frozen=True)
class ArmName:
    """Which arm: the loss, what it replaces (``replace``, ``audio-only``), and the path of its gradient to f0."""

    loss: str
    condition: str
    path: str


@dataclass(frozen=True)
class ArmResult:
    """An arm over its seeds.

    Attributes:
        arm: which.
        seeds: of the runs that have an answer, ascending.
        failed: seed to the reason why a run has none.
        metrics: name to the mean over the seeds.
        against_paper: name to the difference to the paper's objective within seeds; empty for the paper's own.
        seconds: of training, per run.
    """

    arm: ArmName
    seeds: tuple[int, ...]
    failed: Mapping[int, str]
    metrics: Mapping[str, SeedMean]
    against_paper: Mapping[str, SeedMean]
    seconds: SeedMean | None


def arm_of(record: Record) -> ArmName:
    """The arm of an evaluation; BassNet's own objective has the condition and path it is compared in."""
    params = record.task.params
    return ArmName(record.distance.name, str(params.get("condition", "")), str(params.get("path", "")))


def trained_on(record: Record) -> str | None:
    """Digest of the dataset that an arm learnt from, whatever songs judge it."""
    digest = record.task.params.get("trained_on", record.task.params).get("digest")
    return None if digest is None else str(digest)


def figure(record: Record, metric: str) -> float | None:
    """The value of a metric, whether it stands alone or with its interval; None if the record has none."""
    found: Any = record.metrics.get(metric)
    value = found.get("value") if isinstance(found, Mapping) else found
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def compare_arms(evaluations: Sequence[Record]) -> list[ArmResult]:
    """The arms of some evaluations: by condition, then the paper's objective, then none, then by pitch accuracy.

    Args:
        evaluations: records of kind ``evaluation``, of runs that differ in nothing but loss, condition, path and seed.

    Raises:
        ValueError: if two records are of one arm and seed, or the runs differ in what arms must share.
    """
    _check_shared(evaluations)
    runs: dict[ArmName, dict[int, Record]] = {}
    for record in evaluations:
        of_arm = runs.setdefault(arm_of(record), {})
        if record.seed in of_arm:
            raise ValueError(f"two records of {record.distance.name} with seed {record.seed}: not one comparison")
        of_arm[record.seed] = record
    results = [_result(arm, of_arm, runs) for arm, of_arm in runs.items()]
    return sorted(results, key=_order)


SHARED = (
    "dataset",
    "digest",
    "preset",
    "fields",
    "path",
    "target",
    "start_steps",
    "steps",
    "segments",
    "segment_seconds",
    "calibrate_every",
)
"""Parameters in which arms of one comparison may not differ."""


def setting(params: Mapping[str, Any], name: str) -> Any:
    """A parameter that arms of one comparison share; the steps of a training from nothing are its configuration's."""
    if name == "steps" and params.get(name) is None:
        return params.get("config", {}).get("training", {}).get("max_steps")
    return params.get(name)


def _check_shared(evaluations: Sequence[Record]) -> None:
    told: dict[str, set[str]] = {}
    for record in evaluations:
        params = record.task.params
        shared = {name: setting(params, name) for name in SHARED if name != "digest"}
        shared["digest of what they are trained on"] = trained_on(record)
        if record.kind == "evaluation":  # no song judges a training that failed
            shared["digest"] = params.get("digest")
        for name, value in shared.items():
            told.setdefault(name, set()).add(str(value))
    for name, values in told.items():
        if len(values) > 1:
            raise ValueError(f"arms differ in {name} ({', '.join(sorted(values))}): not one comparison")


def _result(arm: ArmName, of_arm: Mapping[int, Record], runs: Mapping[ArmName, Mapping[int, Record]]) -> ArmResult:
    answered = {seed: record for seed, record in sorted(of_arm.items()) if record.status == "ok"}
    paper = {
        seed: record
        for name, others in runs.items()
        if name.loss == PAPER and name.condition == arm.condition
        for seed, record in others.items()
        if record.status == "ok"
    }
    metrics: dict[str, SeedMean] = {}
    against_paper: dict[str, SeedMean] = {}
    for metric in METRICS:
        ours, theirs = _values(answered, metric), _values(paper, metric)
        if ours:
            metrics[metric] = seed_mean(list(ours.values()), lowest=0.0, highest=1.0 if metric in SHARES else math.inf)
        difference = paired_difference(ours, theirs)
        if difference is not None and arm.loss != PAPER:
            against_paper[metric] = difference
    seconds = [float(record.metrics["training_seconds"]) for record in answered.values() if _timed(record)]
    return ArmResult(
        arm=arm,
        seeds=tuple(answered),
        failed={seed: record.reason or "" for seed, record in sorted(of_arm.items()) if record.status != "ok"},
        metrics=metrics,
        against_paper=against_paper,
        seconds=seed_mean(seconds) if seconds else None,
    )


def _timed(record: Record) -> bool:
    return record.metrics.get("training_seconds") is not None


def _values(runs: Mapping[int, Record], metric: str) -> dict[int, float]:
    values = {seed: figure(record, metric) for seed, record in runs.items()}
    return {seed: value for seed, value in values.items() if value is not None}


def _order(result: ArmResult) -> tuple[str, bool, bool, float, str]:
    pitch = result.metrics.get("raw_pitch_accuracy")
    return (
        result.arm.condition,
        result.arm.loss != PAPER,
        result.arm.loss != NONE,
        -pitch.value if pitch else 1.0,
        result.arm.loss,
    )
