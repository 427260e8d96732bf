"""Boards: which records of rankings stand in one leaderboard.

Distances are compared on the same trials: those of one seed, sample rate, duration and way to draw phases. Trial ``i``
is the same however many there are, so a slow distance may have been asked fewer of them; a row then says its own ``n``.
Records of different versions of a task are never mixed: the newest version is shown, older ones are set aside by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .canonical import canonical_json
from .collection import SetAside, name_of, newest
from .record import Record

_NOT_OF_THE_TASK = {"duration", "sample_rate", "perturbed_phase"}
"""Parameters by which records of one task may differ (a distance may need longer signals), or that divide boards."""

_Value = TypeVar("_Value", int, float, bytes)


@dataclass(frozen=True)
class Board:
    """Rankings that can be compared.

    Attributes:
        seed: of the trials.
        sample_rate: of the signals, in Hz.
        phases: ``shared`` or ``new``: which phases a perturbed prediction has.
        trials: how many most of the records have.
        duration: the usual one, in seconds.
        records: one for each distance and task.
        costs: records of kind ``cost``, one a distance.
    """

    seed: int
    sample_rate: float
    phases: str
    trials: int
    duration: float
    records: tuple[Record, ...]
    costs: tuple[Record, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of the records."""
        return tuple(dict.fromkeys(record.task.name for record in self.records))

    @property
    def title(self) -> str:
        """Its settings, in one line; n: of the distances that have answered every task."""
        answered = Counter(one.distance.name for one in self.records if one.status == "ok")
        whole = [one for one in self.records if answered[one.distance.name] == len(self.tasks)]
        return self._titled(whole or self.records)

    @property
    def title_of_all(self) -> str:
        """The same; n: of all records."""
        return self._titled(self.records)

    def _titled(self, records: Sequence[Record]) -> str:
        phases = "" if self.phases == "shared" else f", {self.phases} phases"
        n = trials_text(records) or self.trials
        return f"{self.sample_rate / 1000:g} kHz, {self.duration:g} s, seed {self.seed}, n = {n}{phases}"

    def of_distance(self, name: str) -> list[Record]:
        """The records of one distance."""
        return [record for record in self.records if record.distance.name == name]


def trials_text(records: Iterable[Record]) -> str:
    """How many trials records have: ``400``, or ``100 to 1000``; empty if none is ok."""
    counts = sorted({one.trials for one in records if one.status == "ok" and one.trials})
    return " to ".join(f"{count}" for count in dict.fromkeys((*counts[:1], *counts[-1:])))


def boards(
    rankings: Sequence[Record], costs: Sequence[Record] = (), tasks: Sequence[str] = ()
) -> tuple[list[Board], list[SetAside]]:
    """The boards of some rankings: more tasks first, then more trials, then more records.

    Args:
        rankings: records of kind ``ranking``.
        costs: records of kind ``cost``.
        tasks: names of tasks in the order in which they are shown; others follow, by name.

    Returns:
        The boards, and by name what stands on none: older versions of a task, other parameters of it, and earlier
        answers.
    """
    aside: list[SetAside] = []
    current = _of_the_newest_version(rankings, aside)
    groups: dict[tuple[int, float, str], list[Record]] = {}
    for record in current:
        groups.setdefault(_group(record), []).append(record)
    alike = [(group, records) for group, all_of_it in groups.items() for records in _by_duration(all_of_it)]
    order = {name: place for place, name in enumerate(tasks)}
    found = [_board(group, records, costs, order, aside) for group, records in alike]
    found.sort(
        key=lambda one: (
            *(-len(one.tasks), -one.trials, -len(one.records)),
            *(one.seed, one.sample_rate, one.duration, one.phases),
        )
    )
    return found, aside


def _group(record: Record) -> tuple[int, float, str]:
    params = record.task.params
    return record.seed, float(params.get("sample_rate", 0.0)), str(params.get("perturbed_phase", "shared"))


