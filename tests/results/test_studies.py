# pyright: reportUnknownMemberType=false
"""Training: which models are compared, what the figures and tables show of them, and whether ranking foretold it."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from matplotlib.lines import Line2D

from tonedeaf.results import Record
from tonedeaf.results.boards import Board, boards
from tonedeaf.results.figure_foretelling import figure_foretelling, foretold, shown_pairs
from tonedeaf.results.figure_training import figure_training, training_rows
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.seed_intervals import seed_mean
from tonedeaf.results.studies import LABELS, Study, studies
from tonedeaf.results.training_comparison import METRICS
from tonedeaf.results.training_text import mean_text, study_markdown

MakeRecord = Callable[..., Record]
PITCH = {"paper": 0.9, "none": 0.2, "mss": 0.4, "tonedeaf": 0.8, "mel": 0.3}


@pytest.fixture
def records(make_evaluation: MakeRecord) -> list[Record]:
    return [
        make_evaluation(loss, seed, pitch=pitch + 0.02 * seed) for loss, pitch in PITCH.items() for seed in range(3)
    ]


@pytest.fixture
def study(records: list[Record]) -> Study:
    (found,), aside = studies(records)
    assert aside == []
    return found


def _across(line: Line2D) -> list[float]:
    return [float(value) for value in np.asarray(line.get_xdata())]


def test_arms_of_one_setting_make_a_study(study: Study):
    assert [arm.arm.loss for arm in study.arms] == ["paper", "none", "tonedeaf", "mss", "mel"]
    assert study.title == "audio-only, dataset A1, preset tiny, path marginal"
    assert study.name == "bassnet-A1-tiny-audio_only-marginal"
    assert study.seeds == (0, 1, 2)
    assert study.values(study.arms[2], "raw_pitch_accuracy") == pytest.approx({0: 0.8, 1: 0.82, 2: 0.84})
    assert set(study.metrics) <= set(METRICS) == set(LABELS)


def test_conditions_are_studies_of_their_own(records: list[Record], make_evaluation: MakeRecord):
    found, _ = studies([*records, make_evaluation("mss", 0, condition="replace")])
    assert [one.condition for one in found] == ["audio-only", "replace"]


def test_the_papers_own_objective_alone_is_no_comparison(make_evaluation: MakeRecord):
    assert studies([make_evaluation("paper", seed) for seed in range(3)]) == ([], [])


def test_an_older_version_is_set_aside(records: list[Record], make_evaluation: MakeRecord):
    (found,), aside = studies([*(one for one in records if one.seed), make_evaluation("mss", 0, version=2)])
    assert [arm.arm.loss for arm in found.arms] == ["mss"]
    assert {one.reason for one in aside} == {"version 1 of the task; version 2 is published"}
    assert len(aside) == 10


def test_a_run_without_an_answer_is_named(records: list[Record], make_evaluation: MakeRecord):
    failed = make_evaluation("mel", 3, status="failed")
    (found,), _ = studies([*records, failed])
    assert found.failed == ["mel, seed 3: out of memory"]
    assert "- mel, seed 3: out of memory" in study_markdown(found)


def test_the_figure_shows_every_seed_and_the_interval(study: Study):
    rows = training_rows(study, "raw_pitch_accuracy")
    assert [row and row.label for row in rows] == ["paper", "none", "tonedeaf", "mss", "mel"]
    assert rows[3] is not None
    assert rows[3].values == pytest.approx((0.4, 0.42, 0.44))
    assert rows[3].mean == seed_mean(list(rows[3].values))
    figure = figure_training(study)
    panel = figure.axes[0]
    circles = [line for line in panel.lines if line.get_marker() == "o"]
    assert [_across(line) for line in circles] == [list(row.values) for row in rows if row]
    assert [rows[3].mean.low, rows[3].mean.high] in [_across(line) for line in panel.lines if len(_across(line)) == 2]
    caption = " ".join(text.get_text() for text in figure.texts)
    assert "seeds 0, 1, 2" in caption
    assert "audio-only, dataset A1" in caption


def test_an_arm_without_a_metric_has_an_empty_row(records: list[Record], make_evaluation: MakeRecord):
    bare = msgspec.structs.replace(make_evaluation("bare", 0), metrics={"raw_pitch_accuracy": 0.1})
    (found,), _ = studies([*records, bare])
    assert training_rows(found, "median_cents")[-1] is None
    figure_training(found)


def test_a_panel_shows_every_seed_and_cuts_intervals_that_few_seeds_make_wide(make_evaluation: MakeRecord):
    """Errors of 0.1 and 90 cents: a logarithmic axis."""
    pitches = {"paper": (0.999, 0.999), "mss": (0.1, 0.9)}
    (found,), _ = studies(
        [make_evaluation(loss, seed, pitch=pitch) for loss, pair in pitches.items() for seed, pitch in enumerate(pair)]
    )
    accuracy, _chroma, cents = figure_training(found).axes[:3]
    low, high = accuracy.get_xlim()
    assert 0 < low < 0.1
    assert 0.999 < high < 1.1
    assert (accuracy.get_xscale(), cents.get_xscale()) == ("linear", "log")
    least, most = cents.get_xlim()
    assert least < 0.1
    assert most > 90


def _standing(name: str, pitch: float) -> Standing:
    cell = ("sines", "pitch_analytic")
    return Standing(name, {cell: pitch, ("sines", "level_analytic"): 1.0}, 0, False, {cell: (pitch, pitch)})


@pytest.fixture
def board(make_record: MakeRecord) -> Board:
    return boards([make_record(task_params={"sample_rate": 44100.0, "duration": 0.5})])[0][0]


STANDINGS = [_standing("tonedeaf", 0.9), _standing("mss", 0.5), _standing("mel", 0.6), _standing("untrained", 0.1)]


def test_what_ranking_foretold_is_over_the_distances_that_have_both(study: Study, board: Board):
    primary, mean = shown_pairs(STANDINGS, study)
    assert primary.primary
    assert not mean.primary
    points = foretold(primary, study)
    assert [(one.distance, one.accuracy) for one in points] == [("mel", 0.6), ("mss", 0.5), ("tonedeaf", 0.9)]
    assert [one.learnt for one in points] == pytest.approx([0.32, 0.42, 0.82])
    assert primary.found.rho == pytest.approx(0.5)  # ranks 2, 1, 3 and 1, 2, 3
    figure = figure_foretelling(board, STANDINGS, study)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    drawn = {(_across(line)[0], float(np.asarray(line.get_ydata())[0])) for line in dots}
    assert drawn == {(one.accuracy, one.learnt) for one in points}
    assert figure.axes[0].get_title(loc="left") == "Spearman's ρ = +0.50, p = 1, 3 distances"
    # Numbers in the points, in the order of what was learnt; whose they are stands beside the last panel.
    assert {text.get_text(): text.get_position() for text in figure.axes[0].texts} == {
        number: pytest.approx((one.accuracy, one.learnt))
        for number, one in zip("321", points, strict=True)
        if (number, one.distance) in {("3", "mel"), ("2", "mss"), ("1", "tonedeaf")}
    }
    beside = [text.get_text() for text in figure.axes[-1].texts][len(points) :]
    assert beside == ["1", "tonedeaf", "2", "mss", "3", "mel"]


def test_two_distances_foretell_nothing(study: Study, board: Board):
    assert shown_pairs(STANDINGS[:2], study) == []
    with pytest.raises(ValueError, match="fewer than three distances"):
        figure_foretelling(board, STANDINGS[:2], study)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.5], "0.500"), ([80.0, 90.0, 100.0], "90.0 (65.2 to 114.8)"), ([0.9, 0.94, 0.92], "0.920 (0.870 to 0.970)")],
)
def test_means_are_printed_with_their_intervals(values: list[float], expected: str):
    assert mean_text(seed_mean(values)) == expected


def test_other_paths_are_other_studies(make_evaluation: MakeRecord):
    def along(path: str, loss: str) -> Record:
        record = make_evaluation(loss, 0)
        task = msgspec.structs.replace(record.task, params={**record.task.params, "path": path})
        return msgspec.structs.replace(record, task=task)

    found, _ = studies([along(path, loss) for path in ("marginal", "soft") for loss in ("mss", "paper")])
    assert [{arm.arm.loss for arm in study.arms} for study in found] == [{"mss", "paper"}] * 2
    assert len({study.name for study in found}) == 2


def test_trainings_from_nothing_of_other_lengths_are_other_studies(make_evaluation: MakeRecord):
    def of_steps(steps: int, loss: str) -> Record:
        record = make_evaluation(loss, 0)
        params = {**record.task.params, "config": {"training": {"max_steps": steps}}}
        return msgspec.structs.replace(record, task=msgspec.structs.replace(record.task, params=params))

    found, aside = studies([of_steps(steps, loss) for steps in (1500, 3000) for loss in ("paper", "mss")])
    assert aside == []
    assert sorted(study.settings["steps"] for study in found) == ["1500", "3000"]


def test_the_study_of_the_pair_that_was_named_in_advance_comes_first(make_evaluation: MakeRecord):
    small = [make_evaluation(loss, 0) for loss in ("paper", "mss")]
    large = [make_evaluation(loss, seed, path="soft") for loss in ("paper", "mss") for seed in (0, 1, 2)]
    alone = [make_evaluation("mel", seed, condition="replace") for seed in (0, 1)]
    found, _ = studies([*alone, *large, *small])
    assert [(study.condition, study.settings["path"]) for study in found] == [
        ("audio-only", "marginal"),
        ("audio-only", "soft"),
        ("replace", "marginal"),
    ]
