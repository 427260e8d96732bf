"""Do two figures of the same distances go together? Spearman's ρ, a permutation test, and Holm's correction.

The hypothesis that is tested is that the pairing is arbitrary: under it every assignment of one figure's values to the
distances is as likely as the one found. ``p`` is the share of assignments whose ``|ρ|`` is at least as large, counted
over all of them where these are few, or else over random ones (the found one among them, so that p is never 0).

Sources: Spearman 1904; Fisher, The Design of Experiments (1935), for the test; Phipson & Smyth, Permutation p-values
should never be zero (2010); Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test, rankdata

from .descent_correlation import spearman

RESAMPLES = 20_000
"""Assignments that are drawn where there are more than so many: p = .05 is known to about ±.003."""


@dataclass(frozen=True)
class Association:
    """Two figures over distances.

    Attributes:
        rho: Spearman's ρ; None if all distances are equal in one of the two.
        p: of the permutation test, two-sided; None where ρ is.
        n: how many distances.
    """

    rho: float | None
    p: float | None
    n: int


def association(
    ours: Sequence[float], theirs: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0
) -> Association:
    """Spearman's ρ and its permutation test.

    Args:
        ours: one figure, a value for each distance.
        theirs: the other, in the same order.
        resamples: how many assignments are drawn if there are more.
        seed: of those draws.

    Raises:
        ValueError: if there are fewer than 3 distances, or the two differ in length.
    """
    if len(ours) != len(theirs) or len(ours) < 3:
        raise ValueError(f"needs the same 3 distances or more on both sides, got {len(ours)} and {len(theirs)}")
    first, second = (np.asarray(values, dtype=np.float64) for values in (ours, theirs))
    rho = spearman(first, second)
    if rho is None:
        return Association(None, None, len(ours))
    ranks, others = rankdata(first), rankdata(second)

    def statistic(permuted: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        # rounded: equal but for rounding must count as equal, or the found one is not among its equals
        return np.abs(np.round(((permuted - ranks.mean()) * (others - others.mean())).sum(axis), 9))

    tested = permutation_test(
        (ranks,),
        statistic,
        permutation_type="pairings",
        n_resamples=resamples,
        alternative="greater",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return Association(rho, float(tested.pvalue), len(ours))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: ``max over j ≤ i of min(1, (m − j + 1)·p_(j))``, in the order given.

    Raises:
        ValueError: if one is not between 0 and 1.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1, got {list(p_values)}")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted
