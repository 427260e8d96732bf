"""The questions of a ranking: how often is one distance right, on one task, with one seed?

Such a question is called a **cell**; :mod:`.work` says how one becomes a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ..benchmarks.task import PITCH
from ..losses import AudioDistance
from ..results.intervals import Proportion
from ..results.record import Record
from .answers import Answer
from .questions import Question as Cell
from .questions import ask, pair
from .ranking import Margins, accuracy, rank
from .work import Asked, Work

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


def work_of(cell: Cell) -> Work:
    """How a cell is answered: its trials can be divided among workers."""
    return Work(cell, measure, conclude=metrics_of)


def measure(distance: AudioDistance, asked: Asked) -> Answer:
    """The answer for some of a cell's trials: one row each (see :func:`outcomes`)."""
    margins = rank(
        distance,
        asked.question.task,
        seed=asked.question.seed,
        start=asked.share.start,
        trials=len(asked.share),
        memory=asked.resources.memory,
        device=asked.resources.device,
        executor=asked.resources.executor,
        progress=asked.progress,
    )
    table = outcomes(margins, asked.share)
    return Answer(metrics_of(table), table)


def metrics_of(table: pl.DataFrame) -> dict[str, Any]:
    """The accuracy in each column of a table of outcomes."""
    return {column: accuracy(table[column].to_numpy()).as_metric() for column in table.columns if column != "trial"}


def outcomes(margins: Margins, share: range) -> pl.DataFrame:
    """One row a trial: its number, and its margin in each column (right if positive, a tie if 0)."""
    return pl.DataFrame({"trial": share, **margins})


def accuracies(record: Record) -> dict[str, Proportion]:
    """The columns of a ranking's record: axis by axis, pitch first, analytic to coarse; empty without an answer."""
    return {column: Proportion.from_metric(record.metrics[column]) for column in sorted(record.metrics, key=_place)}


def _place(column: str) -> tuple[bool, str, float]:
    axis, _, step = column.partition("_")
    return axis != PITCH.name, axis, 0.0 if step == "analytic" else float(step.partition("_")[0])
