"""Does sign accuracy foretell descent? The rank correlation of the two, over distances.

Spearman's ρ between a distance's sign accuracy (in one column, or the mean over all) and the share of trials in which
its descent reaches the target. Its interval is a bootstrap over the trials of both, drawn with replacement, the same
draw for all distances: it says how far ρ is known *for these distances*, not for others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from .bootstrap import REPLICATES, percentile_interval, resampling_weights
from .record import Record

MEAN = "mean"
"""The name of the mean over all columns, beside the columns' own."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """Spearman's ρ between one kind of sign accuracy and the share of descents that reach the target.

    Attributes:
        column: of the sign accuracy, or ``mean``.
        value: ρ; None if all distances are equal in one of the two.
        low: lower end of the 95 % bootstrap interval; None if no replicate has a ρ.
        high: upper end.
    """

    column: str
    value: float | None
    low: float | None
    high: float | None


def spearman(ours: _Floats, theirs: _Floats) -> float | None:
    """Spearman's ρ, ties sharing their mean rank; None if all values of one side are equal.

    Raises:
        ValueError: if the two differ in length.

    Example:
        >>> spearman(np.array([0.1, 0.2, 0.9]), np.array([3.0, 5.0, 4.0]))
        0.5
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"needs as many values on both sides, got {ours.shape} and {theirs.shape}")
    first, second = (rankdata(values) - (values.size + 1) / 2 for values in (ours, theirs))
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else None


def matching_rankings(rankings: Sequence[Record], descents: Sequence[Record]) -> list[tuple[Record, Record]]:
    """For each descent that has an answer, the ranking of the same distance, task and seed, if there is one.

    Among several it is the one whose signals are as long, then the one with the most trials.
    """
    pairs: list[tuple[Record, Record]] = []
    for descent in descents:
        same = [
            ranking
            for ranking in rankings
            if ranking.kind == "ranking"
            and ranking.status == descent.status == "ok"
            and (ranking.distance.name, ranking.distance.params) == (descent.distance.name, descent.distance.params)
            and (ranking.task.name, ranking.task.version) == (descent.task.name, descent.task.version)
            and ranking.seed == descent.seed
        ]
        if same:
            duration = descent.task.params.get("duration")
            best = max(same, key=lambda one: (one.task.params.get("duration") == duration, one.trials or 0, one.key))
            pairs.append((best, descent))
    return pairs


def correlations(
    pairs: Sequence[tuple[Record, Record]],
    outcomes: Callable[[Record], pl.DataFrame],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> list[Correlation]:
    """The correlations over some distances: of the mean over all columns, then of each column.

    Args:
        pairs: a record of kind ``ranking`` and one of kind ``descent`` for each distance, all of one task and seed.
        outcomes: the trials of a record, as :meth:`~tonedeaf.results.store.RecordStore.trials`.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: if there are fewer than three distances, for two are always in order or out of it.
    """
    if len(pairs) < 3:
        raise ValueError(f"a rank correlation needs at least 3 distances, got {len(pairs)}")
    columns = sorted(
        (name for name in pairs[0][0].metrics if all(name in ranking.metrics for ranking, _ in pairs)),
        key=lambda name: (not name.startswith("pitch_"), not name.endswith("_analytic"), len(name), name),
    )
    generator = np.random.default_rng(seed)
    weights: dict[tuple[str, int], _Floats] = {}

    def resampled(kind: str, values: _Floats) -> _Floats:
        """Means ``(1 + replicates, …)``: of the trials as they were, then of the replicates."""
        trials = len(values)
        if (kind, trials) not in weights:  # one draw for all distances
            weights[kind, trials] = np.vstack(
                [np.full(trials, 1 / trials), resampling_weights(trials, replicates, generator)]
            )
        return weights[kind, trials] @ values

    accuracy, success = list[_Floats](), list[_Floats]()
    for ranking, descent in pairs:
        right = (outcomes(ranking).select(columns).to_numpy() > 0).astype(np.float64)
        accuracy.append(resampled("ranking", right))
        reached = (outcomes(descent)["end"] == "reached").cast(pl.Float64).to_numpy()
        success.append(resampled("descent", reached))
    of_columns, reached_share = np.stack(accuracy, axis=1), np.stack(success, axis=1)
    found = [_correlation(MEAN, of_columns.mean(2), reached_share)]
    found.extend(_correlation(name, of_columns[:, :, i], reached_share) for i, name in enumerate(columns))
    return found


def _correlation(column: str, accuracy: _Floats, success: _Floats) -> Correlation:
    """Of ``(1 + replicates, distances)``; a replicate in which all distances are equal has no ρ, and is left out."""
    # shares that are equal but for rounding are equal
    values = [spearman(ours.round(9), theirs.round(9)) for ours, theirs in zip(accuracy, success, strict=True)]
    replicates = np.array([value for value in values[1:] if value is not None])
    low, high = percentile_interval(replicates) if replicates.size else (None, None)
    return Correlation(column, values[0], low, high)
