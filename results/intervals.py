"""Confidence intervals of proportions, and when two proportions agree.

A sign accuracy is a proportion: how many of ``n`` trials were right. Counts go in, so that nothing is rounded twice.
"""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, Self

import msgspec

CONFIDENCE = 0.95
"""The level of every interval that the suite reports."""


class Proportion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of trials with its interval, as a ranking's metrics hold it.

    Attributes:
        value: the share of trials that were right, from 0 to 1; ties count as wrong.
        low: lower end of its 95 % Wilson interval.
        high: upper end.
        n: number of trials.
        ties: trials in which the distance did not move: equal distances, or a gradient of exactly zero.
    """

    value: float
    low: float
    high: float
    n: int
    ties: int

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.ties <= self.n or not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"not a proportion: {self}; needs 0 <= low <= value <= high <= 1 and 0 <= ties <= n")

    @classmethod
    def of(cls, successes: int, n: int, *, ties: int = 0) -> Self:
        """The proportion of counts, with its Wilson interval.

        Raises:
            ValueError: if the counts contradict each other.
        """
        low, high = wilson(successes, n)
        return cls(value=successes / n, low=low, high=high, n=n, ties=ties)

    @classmethod
    def from_metric(cls, metric: object) -> Self:
        """The proportion in a record's metric.

        Raises:
            ValueError: if it is not one.
        """
        return msgspec.convert(metric, cls)

    @property
    def successes(self) -> int:
        """How many trials were right."""
        return round(self.value * self.n)

    def as_metric(self) -> Mapping[str, Any]:
        """What a record's ``metrics`` hold: ``{value, low, high, n, ties}``."""
        return msgspec.to_builtins(self)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction.

    The proportions p that a score test does not reject: ``(k/n - p)² ≤ z² p(1-p)/n``, that is
    ``(k + z²/2 ± z·√(k(n-k)/n + z²/4)) / (n + z²)``.

    Args:
        successes: k, how many were right.
        n: of how many.
        confidence: coverage, between 0 and 1.

    Raises:
        ValueError: if not 0 <= k <= n, n < 1, or the confidence is not between 0 and 1.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Example:
        >>> [round(end, 4) for end in wilson(81, 263)]
        [0.2553, 0.3662]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"needs 0 <= successes <= n and n >= 1, got successes={successes}, n={n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = successes + z * z / 2
    half_width = z * math.sqrt(successes * (n - successes) / n + z * z / 4)
    share = successes / n
    low, high = (centre - half_width) / (n + z * z), (centre + half_width) / (n + z * z)
    # At 0 and n the ends are exact, and rounding must not push the share itself out.
    return max(0.0, min(low, share)) if successes else 0.0, min(1.0, max(high, share)) if successes < n else 1.0


def newcombe(k1: int, n1: int, k2: int, n2: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Newcombe's hybrid score interval of the difference ``k1/n1 - k2/n2`` of two independent proportions.

    With the Wilson intervals (l1, u1) and (l2, u2):
    ``low = d - √((p1-l1)² + (u2-p2)²)``, ``high = d + √((u1-p1)² + (p2-l2)²)``.

    Args:
        k1: how many of the first sample were right.
        n1: size of the first sample.
        k2: how many of the second sample were right.
        n2: size of the second sample.
        confidence: coverage, between 0 and 1.

    Raises:
        ValueError: as :func:`wilson`.

    Source: Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17
    (1998), method 10.

    Example:
        >>> [round(end, 4) for end in newcombe(56, 70, 48, 80)]
        [0.0524, 0.3339]
    """
    low1, high1 = wilson(k1, n1, confidence)
    low2, high2 = wilson(k2, n2, confidence)
    share1, share2 = k1 / n1, k2 / n2
    difference = share1 - share2
    return (
        difference - math.hypot(share1 - low1, high2 - share2),
        difference + math.hypot(high1 - share1, share2 - low2),
    )


def agrees(k1: int, n1: int, k2: int, n2: int, confidence: float = CONFIDENCE) -> bool:
    """Whether two proportions agree: 0 lies in the :func:`newcombe` interval of their difference."""
    low, high = newcombe(k1, n1, k2, n2, confidence)
    return low <= 0 <= high
