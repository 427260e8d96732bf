"""From questions to records, by one process or by many: the same records.

A question is sent to a worker as the texts it was made from (:class:`~tonedeaf.harnesses.questions.Recipe`); the worker
makes it again and compares the key, which holds the digest of the sources: a worker with another version of the code
says so instead of answering. A question whose trials stand for themselves is divided into shares of :data:`SHARE`
trials. Records are written here, as soon as their last share is in.
"""

from __future__ import annotations

import dataclasses
import platform
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

import polars as pl

from ..benchmarks.task import BLOCK
from ..losses import AudioDistance
from ..results.environment import environment
from ..results.record import Record
from ..results.store import RecordStore
from .answers import Answer, Attempt, attempt, reason_of, stored, written
from .execution import GPU, check_parallelism, execute
from .questions import Question, Recipe, ask, pair
from .resources import AUTO, Resources, opened

SHARE = BLOCK
"""Trials that a worker is given at a time: whole blocks, so that each trial is in the same batch as in a serial run."""
_KEPT_QUESTIONS = 8

Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True)
class Asked:
    """What a harness is to measure.

    Attributes:
        question: what is asked of the distance.
        share: the numbers of the trials; all of them if the question's trials cannot be divided.
        resources: with what to compute.
        progress: to be called with the number of trials done since the last call.
    """

    question: Question
    share: range
    resources: Resources
    progress: Progress


Measure: TypeAlias = Callable[[AudioDistance, Asked], Answer]
"""Answers a question; a function of a module, or a ``functools.partial`` of one, so that workers can be told of it. The
distance is on the device."""


@dataclass(frozen=True)
class Work:
    """A question and how it is answered.

    Attributes:
        question: what is asked.
        measure: answers it.
        conclude: the metrics of a table of all trials, if the question's trials can be divided; None if they cannot.
        steps: what ``progress`` is told in all; None is the number of trials.
    """

    question: Question
    measure: Measure
    conclude: Callable[[pl.DataFrame], Mapping[str, Any]] | None = None
    steps: int | None = None

    @property
    def size(self) -> int:
        """What ``progress`` is told in all."""
        return self.question.trials if self.steps is None else self.steps

    @property
    def shares(self) -> list[range]:
        """The trials that workers are given, each share whole."""
        every = self.question.trials
        if self.conclude is None:
            return [range(every)]
        return [range(first, min(first + SHARE, every)) for first in range(0, every, SHARE)]


@dataclass(frozen=True)
class Settings:
    """With what to compute, as the command line says it.

    Attributes:
        device: as in ``cuda``.
        memory: of each process, as in ``512MiB``, or ``auto``.
        workers: processes on this machine.
        dask: address of a scheduler, in place of ``workers``.
        debug: whether an error in a distance is raised rather than recorded.
    """

    device: str = AUTO
    memory: str = AUTO
    workers: int = 1
    dask: str | None = None
    debug: bool = False

    def check(self) -> None:
        """Refuse what cannot be, before anything is computed.

        Raises:
            ValueError: if it is wrong.
        """
        check_parallelism(self.workers, self.dask)
        if self.parallel and self.device.startswith("cuda:"):
            raise ValueError(f"each worker has a card of its own: give --device cuda, got {self.device}")
        with opened("cpu" if self.dask else self.device, self.memory):
            pass

    @property
    def parallel(self) -> bool:
        """Whether other processes compute."""
        return self.workers > 1 or self.dask is not None

    @property
    def resources(self) -> dict[str, int]:
        """What each share needs to itself."""
        if self.dask is None and self.device == AUTO:
            with opened(self.device, self.memory) as resources:
                return {GPU: 1} if resources.device.type == "cuda" else {}
        return {GPU: 1} if self.device.startswith("cuda") else {}


def answer_all(
    works: Sequence[Work],
    store: RecordStore,
    settings: Settings,
    *,
    progress: Callable[[Work, int], None] = lambda _work, _done: None,
) -> list[Record]:
    """The records of questions, in their order: those in the store, or new ones, written as soon as they are found.

    Args:
        works: the questions.
        store: where records are.
        settings: with what to compute.
        progress: called with a question and the number of its steps done since the last call.

    Raises:
        ValueError: if the settings, the folder or the cluster is wrong; nothing has been computed then.
        ClusterLostError: if the cluster goes away; the records that were finished are in the store.
        OSError: if a record cannot be written.
    """
    settings.check()
    store.check_writable()
    records: dict[int, Record] = {}
    for number, work in enumerate(works):
        found = stored(store, work.question.key)
        if found is not None:
            records[number] = found
            progress(work, work.size)
    missing = [number for number in range(len(works)) if number not in records]
    elsewhere = {number: works[number] for number in missing if settings.parallel and works[number].question.possible}
    with opened("cpu" if settings.parallel else settings.device, settings.memory) as resources:
        for number in missing:
            if number not in elsewhere:
                work = works[number]
                told = partial(progress, work)
                made = _attempted(work, range(work.question.trials), resources, told, settings.debug)
                records[number] = written(work.question, store, made)
    if elsewhere:
        with closing(_answered_elsewhere(elsewhere, settings, progress)) as answered:
            for number, made in answered:
                records[number] = written(works[number].question, store, made)
    return [records[number] for number in range(len(works))]


