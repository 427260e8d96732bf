"""Evaluations as tables: ours beside the paper's, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tonedeaf.bassnet.patterns import PATTERNS as COMPOSED
from tonedeaf.results import Record
from tonedeaf.results.bassnet_evaluation import PATTERNS
from tonedeaf.results.bassnet_text import interval_text, metrics_table, number_text, paper_table

MakeRecord = Callable[..., Record]


def metric(value: float | None, spread: float = 0.01) -> dict[str, Any]:
    if value is None:
        return {"value": None, "low": None, "high": None, "n": 0, "songs": 0}
    return {"value": value, "low": value - spread, "high": value + spread, "n": 100, "songs": 2}


def an_evaluation(
    make_record: MakeRecord,
    dataset: str = "A1",
    *,
    window: tuple[int, int] = (20, 20),
    cross_reconstruction: bool = True,
    trained_on: tuple[str, str] | None = None,
    level: str = "absolute",
    f0_weight: float = 1.0,
    **metrics: Any,
) -> Record:
    name, digest = trained_on or (dataset, "a")
    return make_record(
        kind="evaluation",
        distance="paper",
        task="bassnet",
        task_params={
            "dataset": dataset,
            "digest": "a" * 64,
            "renderer": "fluidsynth",
            "songs": 1,
            "trained_on": {"dataset": name, "digest": digest * 64},
            "config": {
                "model": {"window": window[0], "expanded": window[1], "maps": 16},
                "objective": {
                    "cross_reconstruction": cross_reconstruction,
                    "level": level,
                    "kl_weight": 0.003,
                    "f0_weight": f0_weight,
                },
                "cqt": {"bins_per_octave": 36},
            },
        },
        metrics={"f0_cross_entropy": metric(0.25), "qda_accuracy": metric(0.98)} | metrics,
    )


def a_training(make_record: MakeRecord, evaluation: Record, songs: int) -> Record:
    """Of the model that an evaluation judged."""
    params = evaluation.task.params
    return make_record(
        kind="training",
        distance="paper",
        task="bassnet",
        task_params={**params["trained_on"], "config": params["config"]},
        metrics={"training_songs": songs},
    )


def cells(record: Record, *trainings: Record) -> dict[str, str]:
    table = paper_table([record], trainings)
    return dict(zip(table.headings, table.rows[0], strict=True))


def test_the_papers_value_stands_behind_ours(make_record: MakeRecord):
    found = cells(an_evaluation(make_record, commonest_pattern=0.540))
    assert found["share of the commonest pattern"] == "0.540", "what there is to beat"
    assert found["f0 cross-entropy (paper)"] == "0.250 (0.297)"
    assert found["QDA accuracy (95 %)"] == "0.980 (0.970–0.990)"
    assert found["QDA accuracy in the paper (its size)"] == "1.000 (20/20)"
    assert (found["dataset"], found["size"], found["bins/maps"]) == ("A1, fluidsynth", "20/20", "36/16")
    assert (found["loss"], found["cross-reconstruction"], found["seed"]) == ("paper", "yes", "0")
    assert (found["KL weight"], found["steps"], found["judged on"]) == ("0.003", "–", "1 song")
    assert cells(an_evaluation(make_record, steps=1500))["steps"] == "1500"


def test_the_ablation_stands_beside_table_3(make_record: MakeRecord):
    record = an_evaluation(make_record, "A4", window=(10, 10), cross_reconstruction=False)
    found = cells(record)
    assert found["f0 cross-entropy (paper)"] == "0.250", "Table 1 is of the other objective"
    assert found["QDA accuracy in the paper (its size)"] == "0.801 (40/40)"
    assert any("of 40/40 only (Table 3)" in note for note in paper_table([record]).notes)


def test_what_the_paper_does_not_have_is_a_dash(make_record: MakeRecord):
    found = cells(an_evaluation(make_record, "stems", qda_accuracy=metric(None)))
    assert (
        found["QDA accuracy in the paper (its size)"]
        == found["QDA accuracy (95 %)"]
        == found["QDA accuracy in folds of other songs"]
        == "–"
    )
    assert found["level cross-entropy (paper)"] == "–"
    assert found["f0 cross-entropy (paper)"] == "0.250"


def test_the_record_of_a_training_says_on_how_many_songs(make_record: MakeRecord):
    record = an_evaluation(make_record)
    longer = an_evaluation(make_record, window=(40, 40))
    elsewhere = an_evaluation(make_record, trained_on=("A1", "b"))
    trainings = [a_training(make_record, longer, 5), a_training(make_record, elsewhere, 7)]
    assert cells(record, record, *trainings)["trained on"] == "–", "of another model, and on other data"
    assert cells(record, *trainings, a_training(make_record, record, 22))["trained on"] == "22 songs"
    assert cells(longer, *trainings)["trained on"] == "5 songs"
    single = a_training(make_record, record, 1)
    table = metrics_table([record], [single])
    assert table.rows[0][table.headings.index("trained on")] == "1 song"


def test_other_data_than_it_was_trained_on_are_marked(make_record: MakeRecord):
    record = an_evaluation(make_record, "A2", trained_on=("A1", "b"))
    assert cells(record)["dataset"] == "A2, fluidsynth"
    assert cells(record)["trained on"] == "A1"
    assert cells(record, a_training(make_record, record, 22))["trained on"] == "22 songs of A1"
    again = an_evaluation(make_record, "A1", trained_on=("A1", "b"))
    assert cells(again, a_training(make_record, again, 22))["trained on"] == "22 songs of another A1"
    assert any("songs of another one" in note for note in paper_table([record]).notes)
    assert not any("songs of another one" in note for note in paper_table([an_evaluation(make_record)]).notes)


def test_patterns_that_no_song_plays_are_counted(make_record: MakeRecord):
    def judged(dataset: str, *patterns: int) -> str:
        record = an_evaluation(make_record, dataset, quadratic_classifier={"patterns": list(patterns)})
        return cells(record)["patterns judged"]

    assert judged("A1", 1, 2) == "2 of 3"
    assert judged("A4", 0, 1, 3, 4) == "4 of 5"
    assert judged("A2", 0, 1) == "2 of 2"
    assert judged("of my own", 0, 1) == "2"
    assert cells(an_evaluation(make_record, quadratic_classifier=None))["patterns judged"] == "–"


def test_every_dataset_has_as_many_patterns_as_are_composed():
    assert {name: len(patterns) for name, patterns in COMPOSED.items()} == PATTERNS


def test_an_unusual_weight_of_f0_stands_beside_the_loss(make_record: MakeRecord):
    assert cells(an_evaluation(make_record, f0_weight=3.0))["loss"] == "paper, f0 weight 3"


def test_levels_of_another_kind_are_marked(make_record: MakeRecord):
    def notes(level: str) -> str:
        return " ".join(paper_table([an_evaluation(make_record, level=level)]).notes)

    assert "absolute" in notes("absolute")
    assert "absolute" not in notes("minmax")


def test_numbers_without_an_interval_are_printed_alone(make_record: MakeRecord):
    record = an_evaluation(make_record, plain=0.5, nothing=None)
    assert interval_text(record, "plain") == number_text(record, "plain") == "0.500"
    assert interval_text(record, "nothing") == interval_text(record, "absent") == "–"
    assert interval_text(record, "qda_accuracy", 1) == "1.0 (1.0–1.0)"


def test_markdown_is_a_table(make_record: MakeRecord):
    records = [an_evaluation(make_record), an_evaluation(make_record, "A2", raw_pitch_accuracy=metric(0.95))]
    for table in (paper_table(records), metrics_table(records)):
        lines = table.markdown().splitlines()
        columns = lines[0].count("|")
        assert all(line.count("|") == columns for line in lines[:4])
        assert lines[1].startswith("| --- |")
        assert "--:" in lines[1]
        assert len([line for line in lines if line.startswith("|")]) == 4
    assert "0.950 (0.940–0.960)" in metrics_table(records).markdown()
