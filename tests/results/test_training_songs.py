"""The table of losses against each other, over songs and seeds."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tonedeaf.results import Record
from tonedeaf.results.studies import Study, studies
from tonedeaf.results.training_songs import songs_markdown

MakeRecord = Callable[..., Record]
HELD_OUT = {"split": "all", "digest": "other"}


def study_of(
    make: MakeRecord,
    arms: Mapping[str, float],
    metric: str = "raw_pitch_accuracy",
    *,
    spread: Mapping[str, tuple[float, ...]] | None = None,
    pitches: Mapping[str, float] | None = None,
    trained_on: str = "d",
    **more: Any,
) -> Study:
    """Three seeds of each loss, judged by two songs of which the second is harder by .2."""
    records: list[Record] = []
    learnt = {"trained_on": {"digest": trained_on * 8, "dataset": "A1"}}
    for loss, value in arms.items():
        for seed in range(3):
            record = make(loss, seed, **more)
            own = value + (spread or {}).get(loss, (0.0, 0.01, 0.02))[seed]
            parts = [[100 * own, 100], [100 * (own - 0.2), 100]]
            pitch = (pitches or {}).get(loss, 0.9)
            figures = {
                "raw_pitch_accuracy": {"value": pitch, "songs": 2, "of_songs": [[90, 100], [90, 100]]},
                metric: {"value": value - 0.09, "songs": 2, "of_songs": parts},
            }
            task = msgspec.structs.replace(record.task, params={**record.task.params, **HELD_OUT, **learnt})
            records.append(msgspec.structs.replace(record, task=task, metrics={**record.metrics, **figures}))
    (study,), _ = studies(records)
    return study


def rows(markdown: str) -> dict[str, list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_each_loss_stands_against_the_paper_and_the_common_ones(make_evaluation: MakeRecord):
    study = study_of(make_evaluation, {"paper": 0.9, "mss": 0.6, "tonedeaf": 0.7})
    found = songs_markdown(study)
    assert "| loss | raw pitch accuracy | against `paper` | against `mss` |" in found
    assert list(rows(found)) == ["paper", "tonedeaf", "mss"]
    # The mean of both songs and of seeds that add 0, .01 and .02; the interval holds what the harder song takes off.
    assert rows(found)["tonedeaf"][0].startswith("0.610 (0.50")
    assert rows(found)["tonedeaf"][1:] == [
        "**−0.200 (−0.200 to −0.200)**",
        "**+0.100 (+0.100 to +0.100)**",
    ]
    assert rows(found)["mss"][2] == "–", "against itself"
    assert found.endswith(
        "More is better. 3 seeds, each judged on the same 2 songs; no correction for so many comparisons.\n"
    )


def test_in_replace_the_harmonics_count(make_evaluation: MakeRecord):
    arms = {"paper": 9.0, "log_mss": 8.0, "mel": 12.0}
    study = study_of(make_evaluation, arms, "harmonic_db_level_free", condition="replace")
    found = songs_markdown(study)
    assert "| loss | harmonics, level-free: error (dB) | against `paper` | against `log_mss` |" in found
    assert rows(found)["log_mss"][1] == "**−1.000 (−1.000 to −1.000)**"
    assert rows(found)["mel"][2] == "**+4.000 (+4.000 to +4.000)**"
    assert "Less is better." in found


def test_records_that_do_not_tell_songs_apart_have_no_table(make_evaluation: MakeRecord):
    older = [make_evaluation(loss, seed) for loss in ("paper", "mss", "mel") for seed in (0, 1)]
    (study,), _ = studies(older)
    assert songs_markdown(study) == ""
    without_paper = study_of(make_evaluation, {"mss": 0.6, "mel": 0.5, "mfcc": 0.5})
    assert songs_markdown(without_paper) == ""


def test_an_arm_that_lacks_a_seed_is_left_out(make_evaluation: MakeRecord):
    study = study_of(make_evaluation, {"paper": 0.9, "mss": 0.6, "mel": 0.5, "mfcc": 0.4})
    records = [record for of_arm in study.runs.values() for record in of_arm.values()]
    fewer = [record for record in records if (record.distance.name, record.seed) != ("mel", 1)]
    (study,), _ = studies(fewer)
    found = songs_markdown(study)
    assert list(rows(found)) == ["paper", "mss", "mfcc"]
    assert found.endswith("of a seed or of newer records: `mel`.\n")


def test_what_seeds_do_not_agree_on_is_not_bold(make_evaluation: MakeRecord):
    """Every seed and song is in favour, so the bootstrap is sure; three seeds that differ so much are not (t)."""
    study = study_of(make_evaluation, {"paper": 0.5, "mss": 0.6}, spread={"mss": (0.01, 0.02, 0.4)})
    assert rows(songs_markdown(study))["mss"][1].startswith("+0.2")
    assert rows(songs_markdown(study))["paper"][2].startswith("−0.2")


def test_in_replace_an_arm_on_other_frames_is_left_out(make_evaluation: MakeRecord):
    arms = {"paper": 9.0, "log_mss": 8.0, "mel": 3.0}
    study = study_of(make_evaluation, arms, "harmonic_db_level_free", condition="replace", pitches={"mel": 0.1})
    assert list(rows(songs_markdown(study))) == ["paper", "log_mss"]


def test_the_same_songs_judge_trainings_on_two_datasets(make_evaluation: MakeRecord):
    both = [
        record
        for digest in ("d", "e")
        for of_arm in study_of(make_evaluation, {"paper": 0.9, "mss": 0.6}, trained_on=digest).runs.values()
        for record in of_arm.values()
    ]
    found, aside = studies(both)
    assert aside == []
    assert [study.trained_on for study in found] == ["d" * 8, "e" * 8]


def test_a_training_is_found_by_the_songs_it_learnt_from(make_evaluation: MakeRecord):
    from tonedeaf.results.training_records import trainings

    study = study_of(make_evaluation, {"paper": 0.9, "mss": 0.6})
    assert study.trained_on == "d" * 8
    evaluation = next(record for of_arm in study.runs.values() for record in of_arm.values())
    params = {name: value for name, value in evaluation.task.params.items() if name != "trained_on"}

    def training(digest: str) -> Record:
        task = msgspec.structs.replace(evaluation.task, params={**params, "digest": digest})
        return msgspec.structs.replace(evaluation, kind="training", task=task)

    arm = next(iter(study.runs))
    assert trainings(study, arm, [training("d" * 8)])
    assert not trainings(study, arm, [training("other")])
