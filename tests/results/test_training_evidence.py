"""What losses say of pitch before they teach it: means over seeds, in the order of what was learnt, of one study."""

from collections.abc import Callable
from typing import Any

import msgspec

from tonedeaf.results import Record
from tonedeaf.results.studies import Study, studies
from tonedeaf.results.training_evidence import evidence_markdown

MakeRecord = Callable[..., Record]


def said(evaluation: Record, right: float | None, **params: Any) -> Record:
    """The record of the training of what was evaluated."""
    evidence = right and {"notes": 64, "right": right, "near": 1.0, "semitones_above": right - 0.5}
    task = msgspec.structs.replace(evaluation.task, params={**evaluation.task.params, **params})
    return msgspec.structs.replace(evaluation, kind="training", task=task, metrics={"evidence": evidence})


def one_study(records: list[Record]) -> Study:
    (study,), _ = studies(records)
    return study


def rows(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line[:3] == "| `"]


def test_a_line_a_loss_the_best_taught_first(make_evaluation: MakeRecord):
    mss = [make_evaluation("mss", seed, pitch=0.6) for seed in (0, 1)]
    mel, paper = make_evaluation("mel", 0, pitch=0.8), make_evaluation("paper", 0)
    study = one_study([*mss, mel, paper])
    records = [said(mss[0], 0.7), said(mss[1], 0.9), said(mel, 0.2), said(paper, None)]
    unjudged = msgspec.structs.replace(said(mel, 0.97), seed=1)
    other_version = msgspec.structs.replace(mel, task=msgspec.structs.replace(mel.task, version=2))
    other_settings = [said(mel, 0.99, path="soft"), said(mel, 0.98, segments=12), said(other_version, 0.96)]
    others = [*other_settings, unjudged, mel]
    found = evidence_markdown(study, [*records, *others])
    assert [row[0] for row in rows(found)] == ["`mel`", "`mss`"]
    assert rows(found)[0] == ["`mel`", "1", "0.200", "1.000", "−0.30", "0.800"]
    assert rows(found)[1][1] == "2"
    assert rows(found)[1][2].startswith("0.800 (0.000 to 1.000)"), "Student's t of two seeds, cut off at what can be"
    assert rows(found)[1][4] == "+0.30"
    assert found.endswith("Of 64 draws of a note of the validation songs a seed.\n"), "two losses have no correlation"
    assert evidence_markdown(study, others) == ""


def test_five_losses_have_a_correlation(make_evaluation: MakeRecord):
    named = ("mss", "mel", "mfcc", "log_mss", "snr")
    arms = [make_evaluation(loss, 0, pitch=0.1 + place / 10) for place, loss in enumerate(named)]
    found = evidence_markdown(one_study(arms), [said(arm, 0.2 + n / 10) for n, arm in enumerate(arms)])
    told = "Exploratory, true pitch nearest and raw pitch accuracy: Spearman's ρ = +1.00, p = 0.017, 5 distances."
    assert told in found  # 2 of 120 orders


def test_a_later_record_of_the_same_arm_counts(make_evaluation: MakeRecord):
    one = make_evaluation("mss", 0)
    earlier = said(one, 0.1)
    later = msgspec.structs.replace(said(one, 0.4), started=earlier.started.replace(year=2027))
    study = one_study([one, make_evaluation("mel", 0)])
    for order in ([earlier, later], [later, earlier]):
        assert rows(evidence_markdown(study, order))[0][2] == "0.400"
