"""Studies: which evaluations of trained models are compared with each other.

A study is one condition of one comparison (see :mod:`.training_comparison`): its arms share data, preset, path, target,
steps and segments, and differ in their loss. Evaluations of older versions of the task, and
earlier answers, are set aside by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .collection import SetAside, name_of, newest
from .ranking_and_training import PRIMARY_CONDITION, PRIMARY_PATH, PRIMARY_TRAINING
from .record import Record
from .seed_intervals import SeedMean, seed_mean
from .training_comparison import (
    METRICS,
    NONE,
    PAPER,
    SHARED,
    ArmName,
    ArmResult,
    arm_of,
    compare_arms,
    figure,
    setting,
    trained_on,
)

KIND = "evaluation"
BASELINES = (PAPER, NONE)
LABELS: Mapping[str, tuple[str, str]] = {
    "raw_pitch_accuracy": ("raw pitch accuracy", ""),
    "raw_chroma_accuracy": ("raw chroma accuracy", ""),
    "median_cents": ("median pitch error", "cents"),
    "octave_errors": ("octave errors", ""),
    "harmonic_db": ("harmonics: error", "dB"),
    "harmonic_db_level_free": ("harmonics, level-free: error", "dB"),
    "level_db": ("level: error", "dB"),
    "onset_f_measure": ("onset F-measure", ""),
    "qda_accuracy": ("style read from z", ""),
}
"""What is written beside the metrics of :data:`.training_comparison.METRICS`: words, and a unit where there is one."""


@dataclass(frozen=True)
class Study:
    """Arms that can be compared.

    Attributes:
        task: what was trained, as in ``bassnet``.
        version: of the task.
        settings: what all arms share: the parameters of :data:`.training_comparison.SHARED` that the records have.
        condition: ``replace``, ``audio-only``, or empty.
        arms: over seeds: the baselines first, then by pitch accuracy, best first.
        runs: arm to seed to the record that says so.
    """

    task: str
    version: int
    settings: Mapping[str, str]
    condition: str
    arms: tuple[ArmResult, ...]
    runs: Mapping[ArmName, Mapping[int, Record]]

    @property
    def title(self) -> str:
        """Its settings, in one line."""
        shown = {name: value for name, value in self.settings.items() if name != "digest"}
        parts = [f"{name.replace('_', ' ')} {value}" for name, value in shown.items()]
        return ", ".join([*([self.condition] if self.condition else []), *parts]) or self.task

    @property
    def name(self) -> str:
        """What tells it from others, as part of a file's name."""
        parts = [
            self.task,
            *(self.settings.get(each, "") for each in ("dataset", "preset")),
            self.condition,
            self.settings.get("path", ""),
        ]
        return "-".join("".join(c if c.isalnum() else "_" for c in part) for part in parts if part)

    @property
    def songs(self) -> tuple[int, ...]:
        """How many held-out songs judge a run: every number that occurs, ascending; empty if no record says so."""
        figures = [record.metrics.get(PRIMARY_TRAINING) for of_arm in self.runs.values() for record in of_arm.values()]
        return tuple(sorted({int(one["songs"]) for one in figures if isinstance(one, Mapping) and "songs" in one}))

    @property
    def trained_on(self) -> str | None:
        """Digest of the dataset that the arms learnt from; that by which they are judged is in ``settings``."""
        return trained_on(next(record for of_arm in self.runs.values() for record in of_arm.values()))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that any arm has, in order."""
        return tuple(name for name in METRICS if any(name in arm.metrics for arm in self.arms))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed that has an answer."""
        return tuple(sorted({seed for arm in self.arms for seed in arm.seeds}))

    @property
    def failed(self) -> list[str]:
        """Runs without an answer, a line each."""
        return [f"{arm.arm.loss}, seed {seed}: {why}" for arm in self.arms for seed, why in arm.failed.items()]

    @property
    def typical_timbre(self) -> SeedMean | None:
        """What naming the training songs' typical timbre errs by, level-free, in dB; None if no record says so.

        It depends on a seed's songs, not on the arm.
        """
        said = {
            seed: value
            for of_arm in self.runs.values()
            for seed, record in of_arm.items()
            if (value := figure(record, "harmonic_db_level_free_typical")) is not None
        }
        return seed_mean(list(said.values()), lowest=0.0) if said else None

    def values(self, result: ArmResult, metric: str) -> dict[int, float]:
        """Seed to the value of a metric."""
        found = {seed: figure(self.runs[result.arm][seed], metric) for seed in result.seeds}
        return {seed: value for seed, value in found.items() if value is not None}


def studies(records: Sequence[Record]) -> tuple[list[Study], list[SetAside]]:
    """The studies in some records: that of the pair named in advance, then those with most runs; and what is left out.

    Args:
        records: of any kinds; those of kind ``evaluation`` are used.
    """
    own = [record for record in records if record.kind == KIND]
    latest: dict[str, int] = {}
    for record in own:
        latest[record.task.name] = max(record.task.version, latest.get(record.task.name, 0))
    aside = [
        SetAside(name_of(one), f"version {one.task.version} of the task; version {latest[one.task.name]} is published")
        for one in own
        if one.task.version != latest[one.task.name]
    ]
    current = [record for record in own if record.task.version == latest[record.task.name]]
    kept, earlier = newest(current, lambda one: (_setting(one), arm_of(one), one.seed))
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in kept:
        groups.setdefault(_setting(record), []).append(record)
    found = [study for group in groups.values() if _compares(study := _study(group))]
    found.sort(key=lambda one: (not _answers(one), -sum(len(arm.seeds) for arm in one.arms), one.title))
    return found, [*aside, *earlier]


def _answers(study: Study) -> bool:
    """Whether it has the pair that was named in advance, and what its losses are measured by."""
    named = study.condition == PRIMARY_CONDITION and study.settings.get("path") == PRIMARY_PATH
    return named and any(arm.arm.loss == PAPER for arm in study.arms)


def _compares(study: Study) -> bool:
    """BassNet's own objective alone is a reproduction of its paper, not a comparison of losses."""
    return {arm.arm.loss for arm in study.arms} != {PAPER}


def _setting(record: Record) -> tuple[str, ...]:
    params = record.task.params
    return record.task.name, str(trained_on(record)), *(str(setting(params, name)) for name in (*SHARED, "condition"))


def _study(records: Sequence[Record]) -> Study:
    first = records[0]
    runs: dict[ArmName, dict[int, Record]] = {}
    for record in records:
        runs.setdefault(arm_of(record), {})[record.seed] = record
    params = first.task.params
    return Study(
        task=first.task.name,
        version=first.task.version,
        settings={name: str(found) for name in SHARED if (found := setting(params, name)) is not None},
        condition=str(params.get("condition", "")),
        arms=tuple(compare_arms(records)),
        runs=runs,
    )
