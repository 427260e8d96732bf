"""What the records recommend: the best by one stated number, and never a distance that was not asked everything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from tonedeaf.results import Proportion, Record, RecordStore
from tonedeaf.results.collection import collect
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.publication import Conventions, Mode, Publication
from tonedeaf.results.which_loss import advice, verdicts, which_loss_markdown

MakeRecord = Callable[..., Record]
PARAMS = {"sample_rate": 44100.0, "duration": 0.5, "perturbed_phase": "shared"}
N = 100
RIGHT = {  # distance to column to how many of 100 trials are right
    "sure": {"pitch_analytic": 90, "level_analytic": 80},
    "pitchy": {"pitch_analytic": 99, "level_analytic": 50},
    "loud": {"pitch_analytic": 30, "level_analytic": 95},
    "partial": {"pitch_analytic": 100},
}
MILLISECONDS = {"sure": 5.0, "pitchy": 1.0, "loud": 0.1}


def publication(folder: Path) -> Publication:
    return Publication(collect([folder]), Conventions(("sines",), Mode({}, {}), Mode({}, {})))


@pytest.fixture
def made(make_record: MakeRecord, tmp_path: Path) -> Publication:
    store = RecordStore(tmp_path)

    def write(
        distance: str, kind: str, metrics: dict[str, Any], table: pl.DataFrame | None = None, **params: Any
    ) -> None:
        task_params = PARAMS | params
        store.write(
            make_record(distance=distance, kind=kind, metrics=metrics, trials=N, task_params=task_params), table
        )

    for name, right in RIGHT.items():
        table = {column: [1.0] * count + [-1.0] * (N - count) for column, count in right.items()}
        metrics = {column: Proportion.of(count, N).as_metric() for column, count in right.items()}
        write(name, "ranking", metrics, pl.DataFrame({"trial": range(N), **table}))
    for name, ms in MILLISECONDS.items():
        write(name, "cost", {"forward_ms": ms / 2, "backward_ms": ms / 2, "kept_mib": 1.0})
    for name, reached, steps in (("pitchy", 90, 80.0), ("sure", 40, 20.0), ("loud", 90, 60.0)):
        metrics = {"reached": Proportion.of(reached, N).as_metric(), "median_steps": steps}
        write(name, "descent", metrics, descent={"steps": 500})
    return publication(tmp_path)


def test_each_need_gets_the_best_by_its_own_number(made: Publication):
    found = {one.need: one for one in advice(made)}
    assert {need: one.distance for need, one in found.items()} == {
        "right signs: pitch and level": "sure",
        "right signs: pitch alone": "pitchy",
        "right signs: level alone": "loud",
        "right signs better than by chance in every cell, in the least time": "sure",
        "gradient descent that arrives, on sines": "loud",
    }
    assert found["right signs: pitch alone"].milliseconds == 1.0
    arriving = found["gradient descent that arrives, on sines"].evidence
    assert arriving.endswith("median 60 steps; as often: `pitchy` (80 steps)")
    low, high = Proportion.of(80, N).low, Proportion.of(80, N).high
    first = found["right signs: pitch and level"]
    assert first.evidence == f"worst cell 0.800 ({low:.3f}–{high:.3f}; sines, level analytic)"


def test_cells_are_better_worse_or_neither(made: Publication):
    found = {one.distance: verdicts(one) for one in made.standings[0]}
    assert found["sure"] == {"better": 2}
    assert found["pitchy"] == {"better": 1, "neither": 1}
    assert found["loud"] == {"better": 1, "worse": 1}
    text = which_loss_markdown(made)
    assert "| `loud` | 2 | 100 | 1 | 0 | 1 | 0 | 0.300 (sines, pitch analytic) |" in text
    assert "| `partial` | 1 | 100 | 1 | 0 | 0 | 0 |" in text, "shown, but not recommended"


@pytest.mark.parametrize(
    ("right", "ties", "verdict"),
    [
        (59, 0, "neither"),  # the interval begins at 0.492
        (60, 0, "better"),  # at 0.502
        (60, 40, "better"),
        (30, 0, "worse"),
        (30, 40, "neither"),  # 30 of the 60 in which it moves
        (10, 49, "worse"),  # 10 of 51
        (10, 50, "silent"),
        (0, 100, "silent"),
    ],
)
def test_who_does_not_move_is_silent_and_not_worse(right: int, ties: int, verdict: str):
    cell = ("sines", "level_analytic")
    found = Proportion.of(right, 100, ties=ties)
    standing = Standing("a", {cell: found.value}, 0, False, proportions={cell: found})
    assert verdicts(standing) == {verdict: 1}


def test_nothing_is_recommended_without_records(make_record: MakeRecord, tmp_path: Path):
    RecordStore(tmp_path).write(make_record(status="failed", task_params=PARAMS))
    assert which_loss_markdown(publication(tmp_path)) == "No record answers this yet.\n"


def test_a_trained_model_is_an_answer_of_its_own(make_evaluation: MakeRecord, tmp_path: Path):
    for loss, pitch, seeds in (("paper", 0.9, 3), ("mss", 0.4, 3), ("mel", 0.5, 3), ("lucky", 0.8, 2)):
        for seed in range(seeds):
            RecordStore(tmp_path).write(make_evaluation(loss, seed, pitch=pitch))
    for seed in range(3):  # on another path the same losses are taught less, and others by other terms
        RecordStore(tmp_path).write(make_evaluation("mss", seed, pitch=0.45, path="soft"))
        RecordStore(tmp_path).write(make_evaluation("mel", seed, pitch=0.1, path="soft"))
        for loss, error in (("paper", 9.0), ("mfcc", 8.0), ("mss", 8.5)):
            one = make_evaluation(loss, seed, pitch=error / 10, condition="replace", path="given")
            metrics = {**one.metrics, "harmonic_db_level_free": error}
            RecordStore(tmp_path).write(msgspec.structs.replace(one, metrics=metrics))
    found, of_replace = advice(publication(tmp_path))
    assert of_replace.distance == "mfcc", "by its harmonics: pitch is supervised"
    assert of_replace.evidence == (
        "harmonics err by 8.000 (8.000 to 8.000) dB, level-free, over 3 seeds; BassNet's own objective: "
        "9.000 (9.000 to 9.000)"
    )
    assert found.distance == "mel", "a baseline is none of the distances, and two seeds are too few"
    assert found.evidence == (
        "raw pitch accuracy 0.500 (0.500 to 0.500) over 3 seeds; BassNet's own objective: 0.900 (0.900 to 0.900)"
    )


def test_the_training_that_most_songs_judged_counts(make_evaluation: MakeRecord, tmp_path: Path):
    """On `soft` one song gives a better figure; eight songs on another path are asked first."""
    for path, songs, pitches in (("soft", 1, {"mel": 0.9, "mss": 0.2}), ("entropic", 8, {"mel": 0.3, "mss": 0.6})):
        for loss, pitch in pitches.items():
            for seed in range(3):
                one = make_evaluation(loss, seed, path=path)
                figure = {"value": pitch, "low": None, "high": None, "n": 9, "songs": songs}
                metrics = {**one.metrics, "raw_pitch_accuracy": figure}
                RecordStore(tmp_path).write(msgspec.structs.replace(one, metrics=metrics))
    (found,) = advice(publication(tmp_path))
    assert (found.distance, "path entropic" in found.need) == ("mss", True)
