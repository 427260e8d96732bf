"""Bootstrap over trials: how much would a figure differ, had other trials been drawn?

Trials are drawn with replacement; two distances that were asked the same trials get the same draw (a paired bootstrap),
so that what is hard for both does not blur the difference between them. Intervals are percentiles.

Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), Sections 6 and 13.
"""

import numpy as np
from numpy.typing import NDArray

from .intervals import CONFIDENCE

REPLICATES = 2000


def resampling_weights(trials: int, replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """The share of each trial in each replicate: ``(replicates, trials)``; a row's sum is 1.

    A mean over a replicate's trials is a row times the outcomes.

    Raises:
        ValueError: if there are no trials, or no replicates.
    """
    if trials < 1 or replicates < 1:
        raise ValueError(f"needs at least 1 trial and 1 replicate, got {trials} and {replicates}")
    drawn = generator.multinomial(trials, np.full(trials, 1 / trials), size=replicates)
    return drawn / trials


def percentile_interval(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval that holds the middle share of the replicates' values.

    Args:
        values: one for each replicate.
        confidence: that share, between 0 and 1.

    Raises:
        ValueError: if there are no values, or the confidence is not between 0 and 1.

    Example:
        >>> percentile_interval(np.arange(101.0), 0.5)
        (25.0, 75.0)
    """
    if values.size == 0:
        raise ValueError("an interval needs at least one replicate")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
