"""How much would a figure differ, had other songs been rendered and other parts of them been heard?

Frames of one song are alike and neighbouring frames nearly equal, so counting frames would promise far too much. The
bootstrap here is hierarchical: songs are drawn with replacement, then, in each song that was drawn, its segments of
5 seconds. Intervals are percentiles of the replicates.

Source: Davison & Hinkley, Bootstrap Methods and their Application (1997), Section 3.8; Saravanan, Berman & Sober,
Application of the hierarchical bootstrap to multi-level data in neuroscience (2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..results.bootstrap import REPLICATES, percentile_interval

SEGMENT_FRAMES = 500
"""Of a segment: 5 seconds, which is how far apart the paper lets the two windows of a pair be."""

_RANKS = 1000
"""Into so many classes of equal size values are sorted before their quantiles are bootstrapped."""

Metric = Mapping[str, Any]
"""What a record holds of one figure: ``{value, low, high, n, songs}``; the first three are None if ``n`` is 0.

One that is a mean or a ratio has the parts of each song, too: ``of_songs`` is a list of ``[sum, weight]``. Their ratio
is that song's value, and the ratio of their totals is ``value``; the weight of a song with nothing to measure is 0.
"""


class SongBootstrap:
    """Intervals of means, ratios and quantiles over the frames of some songs.

    Args:
        frames: of each song.
        replicates: of the bootstrap.
        seed: of the draws; all figures of one evaluation share them.

    Raises:
        ValueError: if there is no song, or one without a frame.

    Example:
        >>> bootstrap = SongBootstrap([1000, 600])
        >>> found = bootstrap.mean([0.0, 1.0, 1.0, 0.0], song=[0, 0, 1, 1], frame=[0, 600, 0, 599])
        >>> found["value"], found["n"], found["songs"]
        (0.5, 4, 2)
    """

    def __init__(self, frames: Sequence[int], *, replicates: int = REPLICATES, seed: int = 0) -> None:
        if not frames or min(frames) < 1:
            raise ValueError(f"an evaluation needs songs of at least one frame, got {list(frames)}")
        segments = [-(-count // SEGMENT_FRAMES) for count in frames]
        self._first = np.concatenate([[0], np.cumsum(segments)])
        self._song = np.repeat(np.arange(len(segments)), segments)
        self._songs = [slice(*ends) for ends in pairwise(self._first.tolist())]
        self._weights = _weights(segments, replicates, np.random.default_rng(seed))

    def mean(self, values: ArrayLike, *, song: ArrayLike, frame: ArrayLike) -> Metric:
        """The mean of values that belong to frames.

        Args:
            values: ``(n,)``.
            song: ``(n,)``: of which song each is.
            frame: ``(n,)``: of which frame of it.
        """
        numbers = np.asarray(values, dtype=np.float64)
        return self.ratio(numbers, np.ones_like(numbers), song=song, frame=frame)

    def ratio(self, numerators: ArrayLike, denominators: ArrayLike, *, song: ArrayLike, frame: ArrayLike) -> Metric:
        """The ratio of two sums, such as hits over onsets; ``n`` counts the terms whose denominator is not 0."""
        above, below = (np.asarray(each, dtype=np.float64) for each in (numerators, denominators))
        segment = self._segment(song, frame)
        sums = self._sums(segment, above), self._sums(segment, below)
        used = np.bincount(segment[below != 0], minlength=self._song.size)
        of_songs = {"of_songs": [[float(sums[0][own].sum()), float(sums[1][own].sum())] for own in self._songs]}
        if not sums[1].sum():
            return {**_metric(None, None, used, self._song), **of_songs}
        replicates = [self._weights @ each for each in sums]
        drawn = replicates[1] > 0  # a replicate may miss all that counts
        interval = percentile_interval(replicates[0][drawn] / replicates[1][drawn]) if drawn.any() else None
        return {**_metric(float(sums[0].sum() / sums[1].sum()), interval, used, self._song), **of_songs}

    def quantile(self, values: ArrayLike, share: float, *, song: ArrayLike, frame: ArrayLike) -> Metric:
        """The smallest value that at least a share of all values do not exceed (numpy's ``inverted_cdf``).

        So it is one of the values, as each replicate's is; the ends of the interval are good to 1/1000 in rank.
        """
        numbers = np.asarray(values, dtype=np.float64)
        segment = self._segment(song, frame)
        used = np.bincount(segment, minlength=self._song.size)
        if not numbers.size:
            return _metric(None, None, used, self._song)
        ranks = min(_RANKS, numbers.size)
        ordered = np.sort(numbers)
        ends = ordered[-(-np.arange(1, ranks + 1) * numbers.size // ranks) - 1]
        place = np.minimum(np.searchsorted(ends, numbers), ranks - 1)
        counts = np.bincount(segment * ranks + place, minlength=self._song.size * ranks).reshape(-1, ranks)
        below = np.cumsum(self._weights @ counts, axis=1)
        below = below[below[:, -1] > 0]
        found = ends[np.argmax(below >= share * below[:, -1:], axis=1)]
        value = float(np.quantile(numbers, share, method="inverted_cdf"))
        return _metric(value, percentile_interval(found) if found.size else None, used, self._song)

    def _segment(self, song: ArrayLike, frame: ArrayLike) -> NDArray[np.int64]:
        return self._first[np.asarray(song, dtype=np.int64)] + np.asarray(frame, dtype=np.int64) // SEGMENT_FRAMES

    def _sums(self, segment: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(segment, weights=values, minlength=self._song.size).astype(np.float64)


def _weights(segments: Sequence[int], replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """How often each segment is drawn: ``(replicates, segments)``.

    ``c`` draws of a song with ``m`` segments are ``c·m`` draws of segments, so every replicate is as long as the whole.
    """
    songs = len(segments)
    drawn = generator.multinomial(songs, np.full(songs, 1 / songs), size=replicates)
    parts = [
        generator.multinomial(drawn[:, song] * count, np.full(count, 1 / count)) for song, count in enumerate(segments)
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _metric(
    value: float | None, interval: tuple[float, float] | None, used: NDArray[np.int64], song: NDArray[np.int64]
) -> Metric:
    low, high = (None, None) if interval is None or value is None else interval
    n = int(used.sum())
    return {"value": value, "low": low, "high": high, "n": n, "songs": int(np.unique(song[used > 0]).size)}
