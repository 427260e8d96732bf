"""How much would a figure differ, had other songs been judged and other seeds been trained?

A seed's model is judged on songs. Seeds and songs are drawn with replacement: the songs of each seed apart if every
seed has songs of its own (a hierarchical bootstrap), and together if all are judged by the same songs, for what is hard
in a song is hard for every model (a crossed, or pigeonhole, bootstrap). Two losses are compared with the same draws.

Few seeds, or songs, understate how much they differ: of three seeds the lowest is drawn three times in one replicate of
27, so that where songs hardly matter a 95 % interval reaches from the lowest to the highest seed, and covers in 75 % of
cases. Where songs and seeds interact, the pigeonhole bootstrap overstates. The t-interval over seeds
(:mod:`.seed_intervals`) does neither, but takes the songs as they are: both are needed.

Source: Davison & Hinkley, Bootstrap Methods and their Application (1997), Section 3.8; Owen, The pigeonhole bootstrap,
Annals of Applied Statistics 1 (2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import REPLICATES, percentile_interval
from .record import Record


@dataclass(frozen=True, eq=False)
class Parts:
    """A figure of one loss, in parts.

    Attributes:
        sums: of each seed and song: ``(seeds, songs)``.
        weights: what they are to be divided by, after they have been added up; likewise.
        crossed: whether all seeds were judged by the same songs.
    """

    sums: NDArray[np.float64]
    weights: NDArray[np.float64]
    crossed: bool


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def parts_of(runs: Mapping[int, Record], seeds: Sequence[int], metric: str) -> Parts | None:
    """The parts of a figure, from the evaluations of one arm.

    Args:
        runs: seed to evaluation.
        seeds: which to take, in this order.
        metric: which figure; a mean or a ratio over songs.

    Returns:
        None if a seed has no evaluation, or one whose figure is not known song by song; or if the numbers of songs
        differ.
    """
    rows: list[Any] = []
    for seed in seeds:
        found: Any = runs[seed].metrics.get(metric) if seed in runs else None
        rows.append(found.get("of_songs") if isinstance(found, Mapping) else None)
    if not rows or any(row is None or len(row) != len(rows[0]) for row in rows):
        return None
    parts = np.array(rows, dtype=np.float64)
    crossed = {runs[seed].task.params.get("split") for seed in seeds} == {"all"}
    return Parts(parts[..., 0], parts[..., 1], crossed)


def of_seeds(parts: Parts) -> dict[int, float]:
    """The value of each seed, by its place; one in which nothing was measured is left out."""
    sums, weights = parts.sums.sum(axis=1), parts.weights.sum(axis=1)
    return {place: float(sums[place] / weights[place]) for place in range(len(sums)) if weights[place] > 0}


def interval(ours: Parts, theirs: Parts | None = None, *, seed: int = 0) -> Interval | None:
    """The mean over seeds, or of two losses the mean difference, with its interval.

    A seed's value is the ratio of its sums' and its weights' totals. In a replicate a seed that has nothing left to
    measure does not count.

    Args:
        ours: of one loss.
        theirs: of the one that is taken off; of the same seeds and songs.
        seed: of the draws.

    Returns:
        None if nothing was measured with some seed.

    Raises:
        ValueError: if two losses have other seeds or songs.
    """
    if theirs is not None and (ours.sums.shape, ours.crossed) != (theirs.sums.shape, theirs.crossed):
        shapes = f"{ours.sums.shape} and {theirs.sums.shape}, crossed {ours.crossed} and {theirs.crossed}"
        raise ValueError(f"losses are compared on the same songs, got {shapes}")
    both = (ours,) if theirs is None else (ours, theirs)
    if any((one.weights.sum(axis=1) == 0).any() for one in both):
        return None
    seeds, songs = ours.sums.shape
    generator = np.random.default_rng(seed)
    drawn_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=REPLICATES)
    # Songs of its own a seed draws anew each time that it is drawn; the songs of all seeds are drawn once.
    times = np.ones((REPLICATES, 1), dtype=np.int64) if ours.crossed else drawn_seeds
    drawn = generator.multinomial(times * songs, np.full(songs, 1 / songs))
    drawn = np.broadcast_to(drawn, (REPLICATES, seeds, songs))
    value = float(np.mean(_of_seeds(both, np.ones((1, seeds, songs)))))
    replicates = _of_seeds(both, drawn)
    known = np.isfinite(replicates)
    counts = np.where(known, drawn_seeds, 0)
    total = counts.sum(axis=1)
    means = (np.where(known, replicates, 0.0) * counts).sum(axis=1)[total > 0] / total[total > 0]
    return Interval(value, *percentile_interval(means))


def _of_seeds(both: Sequence[Parts], drawn: NDArray[Any]) -> NDArray[np.float64]:
    """Each seed's value, or difference, when each song counts as often as it was drawn: ``(replicates, seeds)``."""
    values: list[NDArray[np.float64]] = []
    for one in both:
        sums, weights = ((drawn * each).sum(axis=2) for each in (one.sums, one.weights))
        values.append(np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0))
    return values[0] if len(values) == 1 else values[0] - values[1]
