"""The permutation test against SciPy's p-values and by enumeration, Holm's correction by hand."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr

from tonedeaf.results.rank_association import association, holm


def test_p_is_the_share_of_all_assignments_that_are_as_extreme():
    ours, theirs = [1.0, 2.0, 2.0, 5.0, 4.0], [0.3, 0.1, 0.4, 0.9, 0.9]
    found = association(ours, theirs)
    rhos = [spearmanr(order, theirs).statistic for order in permutations(ours)]
    expected = np.mean([abs(rho) >= abs(spearmanr(ours, theirs).statistic) - 1e-9 for rho in rhos])
    assert found.rho == pytest.approx(spearmanr(ours, theirs).statistic, abs=1e-12)
    assert found.p == pytest.approx(expected, abs=1e-12)


def test_many_distances_agree_with_the_asymptotic_test():
    """For 40 distances the t approximation is good to about .01 there, and 20,000 assignments to .003."""
    generator = np.random.default_rng(3)
    ours = generator.normal(size=40)
    theirs = 0.35 * ours + generator.normal(size=40)
    found = association(list(ours), list(theirs))
    assert found.p == pytest.approx(spearmanr(ours, theirs).pvalue, abs=0.015)
    assert association(list(ours), list(theirs)) == found  # the same draw each time


def test_a_negative_association_is_as_significant_as_a_positive_one():
    values = [float(i) for i in range(8)]
    rising, falling = association(values, values), association(values, values[::-1])
    assert (rising.rho, falling.rho) == (pytest.approx(1), pytest.approx(-1))
    assert rising.p == falling.p
    assert rising.p is not None
    assert rising.p < 1e-3


def test_constant_figures_have_no_association():
    found = association([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    assert (found.rho, found.p, found.n) == (None, None, 3)


def test_two_distances_are_too_few():
    with pytest.raises(ValueError, match="3 distances"):
        association([1.0, 2.0], [1.0, 2.0])


def test_holm_steps_down_and_never_falls():
    # m = 4: 4·.005 = .02, 3·.01 = .03, 2·.03 = .06, 1·.04 = .04 raised to .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([1.2])
