"""What the report shows of training: studies, their arms over seeds, how ranking foretold them, and how they sound.

A record of kind ``evaluation`` may point to sounds: artefacts named ``mix``, ``bass`` (the true one) and ``prediction``
(the arm's), in any format that libsndfile reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .figure_foretelling import RANKINGS, association_text, foretold, shown_pairs
from .publication import Publication
from .record import Record
from .report_board import Numbers, rounded
from .seed_intervals import SeedMean
from .sound import data_uri, excerpt
from .studies import LABELS, Study
from .training_comparison import METRICS, ArmResult

SOUNDS = ("mix", "bass", "prediction")
SECONDS = 8.0
"""Of each sound, from its beginning."""


def training_data(publication: Publication, numbers: Numbers) -> list[dict[str, Any]]:
    """The studies, the largest first."""
    return [_study(publication, study, numbers) for study in publication.studies]


def _study(publication: Publication, study: Study, numbers: Numbers) -> dict[str, Any]:
    ranking = publication.ranking_of(study)
    return {
        "title": study.title,
        "task": study.task,
        "version": study.version,
        "seeds": list(study.seeds),
        "metrics": [
            {"name": name, "label": LABELS[name][0], "unit": LABELS[name][1], "more": METRICS[name]}
            for name in study.metrics
        ],
        "arms": [_arm(study, arm, numbers) for arm in study.arms],
        "failed": study.failed,
        "foretold": [
            {
                "label": RANKINGS[pair.ranking],
                "primary": pair.primary,
                "text": association_text(pair.found),
                "points": [
                    [one.distance, rounded(one.accuracy), rounded(one.learnt), one.low, one.high]
                    for one in foretold(pair, study)
                ],
            }
            for pair in (shown_pairs(ranking[1], study) if ranking else [])
        ],
        "sounds": _sounds(publication, study),
    }


def _arm(study: Study, arm: ArmResult, numbers: Numbers) -> dict[str, Any]:
    return {
        "distance": arm.arm.loss,
        "label": arm.arm.loss,
        "seeds": list(arm.seeds),
        "means": {name: _mean(mean) for name, mean in arm.metrics.items()},
        "against_paper": {name: _mean(mean) for name, mean in arm.against_paper.items()},
        "values": {name: [rounded(value) for value in study.values(arm, name).values()] for name in arm.metrics},
        "records": [numbers[study.runs[arm.arm][seed].key] for seed in arm.seeds],
    }


def _mean(mean: SeedMean) -> list[float | None]:
    return [None if end is None else rounded(end) for end in (mean.value, mean.low, mean.high)]


def _sounds(publication: Publication, study: Study) -> dict[str, Any] | None:
    """Of the lowest seed for which an arm has them: mix and true bass once, and each arm's bass; None without any."""
    for seed in study.seeds:
        runs = [(arm, study.runs[arm.arm][seed]) for arm in study.arms if seed in arm.seeds]
        found = {arm.arm.loss: sounds for arm, record in runs if (sounds := sound_files(publication, record))}
        arms = {label: _uri(sounds["prediction"]) for label, sounds in found.items() if "prediction" in sounds}
        if arms:
            shared = {name: next((one[name] for one in found.values() if name in one), None) for name in SOUNDS[:2]}
            return {
                "seed": seed,
                "arms": arms,
                **{name: _uri(path) for name, path in shared.items() if path is not None},
            }
    return None


def sound_files(publication: Publication, record: Record) -> dict[str, Path]:
    """The sounds that a record points to, by name."""
    return {
        artefact.name: publication.collection.artefact(record, artefact.path)
        for artefact in record.artefacts
        if artefact.name in SOUNDS
    }


def _uri(path: Path) -> str:
    return data_uri(excerpt(path, SECONDS))
