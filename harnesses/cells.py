"""From a question to its record: prepare every question first, then answer them one by one.

A **cell** is one question: one distance, one task, one seed, a number of trials. What is wrong with the call is found
while the cells are prepared, before anything is computed. What goes wrong in a cell afterwards becomes a record that
says so, and the other cells go on.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import polars as pl
import torch

from ..benchmarks import Task
from ..benchmarks.task import PITCH
from ..losses import AudioDistance, make
from ..losses.conformance import conformance
from ..losses.plugins import is_plugin
from ..losses.specification import parse
from ..results.environment import environment, peak_memory_mib, revision
from ..results.intervals import Proportion
from ..results.record import DistanceIdentity, Record, Revision, Status, TaskIdentity, record_key
from ..results.store import RecordStore
from .ranking import Margins, accuracy, rank
from .sources import package_versions, source_digest
from .tasks import make_task

KIND = "ranking"


@dataclass(frozen=True)
class Cell:
    """A question that can be asked.

    Attributes:
        distance: the distance; None if it is not available here.
        task: the task, as long as the distance needs.
        distance_identity: for the record.
        task_identity: for the record.
        seed: of the trials.
        trials: how many.
        unavailable: why the distance is not available; empty if it is.
        notes: what was warned of as the distance was made.
        key: of the record.
    """

    distance: AudioDistance | None
    task: Task
    distance_identity: DistanceIdentity
    task_identity: TaskIdentity
    seed: int
    trials: int
    unavailable: str
    notes: tuple[str, ...]
    key: str

    @property
    def is_plugin(self) -> bool:
        """Whether the distance is somebody else's: it is checked before it is ranked."""
        return any(is_plugin(term.name) for term in parse(self.distance_identity.name))


@dataclass(frozen=True)
class Resources:
    """With what to compute.

    Attributes:
        device: where.
        memory: budget for the tensors under way, in bytes.
        executor: runs the batches.
        workers: how many at once.
    """

    device: torch.device
    memory: int
    executor: Executor
    workers: int


