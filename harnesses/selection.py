"""Which distances deserve a training run: the first K of a leaderboard, by a named criterion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..losses.plugins import unknown
from ..results.leaderboard import Standing, leaderboard
from ..results.record import Record
from ..results.store import RecordStore

CRITERIA: Mapping[str, Callable[[Standing], float]] = {
    "minimum": lambda standing: standing.minimum,
    "mean": lambda standing: standing.mean,
    "pitch_minimum": lambda standing: standing.pitch_minimum,
}
"""Name to what is compared: the worst cell, the mean over the cells, the worst cell of pitch; more is better."""


def criterion(name: str) -> Callable[[Standing], float]:
    """The criterion of a name.

    Raises:
        ValueError: if there is none; it says which are near.
    """
    if name not in CRITERIA:
        raise unknown("criterion", name, CRITERIA)
    return CRITERIA[name]


def standings(
    store: RecordStore, rankings: Sequence[Record], costs: Sequence[Record] = (), *, by: str = "minimum"
) -> list[Standing]:
    """The leaderboard of some records, in the order of a criterion.

    Args:
        store: where the outcomes of their trials are.
        rankings: records of kind ``ranking``.
        costs: records of kind ``cost``.
        by: name of the criterion.

    Raises:
        ValueError: if the criterion is unknown, or a distance has two records of one task.
    """
    return leaderboard(rankings, store.trials, costs=costs, by=criterion(by))


def top(among: Sequence[Standing], count: int, *, by: str = "minimum") -> tuple[str, ...]:
    """The names of the best distances, best first; among equals the mean decides, then the name.

    Only distances that have every cell can be picked: one without analytic columns cannot be trained with.

    Args:
        among: standings.
        count: how many.
        by: name of the criterion.

    Raises:
        ValueError: if the criterion is unknown, or there are not so many complete distances.
    """
    return _ordered(among, count, by, "top")[:count]


def bottom(among: Sequence[Standing], count: int, *, by: str = "minimum") -> tuple[str, ...]:
    """The names of the worst distances, worst first; see :func:`top`."""
    return _ordered(among, count, by, "bottom")[::-1][:count]


def _ordered(among: Sequence[Standing], count: int, by: str, which: str) -> tuple[str, ...]:
    value = criterion(by)
    complete = [standing for standing in among if standing.complete]
    if not 1 <= count <= len(complete):
        raise ValueError(f"{which} must be 1 to {len(complete)}, the number of distances with every cell, got {count}")
    ordered = sorted(complete, key=lambda standing: (-value(standing), -standing.mean, standing.distance))
    return tuple(standing.distance for standing in ordered)
