"""The records of how a study's arms were trained, beside those of how they were judged."""

from __future__ import annotations

from collections.abc import Sequence

from .record import Record
from .studies import Study
from .training_comparison import SHARED, ArmName, arm_of, setting

KIND = "training"


def trainings(study: Study, arm: ArmName, records: Sequence[Record]) -> dict[int, Record]:
    """Seed to the newest record of an arm's training that came to its end, in the order of the seeds.

    Args:
        study: whose arm: data, preset, path, steps and segments must be its own.
        arm: of the study.
        records: of any kinds.
    """
    newest: dict[int, Record] = {}
    for record in records:
        if record.kind != KIND or record.status != "ok" or arm_of(record) != arm:
            continue
        params = record.task.params
        settings = {name: None if (found := setting(params, name)) is None else str(found) for name in SHARED}
        # A training knows of the songs that it learns from, whatever songs judge it.
        of_study = settings == {**{name: study.settings.get(name) for name in SHARED}, "digest": study.trained_on}
        of_task = (record.task.name, record.task.version) == (study.task, study.version)
        if of_study and of_task and not (record.seed in newest and record.started < newest[record.seed].started):
            newest[record.seed] = record
    return dict(sorted(newest.items()))