def _by_duration(records: Sequence[Record]) -> list[list[Record]]:
    """Records of one group, apart by the signals' duration, the commonest first.

    Some distances need longer signals than the others are asked with: those that were not asked with the commonest
    duration stand there with their own. They stand with their own duration alone if others were asked with it, too.
    """
    apart: dict[float, list[Record]] = {}
    for record in records:
        apart.setdefault(_duration(record), []).append(record)
    first, *others = sorted(apart, key=lambda seconds: (len(apart[seconds]), seconds), reverse=True)
    found, there = [list(apart[first])], {record.distance.name for record in apart[first]}
    for seconds in others:
        absent = [record for record in apart[seconds] if record.distance.name not in there]
        found[0].extend(absent)
        if len(absent) < len(apart[seconds]):
            found.append(apart[seconds])
    return found


def _duration(record: Record) -> float:
    return float(record.task.params.get("duration", 0.0))


def given_longer(records: Iterable[Record]) -> set[str]:
    """Distances that a task gave longer signals than another distance, as they need them: they had other trials."""
    found = list(records)
    usual: dict[str, float] = {}
    for record in found:
        usual[record.task.name] = min(_duration(record), usual.get(record.task.name, _duration(record)))
    return {record.distance.name for record in found if _duration(record) > usual[record.task.name]}


def _of_the_newest_version(records: Sequence[Record], aside: list[SetAside]) -> list[Record]:
    latest: dict[str, int] = {}
    for record in records:
        latest[record.task.name] = max(record.task.version, latest.get(record.task.name, 0))
    kept: list[Record] = []
    for record in records:
        newer = latest[record.task.name]
        if record.task.version == newer:
            kept.append(record)
        else:
            reason = f"version {record.task.version} of the task; version {newer} is published"
            aside.append(SetAside(name_of(record), reason))
    return kept


def _board(
    group: tuple[int, float, str],
    records: Sequence[Record],
    costs: Sequence[Record],
    order: dict[str, int],
    aside: list[SetAside],
) -> Board:
    alike = _of_the_usual_parameters(records, aside)
    trials = _most_common([record.trials or 0 for record in alike])
    # A distance may have been asked of one task more than once; the usual number of trials is comparable with others'.
    usual: dict[tuple[str, str], int] = {}
    for record in alike:
        cell = (record.distance.name, record.task.name)
        usual[cell] = max(usual.get(cell, 0), record.trials or 0, key=lambda n: (n == trials, n))
    comparable = [one for one in alike if one.trials == usual[one.distance.name, one.task.name]]
    kept, others = newest(comparable, lambda one: (one.distance.name, one.task.name))
    aside.extend(others)
    kept.sort(key=lambda one: (order.get(one.task.name, len(order)), one.task.name, one.distance.name))
    seed, sample_rate, phases = group
    duration = _most_common([_duration(one) for one in kept])
    return Board(seed, sample_rate, phases, trials, duration, tuple(kept), _costs(costs, sample_rate, kept))


def _of_the_usual_parameters(records: Sequence[Record], aside: list[SetAside]) -> list[Record]:
    """Of each task, the records with the parameters that most of its records have."""
    variant = {
        record.key: canonical_json(
            {name: value for name, value in record.task.params.items() if name not in _NOT_OF_THE_TASK}
        )
        for record in records
    }
    usual = {
        task: _most_common([variant[record.key] for record in records if record.task.name == task])
        for task in {record.task.name for record in records}
    }
    kept: list[Record] = []
    for record in records:
        if variant[record.key] == usual[record.task.name]:
            kept.append(record)
        else:
            aside.append(SetAside(name_of(record), "other parameters of the task than most records have"))
    return kept


def _most_common(values: Sequence[_Value]) -> _Value:
    """The value that occurs most often; among equals the largest."""
    counted = Counter(values)
    return max(counted, key=lambda value: (counted[value], value))


def _costs(costs: Sequence[Record], sample_rate: float, records: Sequence[Record]) -> tuple[Record, ...]:
    """One cost for each distance, measured at the sample rate and duration that it was asked with."""
    asked_with = {(record.distance.name, sample_rate, _duration(record)) for record in records}
    best: dict[str, Record] = {}
    for cost in costs:
        if (cost.distance.name, cost.task.params.get("sample_rate"), _duration(cost)) in asked_with:
            present = best.get(cost.distance.name)
            if present is None or _fit(cost) > _fit(present):
                best[cost.distance.name] = cost
    return tuple(best[name] for name in sorted(best))


def _fit(cost: Record) -> tuple[bool, float, str]:
    return cost.status == "ok", cost.started.timestamp(), cost.key