def prepare(
    distance: str,
    task: str,
    *,
    seed: int,
    trials: int,
    sample_rate: float,
    duration: float | None,
    task_preset: Mapping[str, Any],
    distance_preset: Mapping[str, Any],
) -> Cell:
    """The cell of a distance and a task that are named by texts.

    Args:
        distance: see :func:`tonedeaf.make`.
        task: see :func:`~tonedeaf.harnesses.tasks.make_task`.
        seed: of the trials.
        trials: how many.
        sample_rate: in Hz.
        duration: of the signals in seconds; None is the task's own, or the shortest that the distance accepts if that
            is longer.
        task_preset: parameters of the task, from a suite.
        distance_preset: parameters of the distance, from a suite.

    Raises:
        ValueError: if anything about the call is wrong.
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    rate: dict[str, Any] = {"sample_rate": sample_rate}
    asked = rate | dict(task_preset) | ({} if duration is None else {"duration": duration})
    specified = make_task(task, asked)
    made, unavailable, notes = _make_distance(distance, sample_rate, distance_preset)
    if made is not None and made.min_samples > specified.task.samples:
        shortest = math.ceil(made.min_samples / sample_rate * 1e6) / 1e6
        if duration is not None:
            raise ValueError(
                f"{distance} needs at least {made.min_samples} samples: a duration of {shortest:g} s "
                f"at {sample_rate:g} Hz, got {duration:g} s"
            )
        specified = make_task(task, asked | {"duration": shortest})
    task_identity = TaskIdentity(
        name=specified.task.name, version=specified.task.version, params=_plain(specified.parameters)
    )
    identity, digest = _identify(distance, made, specified.task)
    return Cell(
        distance=made,
        task=specified.task,
        distance_identity=identity,
        task_identity=task_identity,
        seed=seed,
        trials=trials,
        unavailable=unavailable,
        notes=notes,
        key=record_key(
            kind=KIND,
            distance=identity,
            task=task_identity,
            seed=seed,
            trials=trials,
            weights=identity.weights_sha256,
            source_digest=digest,
        ),
    )


def _make_distance(
    text: str, sample_rate: float, preset: Mapping[str, Any]
) -> tuple[AudioDistance | None, str, tuple[str, ...]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            distance = make(text, sample_rate=sample_rate, preset=preset)
        except ImportError as error:
            return None, " ".join(str(error).split()), ()
    return distance, "", tuple(f"{text}: {warning.message}" for warning in caught)


def _identify(text: str, distance: AudioDistance | None, task: Task) -> tuple[DistanceIdentity, str]:
    """The distance's identity, and the digest of all sources that decide its numbers on the task."""
    if distance is None:
        nothing = DistanceIdentity(name=text, class_name="unavailable", params={}, weights_sha256=None, packages={})
        return nothing, source_digest([type(task)])
    assert distance.specification is not None
    specification = distance.specification
    classes = {type(module) for module in distance.modules() if isinstance(module, AudioDistance)}
    ordered = sorted(classes, key=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
    identity = DistanceIdentity(
        name=specification.name,
        class_name=specification.target,
        params=_plain(specification.parameters),
        weights_sha256=None,
        packages=package_versions(ordered),
    )
    return identity, source_digest([*ordered, type(task)])


def _plain(value: Any) -> Any:
    """The value as JSON says it: tuples are lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def answer(
    cell: Cell,
    store: RecordStore,
    resources: Resources,
    *,
    progress: Callable[[int], None] = lambda _done: None,
    debug: bool = False,
) -> Record:
    """The record of a cell: the one in the store if it holds an answer, or else a new one, written to the store.

    Args:
        cell: the question.
        store: where records are.
        resources: with what to compute.
        progress: called with the number of trials done, batch by batch.
        debug: whether an error in the distance is raised rather than recorded.

    Raises:
        OSError: if the record cannot be written.
    """
    found = store.find(cell.key)
    if found is not None:
        progress(cell.trials)
        return found
    started, clock = datetime.now(UTC), time.perf_counter()
    margins: Margins = {}
    status, reason = "ok", ""
    try:
        status, reason = _not_asked(cell, resources)
        if status == "ok":
            margins = _measure(cell, resources, progress)
    except Exception as error:  # whatever a distance raises is what is found out about it
        if debug:
            raise
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        status, reason = "failed", kind + " ".join(str(error).split())
    record = Record(
        kind=KIND,
        key=cell.key,
        distance=cell.distance_identity,
        task=cell.task_identity,
        seed=cell.seed,
        trials=cell.trials,
        status=status,
        reason=reason or None,
        metrics={column: accuracy(values).as_metric() for column, values in margins.items()},
        artefacts=(),
        seconds=round(time.perf_counter() - clock, 3),
        peak_memory_mib=peak_memory_mib(),
        environment=environment(str(resources.device)),
        revision=_revision(),
        started=started,
    )
    return store.write(record, outcomes(margins) if margins else None)


def _not_asked(cell: Cell, resources: Resources) -> tuple[Status, str]:
    """Why a cell is not measured, or ``ok``."""
    if cell.distance is None:
        return "unavailable", cell.unavailable
    if cell.is_plugin:
        broken = [check for check in conformance(cell.distance, device=resources.device) if not check.passed]
        if broken:
            return "failed", "; ".join(f"{check.name}: {check.message}" for check in broken)
    return "ok", ""


def _measure(cell: Cell, resources: Resources, progress: Callable[[int], None]) -> Margins:
    assert cell.distance is not None
    return rank(
        cell.distance.to(resources.device),
        cell.task,
        seed=cell.seed,
        trials=cell.trials,
        memory=resources.memory,
        device=resources.device,
        executor=resources.executor,
        workers=resources.workers,
        progress=progress,
    )


def outcomes(margins: Margins) -> pl.DataFrame:
    """One row a trial: its number, and its margin in each column (right if positive, a tie if 0)."""
    trials = len(next(iter(margins.values())))
    return pl.DataFrame({"trial": range(trials), **margins})


def accuracies(record: Record) -> dict[str, Proportion]:
    """The columns of a ranking's record: axis by axis, pitch first, analytic to coarse; empty without an answer."""
    return {column: Proportion.from_metric(record.metrics[column]) for column in sorted(record.metrics, key=_place)}


def _place(column: str) -> tuple[bool, str, float]:
    axis, _, step = column.partition("_")
    return axis != PITCH.name, axis, 0.0 if step == "analytic" else float(step.partition("_")[0])


def failed(records: Sequence[Record]) -> list[Record]:
    """The records whose distance failed."""
    return [record for record in records if record.status == "failed"]


@cache
def _revision() -> Revision:
    """The revision, asked once: it does not change while the process runs."""
    return revision()
