"""The leaderboard: distances over several tasks, by their worst cell and by their mean.

A **cell** is the sign accuracy in one column of one task. A distance is complete if it has every cell that any of them
has; one that is not (it could not be asked, failed, or has no gradient) stands below all that are. Each complete
distance is compared with the next one below it, its runner-up, on the same trials.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
        lead: over the next one; None for the last, and where the two were not asked the same trials.
        cost: if it was measured.
    """

    distance: str
    cells: Mapping[CellName, float]
    missing: int
    longer: bool
    lead: Lead | None = None
    cost: Cost | None = None

    @property
    def complete(self) -> bool:
        """Whether it has every cell."""
        return not self.missing

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
    usual = {
        task: min(_duration(tasks[task]) for tasks in by_distance.values() if task in tasks)
        for task in dict.fromkeys(record.task.name for record in rankings)
    }
    cost_of = {record.distance.name: _cost(record) for record in costs if record.status == "ok"}
    standings = [
        Standing(
            distance=name,
            cells=own,
            missing=len(everything - own.keys()),
            longer=any(_duration(record) > usual[task] for task, record in by_distance[name].items()),
            cost=cost_of.get(name),
        )
        for name, own in cells.items()
    ]
    standings.sort(key=lambda one: (one.missing, -by(one), -one.mean, one.distance))
    for place, (ours, theirs) in enumerate(pairwise(list(standings))):
        if ours.complete and theirs.complete:
            pairs = [(by_distance[ours.distance][task], by_distance[theirs.distance][task]) for task in usual]
            standings[place] = replace(ours, lead=_lead(theirs.distance, pairs, outcomes, replicates, seed))
    return standings


def _cells(records: Iterable[Record]) -> dict[CellName, float]:
    return {
        (record.task.name, column): Proportion.from_metric(metric).value
        for record in records
        if record.status == "ok"
        for column, metric in record.metrics.items()
    }


def _duration(record: Record) -> float:
    return float(record.task.params.get("duration", 0.0))


def _cost(record: Record) -> Cost:
    metrics = record.metrics
    return Cost(metrics["forward_ms"], metrics["backward_ms"], metrics["kept_mib"])


def _lead(
    runner_up: str,
    pairs: Sequence[tuple[Record, Record]],
    outcomes: Callable[[Record], pl.DataFrame],
    replicates: int,
    seed: int,
) -> Lead | None:
    """The lead over the runner-up, resampling the trials of each task; None unless both had the same trials."""
    generator = np.random.default_rng(seed)
    shares: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    for pair in pairs:
        asked = [(one.task, one.seed, one.trials) for one in pair]
        if asked[0] != asked[1]:
            return None
        columns = sorted(pair[0].metrics)
        right = [(outcomes(one).select(columns).to_numpy() > 0).astype(np.float64) for one in pair]
        # the first row is the trials as they were
        weights = np.vstack(
            [np.full(len(right[0]), 1 / len(right[0])), resampling_weights(len(right[0]), replicates, generator)]
        )
        for side, own in zip(shares, right, strict=True):
            side.append(weights @ own)
    ours, theirs = (np.hstack(side) for side in shares)
    return Lead(runner_up, _difference(ours.min(1) - theirs.min(1)), _difference(ours.mean(1) - theirs.mean(1)))


def _difference(values: NDArray[np.float64]) -> Difference:
    """Of the trials as they were, which come first, and of the replicates."""
    low, high = percentile_interval(values[1:])
    return Difference(float(values[0]), low, high)
