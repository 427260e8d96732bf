"""Trials to listen to: which ones, and what each distance said about them.

For each task of the main board one trial is heard: the one about which the distances disagree most. The verdicts are
the margins in the records, not computed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .boards import Board
from .ladder_text import column_order
from .publication import Publication
from .record import Record
from .report_board import Numbers
from .sound import data_uri

BLOCK = 256
"""Trials that are looked at: the ones that a task draws at once."""


@dataclass(frozen=True)
class Choice:
    """A trial of a task: a record of it, and its number."""

    record: Record
    trial: int


@dataclass(frozen=True)
class HeardTrial:
    """A trial as sounds.

    Attributes:
        choice: which trial.
        target: where it is: axis to coordinate, and ``hz``.
        prediction: likewise.
        sounds: ``target``, ``prediction``, and the columns of the moved predictions, as MP3.
    """

    choice: Choice
    target: Mapping[str, float]
    prediction: Mapping[str, float]
    sounds: Mapping[str, bytes]


def choose(publication: Publication) -> list[Choice]:
    """The trials to be heard, task by task of the main board."""
    if not publication.boards:
        return []
    board = publication.boards[0]
    found: list[Choice] = []
    for task in board.tasks:
        records = _answered(board, task)
        if records:
            usual = max(records, key=lambda one: (one.task.params.get("duration") == board.duration, one.key))
            tables = [publication.collection.trials(one).sort("trial").head(BLOCK) for one in records]
            found.append(Choice(usual, _most_contested(tables)))
    return found


def _answered(board: Board, task: str) -> list[Record]:
    return [one for one in board.records if one.task.name == task and one.status == "ok"]


def _most_contested(tables: Sequence[pl.DataFrame]) -> int:
    """The trial with the largest variance of right and wrong over the distances, summed over the columns."""
    trials = min(table.height for table in tables)
    columns = set[str]().union(*(table.columns for table in tables)) - {"trial"}
    disagreement = np.zeros(trials)
    for column in sorted(columns):
        right = np.stack([table[column].to_numpy()[:trials] > 0 for table in tables if column in table.columns])
        share = right.mean(0)
        disagreement += share * (1 - share)
    return int(disagreement.argmax())


def listening_data(publication: Publication, heard: Sequence[HeardTrial], numbers: Numbers) -> list[dict[str, Any]]:
    """Trial by trial: where target and prediction are, the sounds, and each distance's margins by column.

    A margin above 0 says that the moved prediction is further from the target, which is right.
    """
    return [
        {
            "task": one.choice.record.task.name,
            "trial": one.choice.trial,
            "target": dict(one.target),
            "prediction": dict(one.prediction),
            "sounds": {name: data_uri(sound) for name, sound in one.sounds.items()},
            "verdicts": _verdicts(publication, one.choice, numbers),
        }
        for one in heard
    ]


def _verdicts(publication: Publication, choice: Choice, numbers: Numbers) -> list[dict[str, Any]]:
    board, best_first = publication.boards[0], [one.distance for one in publication.standings[0]]
    records = {one.distance.name: one for one in _answered(board, choice.record.task.name)}
    found: list[dict[str, Any]] = []
    for name in best_first:
        if name not in records:
            continue
        row = publication.collection.trials(records[name]).filter(pl.col("trial") == choice.trial)
        if row.height == 1:
            margins = {column: float(f"{row[column][0]:.3g}") for column in sorted(row.columns[1:], key=column_order)}
            found.append({"distance": name, "margins": margins, "record": numbers[records[name].key]})
    return found