def _attempted(work: Work, share: range, resources: Resources, progress: Progress, debug: bool) -> Attempt:
    def measure(distance: AudioDistance) -> Answer:
        return work.measure(distance, Asked(work.question, share, resources, progress))

    return attempt(work.question, resources, measure, debug=debug)


@dataclass(frozen=True)
class _Share:
    """What a worker is told."""

    recipe: Recipe
    kind: str
    seed: int
    trials: int
    parameters: Mapping[str, Any]
    key: str
    measure: Measure
    share: range
    settings: Settings


def _answered_elsewhere(
    works: Mapping[int, Work], settings: Settings, progress: Callable[[Work, int], None]
) -> Generator[tuple[int, Attempt]]:
    shares = [(number, share) for number, work in works.items() for share in work.shares]
    told = (_told(works[number], share, settings) for number, share in shares)
    found: dict[int, dict[int, Attempt]] = defaultdict(dict)
    for done in execute(
        _answer_share, told, workers=settings.workers, dask=settings.dask, resources=settings.resources
    ):
        number, share = shares[done.index]
        work = works[number]
        if done.error is not None and settings.debug:
            raise done.error
        found[number][share.start] = _failed_attempt(done.error) if done.error is not None else done.result
        progress(work, work.size if work.conclude is None else len(share))
        if len(found[number]) == len(work.shares):
            in_order = [made for _, made in sorted(found.pop(number).items())]
            yield number, _joined(work, in_order)


def _told(work: Work, share: range, settings: Settings) -> _Share:
    question = work.question
    return _Share(
        recipe=question.recipe,
        kind=question.kind,
        seed=question.seed,
        trials=question.trials,
        parameters=question.parameters,
        key=question.key,
        measure=work.measure,
        share=share,
        settings=settings,
    )


def _answer_share(told: _Share) -> Attempt:
    """What a worker does."""
    question = _made_again(told)
    work = Work(question, told.measure)
    with opened(told.settings.device, told.settings.memory) as resources:
        return _attempted(work, told.share, resources, lambda _done: None, told.settings.debug)


def _made_again(told: _Share) -> Question:
    question = _questions.pop(told.key, None)
    if question is None:
        recipe = {field.name: getattr(told.recipe, field.name) for field in dataclasses.fields(told.recipe)}
        question = ask(pair(**recipe), kind=told.kind, seed=told.seed, trials=told.trials, parameters=told.parameters)
        if question.key != told.key:
            raise ValueError(
                f"the worker on {platform.node() or 'another machine'} has other code or weights for "
                f"{told.recipe.distance} on {told.recipe.task}: install the same version everywhere"
            )
    _questions[told.key] = question
    while len(_questions) > _KEPT_QUESTIONS:
        del _questions[next(iter(_questions))]
    return question


_questions: dict[str, Question] = {}
"""Of this process, by key, the last one used last."""


def _failed_attempt(error: Exception) -> Attempt:
    return Attempt(
        status="failed",
        reason=reason_of(error),
        answer=Answer(),
        seconds=0.0,
        peak_memory_mib=None,
        environment=environment("cpu"),
        started=datetime.now(UTC),
    )


def _joined(work: Work, made: Sequence[Attempt]) -> Attempt:
    """One attempt from those of all shares, in order: as one process would have made it.

    Seconds are the shares' sum, whatever ran beside them; memory is that of the largest process.
    """
    first_without = next((each for each in made if each.status != "ok"), None)
    tables = [each.answer.table for each in made if each.answer.table is not None]
    if first_without is not None or work.conclude is None:
        answer = (first_without or made[0]).answer
    else:
        table = pl.concat(tables)
        answer = Answer(work.conclude(table), table)
    return dataclasses.replace(
        first_without or made[0],
        answer=answer,
        seconds=sum(each.seconds for each in made),
        peak_memory_mib=max((each.peak_memory_mib for each in made if each.peak_memory_mib is not None), default=None),
        started=min(each.started for each in made),
    )
