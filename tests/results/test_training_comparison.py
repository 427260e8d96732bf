"""Arms over seeds, on records made by hand, and what ranking says about them."""

from collections.abc import Callable
from typing import Any

import pytest

from tonedeaf.results import Record
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.ranking_and_training import associations
from tonedeaf.results.training_comparison import METRICS, compare_arms

MakeRecord = Callable[..., Record]


def evaluation(
    make_record: MakeRecord,
    loss: str,
    seed: int,
    pitch: float,
    *,
    condition: str = "audio-only",
    status: str = "ok",
    harmonic_db: float = 6.0,
    **params: Any,
) -> Record:
    return make_record(
        kind="evaluation",
        distance=loss,
        task="bassnet",
        seed=seed,
        trials=3,
        status=status,
        task_params={"dataset": "A1", "condition": condition, "path": "marginal", **params},
        metrics={
            "raw_pitch_accuracy": {"value": pitch, "low": pitch - 0.1, "high": pitch + 0.1, "n": 3},
            "harmonic_db": harmonic_db,
            "training_seconds": 12.0,
        }
        if status == "ok"
        else {},
    )


@pytest.fixture
def records(make_record: Callable[..., Record]) -> list[Record]:
    pitch = {"none": (0.1, 0.2), "paper": (0.9, 0.8), "mss": (0.5, 0.6), "tonedeaf": (0.85, 0.95)}
    return [evaluation(make_record, loss, seed, value) for loss, own in pitch.items() for seed, value in enumerate(own)]


def test_baselines_first_then_the_best_in_pitch(records: list[Record]):
    assert [result.arm.loss for result in compare_arms(records)] == ["paper", "none", "tonedeaf", "mss"]


def test_means_and_differences_within_seeds(records: list[Record]):
    by_loss = {result.arm.loss: result for result in compare_arms(records)}
    assert by_loss["mss"].metrics["raw_pitch_accuracy"].value == pytest.approx(0.55)
    difference = by_loss["mss"].against_paper["raw_pitch_accuracy"]  # -.4 and -.2
    assert (difference.value, difference.n) == (pytest.approx(-0.3), 2)
    assert difference.low is not None
    assert difference.low < -0.3 < (difference.high or 0)
    assert by_loss["paper"].against_paper == {}
    assert by_loss["mss"].seconds is not None
    assert by_loss["mss"].seconds.value == 12.0


def test_an_arm_that_failed_says_why_and_counts_no_seed(records: list[Record], make_record: MakeRecord):
    failed = evaluation(make_record, "mss", 2, 0.0, status="failed")
    result = next(one for one in compare_arms([*records, failed]) if one.arm.loss == "mss")
    assert result.seeds == (0, 1)
    assert result.failed == {2: "out of memory"}


def test_conditions_are_not_mixed(records: list[Record], make_record: MakeRecord):
    others = [evaluation(make_record, loss, 0, 0.99, condition="replace") for loss in ("paper", "mss")]
    found = {(result.arm.condition, result.arm.loss): result for result in compare_arms([*records, *others])}
    assert found["replace", "mss"].against_paper["raw_pitch_accuracy"].value == 0.0
    assert found["audio-only", "mss"].against_paper["raw_pitch_accuracy"].value == pytest.approx(-0.3)


def test_what_arms_must_share_is_checked(records: list[Record], make_record: MakeRecord):
    with pytest.raises(ValueError, match=r"arms differ in steps \(100, None\)"):
        compare_arms([*records, evaluation(make_record, "mel", 0, 0.5, steps=100)])
    with pytest.raises(ValueError, match="two records of mss with seed 0"):
        compare_arms([*records, evaluation(make_record, "mss", 0, 0.5)])


def standing(distance: str, pitch: float, level: float, *, missing: int = 0) -> Standing:
    cells = {("sines", "pitch_analytic"): pitch, ("harmonic", "pitch_analytic"): 1.0, ("sines", "level_2_db"): level}
    return Standing(distance=distance, cells=cells, missing=missing, longer=False)


def test_the_primary_pair_comes_first_uncorrected_and_the_rest_is_corrected(make_record: MakeRecord):
    names = [f"d{i}" for i in range(6)]
    arms = compare_arms(
        [
            evaluation(make_record, name, seed, 0.1 * i, harmonic_db=6.0 - i)
            for i, name in enumerate(names)
            for seed in range(2)
        ]
    )
    standings = [standing(name, 0.5 + 0.05 * i, 1 - 0.1 * i) for i, name in enumerate(names)]
    primary, *others = associations(standings, arms)
    assert primary.primary
    assert (primary.ranking, primary.training, primary.condition) == (
        "pitch_minimum",
        "raw_pitch_accuracy",
        "audio-only",
    )
    assert primary.found.rho == pytest.approx(1)
    assert primary.found.p == pytest.approx(2 / 720)  # both orders of 6 that are as extreme
    assert primary.holm is None
    assert not any(pair.primary for pair in others)
    assert all(pair.found.p is None or (pair.holm or 0) >= pair.found.p for pair in others)
    falling = next(pair for pair in others if (pair.ranking, pair.training) == ("level_2_db", "harmonic_db"))
    assert falling.found.rho == pytest.approx(-1)  # a smaller error is better: the sign says so


def test_variants_are_points_but_not_distances_more(make_record: MakeRecord):
    """Of a distance that is there, with other parameters; one whose own distance is not there is a distance."""
    names = ["a", "b", "c", "d[x=2]", "a[x=2]", "a + 0.2*b"]
    arms = compare_arms([evaluation(make_record, name, 0, 0.1 * i) for i, name in enumerate(names)])
    standings = [standing(name, 0.9 if name == "a[x=2]" else 0.5 + 0.05 * i, 0.5) for i, name in enumerate(names)]
    primary = associations(standings, arms)[0]
    assert set(primary.points) == set(names)
    assert primary.variants == {"a[x=2]"}
    assert primary.found.n == 5
    assert primary.found.rho == pytest.approx(1), "with the variant it would be less"


def test_baselines_and_incomplete_distances_take_no_part(records: list[Record]):
    standings = [standing("mss", 0.5, 0.5), standing("tonedeaf", 0.9, 0.9), standing("mel", 0.4, 0.4, missing=1)]
    assert associations(standings, compare_arms(records)) == []  # two are left: no correlation


def test_every_metric_says_which_way_is_better():
    assert {name for name, more in METRICS.items() if more} == {
        "raw_pitch_accuracy",
        "raw_chroma_accuracy",
        "onset_f_measure",
        "qda_accuracy",
    }
