"""What is published: boards and their standings, minima, descents, landscapes and training, from one collection.

Everything that a page, a figure or the report shows is taken from here, so that they show the same records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from .boards import Board, boards, given_longer
from .collection import Collection, SetAside, name_of, newest
from .descent_correlation import Correlation, correlations, matching_rankings
from .landscape import Landscape, read_landscape
from .leaderboard import Standing, leaderboard
from .ranking_and_training import variants
from .record import Record
from .studies import Study, studies
from .table1 import ROWS, Table1, table1_from_records

LANDSCAPES = ("curve", "map", "field")


@dataclass(frozen=True)
class Mode:
    """Settings of Table 1: parameters of the task, and of the distances that have them."""

    task: Mapping[str, Any]
    distance: Mapping[str, Any]


@dataclass(frozen=True)
class Conventions:
    """What the records do not say.

    Attributes:
        tasks: names of the tasks, in the order in which they are shown.
        paper: the paper's mode of Table 1.
        house: the house mode of Table 1.
        ablation: the distances of the ablation, in order.
        sensitivity: those of the sensitivity to settings, in order.
        not_here: distances that cannot run where this is published, and why.
        sources: distance to where it comes from.
    """

    tasks: tuple[str, ...]
    paper: Mode
    house: Mode
    ablation: tuple[str, ...] = ()
    sensitivity: tuple[str, ...] = ()
    not_here: Mapping[str, str] = field(default_factory=dict[str, str])
    sources: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Publication:
    """A collection, and everything that is derived from it, each computed when it is first asked for."""

    collection: Collection
    conventions: Conventions

    @cached_property
    def _boards(self) -> tuple[list[Board], list[SetAside]]:
        of_kind = self.collection.of_kind
        return boards(of_kind("ranking"), of_kind("cost"), self.conventions.tasks)

    @property
    def boards(self) -> list[Board]:
        """Of the rankings: the main one first; empty without rankings."""
        return self._boards[0]

    @cached_property
    def standings(self) -> list[list[Standing]]:
        """Of each board, best first."""
        return [leaderboard(board.records, self.collection.trials, costs=board.costs) for board in self.boards]

    def ranking_of(self, study: Study) -> tuple[Board, list[Standing]] | None:
        """The board that has most of a study's losses with every cell, and its standings; of equals the first."""
        trained = {arm.arm.loss for arm in study.arms}

        def shared(pair: tuple[Board, list[Standing]]) -> int:
            return sum(standing.complete and standing.distance in trained for standing in pair[1])

        return max(zip(self.boards, self.standings, strict=True), key=shared, default=None)

    @cached_property
    def ablations(self) -> list[Board]:
        """The boards that have nothing but distances of the ablation (more than two), those with most of them first."""
        names = {id(board): {record.distance.name for record in board.records} for board in self.boards}
        found = [
            one for one in self.boards if len(names[id(one)]) > 2 and names[id(one)] <= {*self.conventions.ablation}
        ]
        return sorted(found, key=lambda board: -len(names[id(board)]))

    @cached_property
    def sensitivity(self) -> Board | None:
        """The board that has most of the distances of the sensitivity to settings, if it has most of them."""
        wanted = set(self.conventions.sensitivity)

        def count(board: Board) -> int:
            return len(wanted & {record.distance.name for record in board.records})

        best = max(self.boards, key=count, default=None)
        return best if best is not None and 2 * count(best) > len(wanted) > 0 else None

    @cached_property
    def _minima(self) -> tuple[list[Board], list[SetAside]]:
        return boards(self.collection.of_kind("minimum"), (), self.conventions.tasks)

    @property
    def minima(self) -> Board | None:
        """Records of kind ``minimum`` that can be compared: those on most tasks; None without any."""
        return next(iter(self._minima[0]), None)

    @property
    def other_minima(self) -> list[Board]:
        """Those at other sample rates and durations, or of other trials."""
        return self._minima[0][1:]

    @cached_property
    def _descents(self) -> tuple[list[Board], list[SetAside]]:
        return boards(self.collection.of_kind("descent"), (), self.conventions.tasks)

    @property
    def descents(self) -> Board | None:
        """Records of kind ``descent`` that can be compared: those of most distances; None without any."""
        return max(self._descents[0], key=lambda board: len({one.distance.name for one in board.records}), default=None)

    @property
    def other_descents(self) -> list[Board]:
        """Those that are not among them, such as one distance on the whole ladder."""
        return [board for board in self._descents[0] if board is not self.descents]

    @cached_property
    def correlations(self) -> dict[str, tuple[int, list[Correlation]]]:
        """Of sign accuracy and descent: task to the number of distances (3 or more) and what was found.

        All rankings of a task have the same number of trials: the one for which there are the most. Variants of a
        distance that is there are no distances more, and those that were given longer signals had other trials.
        """
        counted = {task: _comparable(pairs) for task, pairs in self.ranked_descents.items()}
        return {
            task: (len(pairs), correlations(pairs, self.collection.trials))
            for task, pairs in counted.items()
            if len(pairs) >= 3
        }

    @cached_property
    def ranked_descents(self) -> dict[str, list[tuple[Record, Record]]]:
        """Task to rankings and descents of the same distances; of signals as long, where there are such rankings."""
        found: dict[str, list[tuple[Record, Record]]] = {}
        rankings = self.collection.of_kind("ranking")
        records = () if self.descents is None else self.descents.records
        for task in dict.fromkeys(record.task.name for record in records):
            descents = [record for record in records if record.task.name == task]
            by_trials = [
                matching_rankings([one for one in rankings if one.trials == trials], descents)
                for trials in sorted({one.trials or 0 for one in rankings})
            ]
            found[task] = max(by_trials, key=len, default=[])
        return found

    def signs_beside_descents(self, task: str) -> dict[str, Record]:
        """Distance to its ranking on a task: as :attr:`ranked_descents`, or else with as many trials as there are."""
        records = () if self.descents is None else self.descents.records
        descents = [record for record in records if record.task.name == task]
        pairs = [*matching_rankings(self.collection.of_kind("ranking"), descents), *self.ranked_descents[task]]
        return {ranking.distance.name: ranking for ranking, _ in pairs}

    @cached_property
    def _landscapes(self) -> tuple[dict[tuple[str, str], list[Landscape]], list[SetAside]]:
        found: dict[tuple[str, str], list[Landscape]] = {}
        aside: list[SetAside] = []
        answered = [one for one in self.collection.of_kind(*LANDSCAPES) if one.status == "ok"]
        for kind, task in dict.fromkeys((one.kind, one.task.name) for one in answered):
            own = [one for one in answered if (one.kind, one.task.name) == (kind, task)]
            ground = [_ground(one) for one in own]
            usual = max(ground, key=lambda each: (ground.count(each), each))
            alike = [one for one, its in zip(own, ground, strict=True) if its == usual]
            kept, earlier = newest(alike, lambda one: one.distance.name)
            reason = "another version, seed or other targets than most landscapes of its task"
            others = [SetAside(name_of(one), reason) for one in own if one not in alike]
            aside.extend([*earlier, *others])
            found[kind, task] = [self._landscape(one) for one in kept]
        return found, aside

    def _landscape(self, record: Record) -> Landscape:
        return read_landscape(self.collection, record)

    def paths(self, maps: Sequence[Landscape]) -> dict[str, pl.DataFrame]:
        """Distance to the descents that can be drawn over its map: to the same targets, of the same signals."""
        found: dict[str, pl.DataFrame] = {}
        for record in self.collection.of_kind("paths"):
            theirs = record.task
            for ours in (one.record for one in maps if one.name == record.distance.name):
                alike = all(
                    ours.task.params.get(name) == theirs.params.get(name)
                    for name in ("targets", "sample_rate", "duration")
                )
                same = (ours.task.name, ours.task.version, ours.seed) == (theirs.name, theirs.version, record.seed)
                if alike and same and record.status == "ok":
                    found[record.distance.name] = self.collection.trials(record)
        return found

    def landscapes(self, kind: str) -> dict[str, list[Landscape]]:
        """Task to the landscapes of a kind that can stand in one figure."""
        return {task: several for (own, task), several in self._landscapes[0].items() if own == kind}

    @cached_property
    def _studies(self) -> tuple[list[Study], list[SetAside]]:
        return studies(self.collection.records)

    @property
    def studies(self) -> list[Study]:
        """Of training, the largest first."""
        return self._studies[0]

    @cached_property
    def table1(self) -> Table1 | None:
        """Table 1; None if no record of it is there."""
        paper, house = (
            _table1_records(self.collection.of_kind("ranking"), mode)
            for mode in (self.conventions.paper, self.conventions.house)
        )
        return table1_from_records(paper, house) if paper or house else None

    @cached_property
    def set_aside(self) -> list[SetAside]:
        """Everything that was read and is not shown in its place, and why."""
        parts = (self._boards, self._minima, self._descents, self._landscapes, self._studies)
        return list(dict.fromkeys([*self.collection.set_aside, *(one for part in parts for one in part[1])]))


