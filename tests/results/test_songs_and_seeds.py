"""Intervals over songs and seeds: against an oracle that draws one by one, and what must hold of any."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from tonedeaf.results import Record
from tonedeaf.results.songs_and_seeds import Parts, interval, parts_of

MakeRecord = Callable[..., Record]


def parts(values: list[list[float]], *, crossed: bool = True, weights: list[list[float]] | None = None) -> Parts:
    numbers = np.array(values)
    weighed = np.ones_like(numbers) if weights is None else np.array(weights)
    return Parts(numbers * weighed, weighed, crossed)


def told(record: Record, of_songs: Any, **params: Any) -> Record:
    """The evaluation with the parts of its songs."""
    task = msgspec.structs.replace(record.task, params={**record.task.params, **params})
    metrics = {**record.metrics, "raw_pitch_accuracy": {"value": 0.5, "of_songs": of_songs}}
    return msgspec.structs.replace(record, task=task, metrics=metrics)


@pytest.mark.parametrize("crossed", [True, False])
def test_the_interval_is_that_of_an_oracle_that_draws_one_by_one(crossed: bool):
    generator = np.random.default_rng(1)
    seeds, songs = 5, 6
    # Songs differ more than seeds: how often a seed's own songs are drawn shows in the width.
    song_effects = 4 * generator.normal(size=(1, songs) if crossed else (seeds, songs))
    values = generator.normal(size=(seeds, 1)) + song_effects
    drawn: list[float] = []
    for _ in range(4000):
        shared = generator.integers(songs, size=songs)
        copies = [
            values[seed, shared if crossed else generator.integers(songs, size=songs)].mean()
            for seed in generator.integers(seeds, size=seeds)
        ]
        drawn.append(float(np.mean(copies)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = interval(parts(values.tolist(), crossed=crossed))
    assert found is not None
    assert found.value == pytest.approx(values.mean())
    # 2000 and 4000 replicates: the ends are uncertain by a few percent of the width.
    assert found.low == pytest.approx(low, abs=0.06 * (high - low))
    assert found.high == pytest.approx(high, abs=0.06 * (high - low))


def test_what_is_hard_for_both_does_not_blur_their_difference():
    generator = np.random.default_rng(2)
    hard = generator.random((3, 1)) + generator.random((1, 8))
    found = interval(parts((hard + 0.1).tolist()), parts(hard.tolist()))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    alone = interval(parts(hard.tolist()))
    assert alone is not None
    assert alone.high - alone.low > 0.2


def test_songs_count_by_their_weight_and_seeds_alike():
    found = interval(parts([[1.0, 0.0], [1.0, 1.0]], weights=[[3.0, 1.0], [300.0, 100.0]]))
    assert found is not None
    assert found.value == pytest.approx((0.75 + 1.0) / 2)


def test_one_seed_and_one_song_have_an_interval_without_width():
    found = interval(parts([[0.4]]))
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.4), pytest.approx(0.4))


def test_a_seed_in_which_nothing_was_measured_gives_none():
    assert interval(parts([[1.0, 1.0], [1.0, 1.0]], weights=[[1.0, 1.0], [0.0, 0.0]])) is None


def test_a_song_in_which_nothing_was_measured_is_drawn_in_vain():
    """Half of the songs count; a replicate that draws none of them is left out, and nothing becomes NaN."""
    found = interval(parts([[0.3, 9.0], [0.5, 9.0]], weights=[[1.0, 0.0], [1.0, 0.0]]))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.3, 0.5))


def test_other_songs_are_no_comparison():
    with pytest.raises(ValueError, match="same songs"):
        interval(parts([[0.4, 0.5]]), parts([[0.4]]))
    with pytest.raises(ValueError, match="same songs"):
        interval(parts([[0.4]]), parts([[0.4]], crossed=False))


def test_parts_come_from_the_evaluations_in_the_order_of_the_seeds(make_evaluation: MakeRecord):
    runs = {seed: told(make_evaluation("mss", seed), [[seed, 2], [3, 4]], split="all") for seed in (0, 1)}
    found = parts_of(runs, (1, 0), "raw_pitch_accuracy")
    assert found is not None
    assert found.sums.tolist() == [[1, 3], [0, 3]]
    assert found.weights.tolist() == [[2, 4], [2, 4]]
    assert found.crossed
    assert parts_of(runs, (0, 1, 2), "raw_pitch_accuracy") is None, "a seed without an evaluation"
    assert parts_of(runs, (0,), "median_cents") is None, "a figure that is no mean"
    own = {0: told(make_evaluation("mss", 0), [[1, 2]], split="validation")}
    one = parts_of(own, (0,), "raw_pitch_accuracy")
    assert one is not None
    assert not one.crossed
    assert parts_of({0: runs[0], 1: own[0]}, (0, 1), "raw_pitch_accuracy") is None, "other numbers of songs"
    assert parts_of({0: make_evaluation("mss", 0)}, (0,), "raw_pitch_accuracy") is None, "an older record"
