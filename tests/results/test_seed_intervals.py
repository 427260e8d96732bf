"""Means over seeds against SciPy's own intervals, and differences within seeds."""

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_rel

from tonedeaf.results.seed_intervals import paired_difference, seed_mean


@pytest.mark.parametrize("n", [2, 3, 10])
def test_interval_is_that_of_scipys_t_test(n: int):
    values = np.random.default_rng(n).normal(3.0, 2.0, n)
    ours, theirs = seed_mean(list(values)), ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)
    assert (ours.value, ours.n) == (pytest.approx(values.mean()), n)


def test_difference_is_paired_by_seed():
    generator = np.random.default_rng(0)
    ours, theirs = generator.normal(size=5), generator.normal(size=5)
    interval = ttest_rel(ours, theirs).confidence_interval(0.95)
    found = paired_difference(dict(enumerate(ours)), dict(enumerate(theirs)))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)


def test_a_seed_that_one_side_lacks_is_left_out():
    found = paired_difference({0: 1.0, 1: 2.0, 7: 100.0}, {1: 1.5, 0: 0.5})
    assert found is not None
    assert (found.value, found.n) == (0.5, 2)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_one_seed_has_no_interval():
    mean = seed_mean([0.5])
    assert (mean.value, mean.low, mean.high, mean.n) == (0.5, None, None, 1)


def test_an_interval_ends_where_the_figure_can_be_no_more():
    # 0.9, 1.0, 1.0: mean 0.967, half width 4.303·0.0577/√3 = 0.143, which would reach 1.11.
    mean = seed_mean([0.9, 1.0, 1.0], lowest=0.0, highest=1.0)
    assert mean.low is not None
    assert (mean.low, mean.high, mean.half_width) == (
        pytest.approx(0.8232, abs=1e-4),
        1.0,
        pytest.approx(0.1434, abs=1e-4),
    )
    assert seed_mean([0.0, 0.1], lowest=0.0).low == 0.0


def test_95_of_100_intervals_cover_the_mean():
    """Coverage of 2000 normal samples of 3: 0.95 ± 0.015, three standard errors of that share."""
    samples = np.random.default_rng(1).normal(size=(2000, 3))
    half = student.ppf(0.975, 2) * samples.std(1, ddof=1) / np.sqrt(3)
    assert np.mean(np.abs(samples.mean(1)) < half) == pytest.approx(0.95, abs=0.015)
    covered = [(mean := seed_mean(list(sample))) and (mean.low or 0) < 0 < (mean.high or 0) for sample in samples]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_what_is_no_sample_is_refused(values: list[float]):
    with pytest.raises(ValueError, match="finite"):
        seed_mean(values)
