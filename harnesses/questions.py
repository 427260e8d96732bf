"""Questions: what a harness asks of one distance, on one task, with one seed.

What is wrong with a call is found while its questions are prepared, before anything is computed; :mod:`.answers` says
what happens then.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from ..benchmarks import Task
from ..losses import AudioDistance, make
from ..losses.registry import resolve
from ..losses.specification import parse
from ..results.record import DistanceIdentity, TaskIdentity, record_key
from .identity import identify, plain
from .tasks import make_task

_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Texts and numbers that a pair is made from, here and by any other process: the arguments of :func:`pair`."""

    distance: str
    task: str
    sample_rate: float
    duration: float | None
    task_preset: Mapping[str, Any]
    distance_preset: Mapping[str, Any]
    skip: bool = False


@dataclass(frozen=True)
class Pair:
    """A distance and a task that can be asked about each other.

    Attributes:
        recipe: what it was made from.
        distance: the distance; None if it is not available here.
        task: the task, as long as the distance needs.
        distance_identity: for the record.
        task_identity: for the record.
        source_digest: of all sources that decide the distance's numbers on the task.
        unavailable: why the distance or the task is not available; empty if both are.
        skipped: why the distance cannot run on the task; empty if it can.
        notes: what was warned of as the distance was made.
    """

    recipe: Recipe
    distance: AudioDistance | None
    task: Task
    distance_identity: DistanceIdentity
    task_identity: TaskIdentity
    source_digest: str
    unavailable: str
    skipped: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Question(Pair):
    """A question that can be asked.

    Attributes:
        kind: of the record.
        seed: of the trials.
        trials: how many.
        parameters: what else the harness was told.
        key: of the record.
    """

    kind: str
    seed: int
    trials: int
    parameters: Mapping[str, Any]
    key: str

    @property
    def possible(self) -> bool:
        """Whether it can be put to its distance here."""
        return not (self.skipped or self.unavailable)

    @property
    def is_plugin(self) -> bool:
        """Whether the distance is somebody else's: it is checked before it is measured."""
        parts = [] if self.distance is None else self.distance.modules()
        return any(
            not type(part).__module__.startswith(f"{_PACKAGE}.") for part in parts if isinstance(part, AudioDistance)
        )


def pair(
    distance: str,
    task: str,
    *,
    sample_rate: float,
    duration: float | None,
    task_preset: Mapping[str, Any],
    distance_preset: Mapping[str, Any],
    skip: bool = False,
) -> Pair:
    """The distance and the task that are named by texts.

    Args:
        distance: see :func:`tonedeaf.make`.
        task: see :func:`~tonedeaf.harnesses.tasks.make_task`.
        sample_rate: in Hz.
        duration: of the signals in seconds; None is the task's own, or the shortest that the distance accepts if that
            is longer.
        task_preset: parameters of the task, from a suite.
        distance_preset: parameters of the distance, from a suite.
        skip: whether a distance that cannot run on the task (its fixed sample rate is below the signals', or they are
            too short for it) makes a pair that is skipped; if not, that is an error.

    Raises:
        ValueError: if anything about the call is wrong.
    """
    rate: dict[str, Any] = {"sample_rate": sample_rate}
    asked = rate | dict(task_preset) | ({} if duration is None else {"duration": duration})
    specified = make_task(task, asked)
    skipped = ""
    try:
        made, unavailable, notes = _make_distance(distance, sample_rate, distance_preset)
    except ValueError as error:
        if not (skip and _has_lower_rate(distance, sample_rate, distance_preset)):
            raise
        made, unavailable, notes, skipped = None, "", (), str(error)
    if made is not None and made.min_samples > specified.task.samples:
        shortest = math.ceil(made.min_samples / sample_rate * 1e6) / 1e6
        if duration is not None:
            skipped = (
                f"{distance} needs at least {made.min_samples} samples: a duration of {shortest:g} s "
                f"at {sample_rate:g} Hz, got {duration:g} s"
            )
            if not skip:
                raise ValueError(skipped)
        else:
            specified = make_task(task, asked | {"duration": shortest})
    identity, digest = identify(distance, made, [type(specified.task)])
    recipe = Recipe(
        distance=distance,
        task=task,
        sample_rate=sample_rate,
        duration=duration,
        task_preset=dict(task_preset),
        distance_preset=dict(distance_preset),
        skip=skip,
    )
    return Pair(
        recipe=recipe,
        distance=made,
        task=specified.task,
        distance_identity=identity,
        task_identity=TaskIdentity(
            name=specified.task.name,
            version=specified.task.version,
            params=plain({**specified.parameters, **specified.task.materials}),
        ),
        source_digest=digest,
        unavailable=specified.task.unavailable or unavailable,
        skipped=skipped,
        notes=notes,
    )


def ask(
    subject: Pair, *, kind: str, seed: int, trials: int, parameters: Mapping[str, Any] = MappingProxyType({})
) -> Question:
    """A harness's question to a pair.

    Args:
        subject: the distance and the task.
        kind: which harness asks.
        seed: of the trials.
        trials: how many.
        parameters: what else the harness was told; they stand in the record beside the task's own.

    Raises:
        ValueError: if ``trials`` is below 1, or one of the parameters has the name of one of the task's.
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    own = subject.task_identity.params
    if double := sorted(own.keys() & parameters.keys()):
        raise ValueError(f"{kind} has a parameter {double[0]!r}, and so has {subject.task_identity.name}")
    task_identity = msgspec.structs.replace(subject.task_identity, params={**own, **plain(parameters)})
    return Question(
        recipe=subject.recipe,
        distance=subject.distance,
        task=subject.task,
        distance_identity=subject.distance_identity,
        task_identity=task_identity,
        source_digest=subject.source_digest,
        unavailable=subject.unavailable,
        skipped=subject.skipped,
        notes=subject.notes,
        kind=kind,
        seed=seed,
        trials=trials,
        parameters=dict(parameters),
        key=record_key(
            kind=kind,
            distance=subject.distance_identity,
            task=task_identity,
            seed=seed,
            trials=trials,
            weights=subject.distance_identity.weights_sha256,
            source_digest=subject.source_digest,
        ),
    )


def distinct(questions: Iterable[Question]) -> list[Question]:
    """Each question once: two texts, as ``mss`` and ``1*mss``, may ask the same.

    Raises:
        ValueError: if none of them can run: the call is wrong then, and the first says why.
    """
    found = list({question.key: question for question in questions}.values())
    if found and all(question.skipped for question in found):
        raise ValueError(found[0].skipped)
    return found


def _make_distance(
    text: str, sample_rate: float, preset: Mapping[str, Any]
) -> tuple[AudioDistance | None, str, tuple[str, ...]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            distance = make(text, sample_rate=sample_rate, preset=preset)
        except ImportError as error:
            return None, " ".join(str(error).split()), ()
    return distance, "", tuple(f"{text}: {' '.join(str(warning.message).split())}" for warning in caught)


def _has_lower_rate(text: str, sample_rate: float, preset: Mapping[str, Any]) -> bool:
    """Whether a distance that cannot be made can be made at its own, fixed sample rate, and that is lower."""
    try:
        classes = [
            resolve(term.name, term.parameters, sample_rate=sample_rate, preset=preset)[0] for term in parse(text)
        ]
        lowest = min((cls.native_sample_rate for cls in classes if cls.native_sample_rate), default=sample_rate)
        if lowest < sample_rate:
            make(text, sample_rate=lowest, preset=preset)
    except (ValueError, ImportError):
        return False
    return lowest < sample_rate
