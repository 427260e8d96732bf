"""The leaderboard and its bootstrap: numbers computed by hand, on records made by hand."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from tonedeaf.results import Proportion, Record
from tonedeaf.results.bootstrap import percentile_interval, resampling_weights
from tonedeaf.results.leaderboard import leaderboard

MakeRecord = Callable[..., Record]


class _Outcomes:
    """Records of rankings, and their trials, from lists of right (1) and wrong (−1)."""

    def __init__(self, make_record: MakeRecord) -> None:
        self.make, self.tables = make_record, dict[str, pl.DataFrame]()

    def record(self, distance: str, task: str, columns: dict[str, list[int]], **more: Any) -> Record:
        right = {name: [value > 0 for value in values] for name, values in columns.items()}
        record = self.make(
            distance=distance,
            task=task,
            trials=len(next(iter(columns.values()))),
            metrics={name: Proportion.of(sum(values), len(values)).as_metric() for name, values in right.items()},
            **more,
        )
        self.tables[record.key] = pl.DataFrame(
            {
                "trial": range(record.trials or 0),
                **{name: [float(v) for v in values] for name, values in columns.items()},
            }
        )
        return record

    def __call__(self, record: Record) -> pl.DataFrame:
        return self.tables[record.key]


@pytest.fixture
def outcomes(make_record: MakeRecord) -> _Outcomes:
    return _Outcomes(make_record)


def test_minimum_and_mean_are_over_tasks_and_columns(outcomes: _Outcomes):
    records = [
        outcomes.record("a", "sines", {"pitch_analytic": [1, 1, 1, -1], "level_analytic": [1, 1, -1, -1]}),
        outcomes.record("a", "tilt", {"pitch_analytic": [1, 1, 1, 1], "tilt_analytic": [1, 1, 1, 1]}),
        outcomes.record("b", "sines", {"pitch_analytic": [1, 1, -1, -1], "level_analytic": [1, 1, 1, -1]}),
        outcomes.record("b", "tilt", {"pitch_analytic": [1, 1, 1, -1], "tilt_analytic": [1, 1, 1, -1]}),
    ]
    first, second = leaderboard(records, outcomes)
    # both have a minimum of .5, so the mean decides: 3.25/4 against 2.75/4
    assert (first.distance, first.minimum, first.mean) == ("a", 0.5, 0.8125)
    assert (second.distance, second.minimum, second.mean) == ("b", 0.5, 0.6875)
    assert (first.pitch_minimum, second.pitch_minimum) == (0.75, 0.5)
    assert first.worst == ("sines", "level_analytic")
    assert first.lead is not None
    assert first.lead.runner_up == "b"
    assert first.lead.mean.value == pytest.approx(0.125)
    assert first.lead.minimum.value == 0.0
    assert second.lead is None


def test_who_was_not_asked_the_same_tasks_has_no_lead(outcomes: _Outcomes):
    """A task that only one distance was asked, and could not answer, takes no cell away, but its trials are others."""
    records = [outcomes.record(name, "sines", {"pitch_analytic": [1, 1, 1, -1]}) for name in "abc"]
    asked = outcomes.record("c", "tilt", {"tilt_analytic": [1]})
    skipped = msgspec.structs.replace(asked, status="skipped", reason="too short", metrics={})
    first, second, third = leaderboard([*records, skipped], outcomes)
    assert first.lead is not None
    assert (second.lead, third.complete) == (None, True)


def test_the_order_is_that_of_the_criterion(outcomes: _Outcomes):
    records = [
        outcomes.record("steady", "sines", {"pitch_analytic": [1, 1, -1, -1], "level_analytic": [1, 1, -1, -1]}),
        outcomes.record("uneven", "sines", {"pitch_analytic": [1, 1, 1, 1], "level_analytic": [1, -1, -1, -1]}),
    ]
    assert [one.distance for one in leaderboard(records, outcomes)] == ["steady", "uneven"]
    by_mean = leaderboard(records, outcomes, by=lambda standing: standing.mean)
    assert [one.distance for one in by_mean] == ["uneven", "steady"]


def test_the_interval_of_two_trials_is_the_exact_one(outcomes: _Outcomes):
    """Two trials, of which the leader has one more: a resample has 0, 1 or 2 of it, with chances 1/4, 1/2, 1/4."""
    records = [
        outcomes.record("leader", "sines", {"pitch_analytic": [1, 1]}),
        outcomes.record("other", "sines", {"pitch_analytic": [1, -1]}),
    ]
    lead = leaderboard(records, outcomes)[0].lead
    assert lead is not None
    assert (lead.mean.value, lead.mean.low, lead.mean.high) == (0.5, 0.0, 1.0)


def test_trials_are_paired(outcomes: _Outcomes):
    """Equal but for one trial in 40: the pairing leaves the interval at 0 … 3/40, far from that of two samples."""
    hard = [1, -1] * 20
    records = [
        outcomes.record("better", "sines", {"pitch_analytic": [1, 1, *hard[2:]]}),
        outcomes.record("worse", "sines", {"pitch_analytic": hard}),
    ]
    lead = leaderboard(records, outcomes)[0].lead
    assert lead is not None
    assert lead.mean.value == pytest.approx(1 / 40)
    assert lead.mean.low == 0.0
    assert lead.mean.high == pytest.approx(3 / 40)  # 97.5 % of Binomial(40, 1/40)


def test_an_interval_does_not_depend_on_other_tasks_nor_on_the_order_of_records(outcomes: _Outcomes):
    sines = outcomes.record("a", "sines", {"pitch_analytic": [1, -1] * 20})
    alone = leaderboard([sines], outcomes)[0].mean_interval
    others = [outcomes.record("b", task, {"pitch_analytic": [1, -1, 1, 1] * 10}) for task in ("tilt", "sines")]
    for records in ([sines, *others], [*others, sines]):
        found = {one.distance: one.mean_interval for one in leaderboard(records, outcomes)}
        assert found["a"] == alone


def test_a_distance_without_every_cell_stands_last(outcomes: _Outcomes):
    records = [
        outcomes.record("whole", "sines", {"pitch_analytic": [1, -1], "pitch_30_cents": [1, -1]}),
        outcomes.record("partial", "sines", {"pitch_30_cents": [1, 1]}),
        outcomes.make(distance="broken", task="sines", trials=2, status="failed"),
    ]
    found = leaderboard(records, outcomes)
    assert [(one.distance, one.missing) for one in found] == [("whole", 0), ("partial", 1), ("broken", 2)]
    assert found[0].lead is None
    assert (found[2].minimum, found[2].mean, found[2].worst) == (0.0, 0.0, None)


def test_distances_that_were_asked_other_trials_are_not_paired(outcomes: _Outcomes):
    records = [
        outcomes.record("short", "sines", {"pitch_analytic": [1, 1]}),
        outcomes.record("long", "sines", {"pitch_analytic": [1, -1]}, task_params={"duration": 0.75}),
    ]
    first, second = leaderboard(records, outcomes)
    assert (first.longer, second.longer, first.lead) == (False, True, None)


def test_cost_is_shown_beside_its_distance(outcomes: _Outcomes):
    numbers = {"forward_ms": 1.5, "backward_ms": 2.5, "kept_mib": 3.0}
    cost = outcomes.make(distance="a", kind="cost", metrics=numbers)
    (standing,) = leaderboard([outcomes.record("a", "sines", {"pitch_analytic": [1]})], outcomes, costs=[cost])
    assert standing.cost is not None
    assert (standing.cost.forward_ms, standing.cost.backward_ms, standing.cost.kept_mib) == (1.5, 2.5, 3.0)


def test_two_records_of_one_cell_are_refused(outcomes: _Outcomes):
    records = [outcomes.record("a", "sines", {"pitch_analytic": [1]}, seed=seed) for seed in (0, 1)]
    with pytest.raises(ValueError, match="a has two records of sines"):
        leaderboard(records, outcomes)


def test_weights_are_multinomial():
    weights = resampling_weights(5, 4000, np.random.default_rng(1))
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(weights.mean(0), 0.2, atol=0.0114)  # 4 standard errors: √(.2·.8/5/4000) = .0028
    np.testing.assert_allclose(weights.var(0), 0.2 * 0.8 / 5, rtol=0.15)


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="at least 1 trial"):
        resampling_weights(0, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one replicate"):
        percentile_interval(np.array([]))
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        percentile_interval(np.array([1.0]), 1.5)
