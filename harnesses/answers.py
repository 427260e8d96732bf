"""From a question to its record: the one in the store, or a new one.

What goes wrong in a distance becomes a record that says so, and the other questions go on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import polars as pl
import torch

from ..losses import AudioDistance
from ..losses.conformance import Check, conformance
from ..results.environment import environment, peak_memory_mib, revision
from ..results.record import Environment, Record, RecordError, Revision, Status
from ..results.store import RecordStore
from .questions import Question
from .resources import Resources


class SkippedError(ValueError):
    """A question that makes no sense for its distance or its task; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What was found: the metrics of a record, and its table (one row a trial) if it has one."""

    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])
    table: pl.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of measuring a question, or some of its trials: with :class:`Answer`, all of a new record."""

    status: Status
    reason: str
    answer: Answer
    seconds: float
    peak_memory_mib: float | None
    environment: Environment
    started: datetime


def answer(
    question: Question,
    store: RecordStore,
    resources: Resources,
    measure: Callable[[AudioDistance], Answer],
    *,
    progress: Callable[[int], None] = lambda _done: None,
    debug: bool = False,
) -> Record:
    """The record of a question: the one in the store if it holds an answer, or else a new one, written to the store.

    Args:
        question: what is asked.
        store: where records are.
        resources: with what to compute.
        measure: see :func:`attempt`.
        progress: called with the number of trials if the store has the answer.
        debug: whether an error in the distance is raised rather than recorded.

    Raises:
        OSError: if the record cannot be written.
    """
    found = stored(store, question.key)
    if found is not None:
        progress(question.trials)
        return found
    return written(question, store, attempt(question, resources, measure, debug=debug))


def attempt(
    question: Question, resources: Resources, measure: Callable[[AudioDistance], Answer], *, debug: bool = False
) -> Attempt:
    """Measure, if the question can be put to its distance.

    Args:
        question: what is asked.
        resources: with what to compute.
        measure: answers the question; it is given the distance, on the device. If it raises a :class:`SkippedError`,
            that is the reason of what is skipped; whatever else it raises, of what failed.
        debug: whether an error in the distance is raised.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    answered = Answer()
    status, reason = "ok", ""
    try:
        status, reason = _not_asked(question, resources)
        if status == "ok":
            assert question.distance is not None
            answered = measure(question.distance.to(resources.device))
    except SkippedError as error:
        status, reason = "skipped", " ".join(str(error).split())
    except (Exception, SystemExit) as error:  # whatever a distance raises is what is found out about it
        if debug:
            raise
        status, reason = "failed", reason_of(error)
    return Attempt(
        status=status,
        reason=reason,
        answer=answered,
        seconds=time.perf_counter() - clock,
        peak_memory_mib=peak_memory_mib(),
        environment=environment(str(resources.device)),
        started=started,
    )


def reason_of(error: BaseException) -> str:
    """Why a record failed: one line."""
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())


def written(question: Question, store: RecordStore, made: Attempt) -> Record:
    """The record of an attempt, as the store has it now.

    Raises:
        OSError: if it cannot be written.
    """
    record = Record(
        kind=question.kind,
        key=question.key,
        distance=question.distance_identity,
        task=question.task_identity,
        seed=question.seed,
        trials=question.trials,
        status=made.status,
        reason=made.reason or None,
        metrics=dict(made.answer.metrics),
        artefacts=(),
        seconds=round(made.seconds, 3),
        peak_memory_mib=made.peak_memory_mib,
        environment=made.environment,
        revision=_revision(),
        started=made.started,
    )
    return store.write(record, made.answer.table)


def stored(store: RecordStore, key: str) -> Record | None:
    """The answer that the store holds; a damaged record is as good as none, and a note says so."""
    try:
        return store.find(key)
    except RecordError as error:
        print(f"note: {error}: computed again", file=sys.stderr)
        return None


def _not_asked(question: Question, resources: Resources) -> tuple[Status, str]:
    """Why a question is not put to its distance, or ``ok``."""
    if question.skipped:
        return "skipped", question.skipped
    if question.unavailable:
        return "unavailable", question.unavailable
    assert question.distance is not None
    if question.is_plugin:
        broken = _broken_promises(question, resources.device)
        if broken:
            more = f" (and {len(broken) - 1} more: tonedeaf check names them)" if len(broken) > 1 else ""
            return "failed", f"{broken[0].name}: {broken[0].message}{more}"
    return "ok", ""


def _broken_promises(question: Question, device: torch.device) -> list[Check]:
    """Found out once for a question, however many parts it is answered in."""
    known = _promises_broken.get((question.key, device))
    if known is None:
        assert question.distance is not None
        known = [check for check in conformance(question.distance, device=device) if not check.passed]
        _promises_broken[question.key, device] = known
    return known


_promises_broken: dict[tuple[str, torch.device], list[Check]] = {}


def failed(records: Sequence[Record]) -> list[Record]:
    """The records whose distance failed."""
    return [record for record in records if record.status == "failed"]


@cache
def _revision() -> Revision:
    """The revision, asked once: it does not change while the process runs."""
    return revision()
