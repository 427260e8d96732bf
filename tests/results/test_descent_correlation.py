"""The rank correlation of sign accuracy and descent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.stats

from tonedeaf.results import Proportion, Record
from tonedeaf.results.descent_correlation import correlations, matching_rankings, spearman

MakeRecord = Callable[..., Record]


def _pairs(
    make_record: MakeRecord, right: dict[str, int], reached: dict[str, int], n: int = 20
) -> tuple[list[tuple[Record, Record]], Callable[[Record], pl.DataFrame]]:
    """A ranking and a descent for each distance, in which so many of the first of ``n`` trials are right."""
    tables: dict[str, pl.DataFrame] = {}
    pairs: list[tuple[Record, Record]] = []
    for name, count in right.items():
        metrics: dict[str, Any] = {"pitch_analytic": Proportion.of(count, n).as_metric()}
        ranking = make_record(distance=name, trials=n, metrics=metrics)
        descent = make_record(distance=name, trials=n, kind="descent", metrics={})
        tables[ranking.key] = pl.DataFrame({"pitch_analytic": [1.0] * count + [-1.0] * (n - count)})
        tables[descent.key] = pl.DataFrame({"end": ["reached"] * reached[name] + ["edge"] * (n - reached[name])})
        pairs.append((ranking, descent))
    return pairs, lambda record: tables[record.key]


def test_spearman_is_scipys():
    generator = np.random.default_rng(0)
    for _ in range(20):
        ours, theirs = generator.integers(0, 5, (2, 8)).astype(float)  # with ties
        assert spearman(ours, theirs) == pytest.approx(scipy.stats.spearmanr(ours, theirs).statistic, abs=1e-12)


def test_spearman_of_equal_values_is_none():
    assert spearman(np.ones(4), np.arange(4.0)) is None
    with pytest.raises(ValueError, match="as many values"):
        spearman(np.ones(3), np.ones(4))


def test_the_same_order_is_one_and_the_reverse_minus_one(make_record: MakeRecord):
    right = {"a": 2, "b": 8, "c": 14, "d": 20}
    for sign, reached in ((1, {"a": 0, "b": 6, "c": 12, "d": 18}), (-1, {"a": 18, "b": 12, "c": 6, "d": 0})):
        pairs, outcomes = _pairs(make_record, right, reached)
        mean, column = correlations(pairs, outcomes, replicates=200)
        assert (mean.column, column.column) == ("mean", "pitch_analytic")
        for found in (mean, column):
            # nested successes under one draw for all keep their order, so every replicate agrees, but for ties
            assert found.value == pytest.approx(sign)
            assert found.low is not None
            assert found.high is not None
            assert abs(found.low) > 0.8
            assert abs(found.high) > 0.8


def test_no_difference_has_no_correlation(make_record: MakeRecord):
    pairs, outcomes = _pairs(make_record, {"a": 2, "b": 8, "c": 14}, {"a": 0, "b": 0, "c": 0})
    found = correlations(pairs, outcomes, replicates=20)[0]
    assert (found.value, found.low, found.high) == (None, None, None)


def test_two_distances_are_too_few(make_record: MakeRecord):
    pairs, outcomes = _pairs(make_record, {"a": 2, "b": 8}, {"a": 0, "b": 1})
    with pytest.raises(ValueError, match="at least 3 distances, got 2"):
        correlations(pairs, outcomes)


def test_the_ranking_of_the_same_question_is_found(make_record: MakeRecord):
    descent = make_record(kind="descent", trials=20, task_params={"duration": 0.2})
    long, short = (make_record(trials=10, task_params={"duration": seconds}) for seconds in (0.5, 0.2))
    others = [make_record(distance="mss"), make_record(seed=1), make_record(task="harmonic")]
    assert matching_rankings([long, *others], [descent]) == [(long, descent)]
    assert matching_rankings([long, short, *others], [descent]) == [(short, descent)]
    assert matching_rankings(others, [descent]) == []
