"""The leaderboard: distances over several tasks, by their worst cell and by their mean.

A **cell** is the sign accuracy in one column of one task. A distance is complete if it has every cell that any of them
has; one that is not (it could not be asked, failed, or has no gradient) stands below all that are. Each complete
distance is compared with the next one below it, its runner-up, on the same trials.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .boards import given_longer
from .bootstrap import REPLICATES, percentile_interval, resampling_weights
from .intervals import Proportion
from .record import Record

CellName = tuple[str, str]
"""Task and column."""


@dataclass(frozen=True)
class Difference:
    """A difference, and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Lead:
    """By how much a distance is ahead of its runner-up, in the worst cell and in the mean over the cells."""

    runner_up: str
    minimum: Difference
    mean: Difference


@dataclass(frozen=True)
class Cost:
    """What a distance costs for each pair of signals: milliseconds forward and backward, MiB kept for backward.

    ``backward_ms`` and ``kept_mib`` are None for a distance that has no gradient.
    """

    forward_ms: float
    backward_ms: float | None
    kept_mib: float | None


@dataclass(frozen=True)
class Standing:
    """A distance on the leaderboard.

    Attributes:
        distance: its name.
        cells: its sign accuracies.
        missing: how many cells others have, and it has not.
        longer: whether a task gave it longer signals than another distance.
        intervals: 95 % Wilson interval of each cell.
        mean_interval: 95 % bootstrap interval of its mean over the cells; None without cells.
        lead: over the next one; None for the last, and where the two were not asked the same trials.
        cost: if it was measured.
        proportions: each cell with its trials and ties.
    """

    distance: str
    cells: Mapping[CellName, float]
    missing: int
    longer: bool
    intervals: Mapping[CellName, tuple[float, float]] = field(default_factory=dict[CellName, tuple[float, float]])
    mean_interval: tuple[float, float] | None = None
    lead: Lead | None = None
    cost: Cost | None = None
    proportions: Mapping[CellName, Proportion] = field(default_factory=dict[CellName, Proportion])

    @property
    def complete(self) -> bool:
        """Whether it has every cell, and any."""
        return not self.missing and bool(self.cells)

    @property
    def minimum(self) -> float:
        """The worst cell; 0 without cells."""
        return min(self.cells.values(), default=0.0)

    @property
    def mean(self) -> float:
        """Over the cells; 0 without cells."""
        return sum(self.cells.values()) / len(self.cells) if self.cells else 0.0

    @property
    def pitch_minimum(self) -> float:
        """The worst cell in a column of pitch; 0 without such cells."""
        return min((value for (_, column), value in self.cells.items() if column.startswith("pitch_")), default=0.0)

    @property
    def worst(self) -> CellName | None:
        """Which cell is the worst."""
        return min(self.cells, key=lambda cell: self.cells[cell], default=None)