def _ground(record: Record) -> tuple[int, int, str]:
    return record.task.version, -record.seed, repr(record.task.params.get("targets"))


def _table1_records(rankings: Sequence[Record], mode: Mode) -> list[Record]:
    """Of each row, the answer with the most trials in a mode; then of the lowest seed, then the latest."""
    best: dict[str, Record] = {}
    for record in rankings:
        params = {**record.distance.params, **record.task.params}
        asked = {**mode.task, **{name: value for name, value in mode.distance.items() if name in params}}
        if record.task.name != "sines" or record.distance.name not in ROWS or not asked.items() <= params.items():
            continue
        present = best.get(record.distance.name)
        if present is None or _preference(record) > _preference(present):
            best[record.distance.name] = record
    return list(best.values())


def _preference(record: Record) -> tuple[bool, int, int, int, float]:
    return (
        record.status == "ok",
        record.task.version,
        record.trials or 0,
        -record.seed,
        record.started.timestamp(),
    )


def _comparable(pairs: Sequence[tuple[Record, Record]]) -> list[tuple[Record, Record]]:
    """Those of distances that are no variants of others, and had the trials that the others had."""
    left_out = variants({ranking.distance.name for ranking, _ in pairs})
    left_out |= given_longer(ranking for ranking, _ in pairs) | given_longer(descent for _, descent in pairs)
    return [pair for pair in pairs if pair[0].distance.name not in left_out]
