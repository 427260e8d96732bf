"""The questions of a ranking: how often is one distance right, on one task, with one seed?

Such a question is called a **cell**; :mod:`.answers` says how one becomes a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from ..benchmarks.task import PITCH
from ..losses import AudioDistance
from ..results.intervals import Proportion
from ..results.record import Record
from ..results.store import RecordStore
from . import answers
from .answers import Answer
from .questions import Question as Cell
from .questions import ask, pair
from .ranking import Margins, accuracy, rank
from .resources import Resources

KIND = "ranking"


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
    skip: bool = False,
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
        skip: whether a distance that cannot run on the task gives a cell that is skipped, or an error.

    Raises:
        ValueError: if anything about the call is wrong.
    """
    subject = pair(
        distance,
        task,
        sample_rate=sample_rate,
        duration=duration,
        task_preset=task_preset,
        distance_preset=distance_preset,
        skip=skip,
    )
    return ask(subject, kind=KIND, seed=seed, trials=trials)


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

    def measure(distance: AudioDistance) -> Answer:
        margins = rank(
            distance,
            cell.task,
            seed=cell.seed,
            trials=cell.trials,
            memory=resources.memory,
            device=resources.device,
            executor=resources.executor,
            workers=resources.workers,
            progress=progress,
        )
        metrics = {column: accuracy(values).as_metric() for column, values in margins.items()}
        return Answer(metrics, outcomes(margins))

    return answers.answer(cell, store, resources, measure, progress=progress, debug=debug)


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