def leaderboard(
    rankings: Sequence[Record],
    outcomes: Callable[[Record], pl.DataFrame],
    *,
    costs: Sequence[Record] = (),
    by: Callable[[Standing], float] = lambda standing: standing.minimum,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> list[Standing]:
    """The standings, best first.

    Args:
        rankings: records of kind ``ranking``, of one seed: one for each distance and task.
        outcomes: the trials of a record, as :meth:`~tonedeaf.results.store.RecordStore.trials`.
        costs: records of kind ``cost``.
        by: what decides the order; among equals the mean does, then the name.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: if a distance has two records of one task.
    """
    by_distance: dict[str, dict[str, Record]] = {}
    for record in rankings:
        tasks = by_distance.setdefault(record.distance.name, {})
        if record.task.name in tasks:
            raise ValueError(f"{record.distance.name} has two records of {record.task.name}: not one leaderboard")
        tasks[record.task.name] = record
    cells = {name: _cells(tasks.values()) for name, tasks in by_distance.items()}
    everything = {cell for own in cells.values() for cell in own}
    tasks_in_order = tuple(dict.fromkeys(record.task.name for record in rankings))
    longer = given_longer(rankings)
    cost_of = {record.distance.name: _cost(record) for record in costs if record.status == "ok"}
    draws = _Draws(tasks_in_order, outcomes, replicates, seed)
    standings = [
        Standing(
            distance=name,
            cells={cell: proportion.value for cell, proportion in own.items()},
            intervals={cell: (proportion.low, proportion.high) for cell, proportion in own.items()},
            proportions=own,
            missing=len(everything - own.keys()),
            longer=name in longer,
            mean_interval=draws.mean_interval(by_distance[name]),
            cost=cost_of.get(name),
        )
        for name, own in cells.items()
    ]
    standings.sort(key=lambda one: (one.missing, -by(one), -one.mean, one.distance))
    for place, (ours, theirs) in enumerate(pairwise(list(standings))):
        if ours.complete and theirs.complete:
            lead = draws.lead(theirs.distance, by_distance[ours.distance], by_distance[theirs.distance])
            standings[place] = replace(ours, lead=lead)
    return standings


def _cells(records: Iterable[Record]) -> dict[CellName, Proportion]:
    return {
        (record.task.name, column): Proportion.from_metric(metric)
        for record in records
        if record.status == "ok"
        for column, metric in record.metrics.items()
    }


def _cost(record: Record) -> Cost:
    metrics = record.metrics
    return Cost(metrics["forward_ms"], metrics["backward_ms"], metrics["kept_mib"])


class _Draws:
    """Bootstrap over the trials of each task; distances that were asked the same trials get the same draws.

    Each task has draws of its own, that do not depend on which others there are, nor on the order of the records.
    """

    def __init__(
        self, tasks: Sequence[str], outcomes: Callable[[Record], pl.DataFrame], replicates: int, seed: int
    ) -> None:
        self._tasks, self._outcomes = tasks, outcomes
        self._replicates, self._seed = replicates, seed
        self._weights: dict[tuple[str, int], NDArray[np.float64]] = {}
        self._found: dict[tuple[str, ...], NDArray[np.float64]] = {}

    def _shares(self, records: Mapping[str, Record]) -> NDArray[np.float64]:
        """Sign accuracies ``(1 + replicates, cells)``: the first row is of the trials as they were."""
        keys = tuple(records[task].key for task in self._tasks if task in records)
        if keys not in self._found:
            self._found[keys] = self._drawn(records)
        return self._found[keys]

    def _drawn(self, records: Mapping[str, Record]) -> NDArray[np.float64]:
        parts: list[NDArray[np.float64]] = []
        for task in self._tasks:
            record = records.get(task)
            if record is None or record.status != "ok":
                continue
            right = (self._outcomes(record).select(sorted(record.metrics)).to_numpy() > 0).astype(np.float64)
            trials = len(right)
            if (task, trials) not in self._weights:
                generator = np.random.default_rng([self._seed, crc32(task.encode()), trials])
                drawn = resampling_weights(trials, self._replicates, generator)
                self._weights[task, trials] = np.vstack([np.full(trials, 1 / trials), drawn])
            parts.append(self._weights[task, trials] @ right)
        return np.hstack(parts) if parts else np.empty((1 + self._replicates, 0))

    def mean_interval(self, records: Mapping[str, Record]) -> tuple[float, float] | None:
        """Of the mean over the cells; None without cells."""
        shares = self._shares(records)
        return percentile_interval(shares[1:].mean(1)) if shares.size else None

    def lead(self, runner_up: str, ours: Mapping[str, Record], theirs: Mapping[str, Record]) -> Lead | None:
        """The lead over the runner-up; None unless both had the same trials."""
        if ours.keys() != theirs.keys():
            return None
        for task in ours:
            asked = [(one[task].task, one[task].seed, one[task].trials) for one in (ours, theirs)]
            if asked[0] != asked[1]:
                return None
        first, second = self._shares(ours), self._shares(theirs)
        return Lead(runner_up, _difference(first.min(1) - second.min(1)), _difference(first.mean(1) - second.mean(1)))


def _difference(values: NDArray[np.float64]) -> Difference:
    """Of the trials as they were, which come first, and of the replicates."""
    low, high = percentile_interval(values[1:])
    return Difference(float(values[0]), low, high)
