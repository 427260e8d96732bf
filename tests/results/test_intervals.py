"""Intervals against scipy, against published examples, and against what an interval promises."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from tonedeaf.results import Proportion, agrees, newcombe, wilson

COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts=COUNTS, confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(counts: tuple[int, int], confidence: float) -> None:
    theirs = binomtest(*counts).proportion_ci(confidence, method="wilson")  # pyright: ignore
    assert wilson(*counts, confidence) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-12)  # pyright: ignore


# Newcombe, Two-sided confidence intervals for the single proportion (1998), Table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_the_published_one(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


# Newcombe, Interval estimation for the difference between independent proportions (1998), Table II, method 10.
@pytest.mark.parametrize(
    ("one", "other", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], interval: tuple[float, float]
) -> None:
    assert newcombe(*one, *other) == pytest.approx(interval, abs=5e-5)


@given(one=COUNTS, other=COUNTS)
def test_newcombe_is_an_interval_of_the_difference(one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = newcombe(*one, *other)
    difference = one[0] / one[1] - other[0] / other[1]
    assert -1 - 1e-12 <= low <= difference <= high <= 1 + 1e-12
    assert newcombe(*other, *one) == pytest.approx((-high, -low), abs=1e-12)
    assert agrees(*one, *other) == agrees(*other, *one)
    assert agrees(*one, *one)


def test_newcombe_covers_the_difference_95_times_in_100() -> None:
    draw = random.Random(0)

    def count(share: float) -> int:
        return sum(draw.random() < share for _ in range(60))

    intervals = [newcombe(count(0.8), 60, count(0.65), 60) for _ in range(1500)]
    covered = sum(low <= 0.15 <= high for low, high in intervals) / 1500
    assert abs(covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 1500)


def test_agreement_ends_where_the_interval_does() -> None:
    near = [k for k in range(1001) if agrees(k, 1000, 617, 1000)]
    assert near == list(range(near[0], near[-1] + 1))
    assert 617 in near
    # The normal approximation of the difference's standard error is .0217, so 1.96 of it is 43 in 1000.
    assert (617 - near[0], near[-1] - 617) == pytest.approx((43, 43), abs=1)
    assert not agrees(near[0] - 1, 1000, 617, 1000)


@pytest.mark.parametrize(("successes", "n"), [(-1, 10), (11, 10), (0, 0), (1, -1)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"got successes={successes}, n={n}"):
        wilson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 1, got {confidence}"):
        wilson(1, 2, confidence)


@given(counts=COUNTS, data=st.data())
def test_a_proportion_survives_being_a_metric(counts: tuple[int, int], data: st.DataObject) -> None:
    successes, n = counts
    proportion = Proportion.of(successes, n, ties=data.draw(st.integers(0, n - successes)))
    assert (proportion.low, proportion.high) == wilson(successes, n)
    assert proportion.successes == successes
    assert Proportion.from_metric(proportion.as_metric()) == proportion


@pytest.mark.parametrize(
    "metric",
    [
        0.5,
        {"value": 0.5},
        {"value": 0.5, "low": 0.6, "high": 0.7, "n": 10, "ties": 0},
        {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "ties": 11},
        {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "ties": 0, "more": 1},
        {"value": float("nan"), "low": 0.4, "high": 0.6, "n": 10, "ties": 0},
    ],
)
def test_what_is_no_proportion_is_refused(metric: object) -> None:
    with pytest.raises(ValueError, match=r"proportion|Expected|missing|unknown"):
        Proportion.from_metric(metric)
