"""What a few training runs tell: means over seeds, and differences between two losses on the same seeds.

A run's figure varies with its seed (initial weights, batches). With ``n`` seeds, ``mean ± t(n−1)·s/√n``, s the sample
standard deviation, covers the mean over all seeds in 95 % of cases, if the figures are about normally distributed. Runs
of one seed share initial weights and batches, so two losses are compared by the differences within seeds.

Source: Student, The probable error of a mean, Biometrika 6 (1908).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import t as student

from .intervals import CONFIDENCE


@dataclass(frozen=True)
class SeedMean:
    """A mean over seeds.

    Attributes:
        value: the mean.
        low: lower end of its 95 % t-interval; None for a single seed, which tells nothing about others.
        high: upper end; likewise.
        n: how many seeds.
        half_width: of the interval, before an end is cut off; likewise.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    half_width: float | None = None


def seed_mean(
    values: Sequence[float],
    confidence: float = CONFIDENCE,
    *,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> SeedMean:
    """The mean of one figure over seeds, with its t-interval.

    Args:
        values: one for each seed.
        confidence: coverage, between 0 and 1.
        lowest: that the figure can be, as 0 for a share: the interval is cut off there, and covers no less for it.
        highest: likewise.

    Raises:
        ValueError: if there are no values, one is not finite, or the confidence is not between 0 and 1.

    Example:
        >>> mean = seed_mean([0.90, 0.94, 0.92])
        >>> round(mean.value, 3), round(mean.low, 3), round(mean.high, 3)
        (0.92, 0.87, 0.97)
    """
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError(f"a mean over seeds needs at least one value, all of them finite, got {list(values)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return SeedMean(mean, None, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half_width = float(student.ppf((1 + confidence) / 2, n - 1)) * deviation / math.sqrt(n)
    return SeedMean(mean, max(lowest, mean - half_width), min(highest, mean + half_width), n, half_width)


def paired_difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> SeedMean | None:
    """The mean over seeds of ``ours − theirs``, over the seeds that both have; None if there are none.

    Args:
        ours: seed to figure.
        theirs: likewise, of the loss that is compared with.

    Example:
        >>> paired_difference({0: 0.9, 1: 0.8}, {0: 0.7, 1: 0.6}).n
        2
    """
    shared = sorted(ours.keys() & theirs.keys())
    return seed_mean([ours[seed] - theirs[seed] for seed in shared]) if shared else None
