"""What losses say of models that they did not teach: orders over the arms, of one study, means over seeds."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tonedeaf.results import Record
from tonedeaf.results.studies import Study, studies
from tonedeaf.results.training_judges import judges_markdown

MakeRecord = Callable[..., Record]
PITCH = {"paper": 0.9, "mss": 0.7, "mel": 0.5, "mfcc": 0.3, "none": 0.1}


def one_study(records: list[Record]) -> Study:
    (study,), _ = studies(records)
    return study


def judged(evaluation: Record, opinions: Mapping[str, float | None], **params: Any) -> Record:
    task = msgspec.structs.replace(evaluation.task, params={**evaluation.task.params, **params})
    return msgspec.structs.replace(evaluation, kind="training", task=task, metrics={"judged_by": opinions})


def rows(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line[:3] == "| `"]


def test_a_judge_agrees_if_it_prefers_the_better_models(make_evaluation: MakeRecord):
    evaluations = [make_evaluation(loss, seed, pitch=pitch) for loss, pitch in PITCH.items() for seed in (0, 1)]
    # mel is right in the mean over the seeds only; mss prefers what it taught, and has the rest the wrong way round
    records = [
        judged(one, {"mel": 1 - PITCH[loss] + (one.seed - 0.5) * n, "mss": 0.0 if loss == "mss" else PITCH[loss]})
        for n, one in enumerate(evaluations)
        for loss in (one.distance.name,)
    ]
    other = [judged(one, {"mel": 9.0, "mss": 9.0}, segments=12) for one in evaluations]
    study = one_study(evaluations)
    found = judges_markdown(study, [*other, *records])
    assert found.startswith(f"**{study.title}**; 5 models a seed, 2 seeds")
    assert [row[0] for row in rows(found)] == ["`mel`", "`mss`"], "by agreement"
    assert rows(found)[0][1] == "+1.00 (4)"
    assert rows(found)[1] == ["`mss`", "−1.00 (4)", "–", "`mss`", "1"], "what it says of its own is left out"
    assert judges_markdown(study, records[:8]) == "", "of four models"


def test_a_judge_that_could_not_say_of_a_model_is_left_out(make_evaluation: MakeRecord):
    evaluations = [make_evaluation(loss, 0, pitch=pitch) for loss, pitch in PITCH.items()]
    opinions = [{"mel": float(n), "mss": None if n == 2 else 1.0 * n} for n in range(5)]
    records = [judged(one, said) for one, said in zip(evaluations, opinions, strict=True)]
    found = rows(judges_markdown(one_study(evaluations), records))
    assert [row[0] for row in found] == ["`mel`"]
    assert found[0][1] == "+1.00 (4)"
    assert judges_markdown(one_study(evaluations), [judged(one, {}) for one in evaluations]) == ""
