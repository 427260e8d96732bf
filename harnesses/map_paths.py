"""Paths over a map: where descents end that start from anywhere and have one target.

The map's target, and all that the task draws for it, are those of the map; the starts are the pitches and levels of the
seed's first trials, the same for every target and distance. One learning rate for all: a picture of ways, where
``tonedeaf descend`` counts arrivals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import polars as pl

from ..benchmarks.task import LEVEL, PITCH, Task, Trials
from ..losses import AudioDistance
from .answers import Answer, SkippedError
from .descent import Paths, descend, kept_steps
from .landscape_cells import Target
from .plane import batches_of, check_plane, plane_of, repeated
from .ranking import one_thread_each
from .resources import Resources
from .work import Asked

KIND = "paths"
STEPS, RATE = 500, 0.1
"""Of Adam; the rate in units of :mod:`.descent`: 34 cents or 0.1 dB at most in a step."""


def parameters(targets: Sequence[Target]) -> dict[str, Any]:
    """What a record says beside the task's parameters."""
    return {"targets": [asdict(target) for target in targets], "descent": {"steps": STEPS, "rate": RATE}}


def measured(targets: Sequence[Target], starts: int, distance: AudioDistance, asked: Asked) -> Answer:
    """One row for each target and start: ``target`` and ``start`` (numbers), ``end`` (as of a descent), and the path.

    The path is three lists: ``path_step``, ``path_pitch_hz``, ``path_level_db``; metrics: ``reached``, the number of
    paths that end within 50 cents and 1 dB, for each target.

    Raises:
        SkippedError: if the distance has no gradient, the task no pitch or level, or its signals are too short.
        NonFiniteError: if a gradient is NaN or infinite.
    """
    if not distance.differentiable:
        raise SkippedError("the distance is not differentiable: there is no gradient to descend")
    task, seed = asked.question.task, asked.question.seed
    check_plane(task, distance)
    places = task.trials(seed, 0, starts).prediction
    moved = {axis.name: places[axis.name] for axis in (PITCH, LEVEL)}
    frames: list[pl.DataFrame] = []
    with one_thread_each(asked.resources.device):
        for number, target in enumerate(targets):
            drawn = repeated(target.of(task.trials(seed, target.trial, target.trial + 1)), starts)
            trials = replace(drawn, prediction={**drawn.prediction, **moved})
            found = _descended(distance, task, trials.to(asked.resources.device), asked.resources)
            frames.append(_frame(number, target, found))
            asked.progress(starts)
    table = pl.concat(frames)
    reached = [int((frame["end"] == "reached").sum()) for frame in frames]
    return Answer({"reached": reached, "starts": starts}, table)


def _descended(distance: AudioDistance, task: Task, trials: Trials, resources: Resources) -> Paths:
    plane, starts = plane_of(task), len(trials)
    size = batches_of(distance, task, trials[:1], resources).size
    return Paths.concatenate(
        [
            descend(distance, task, plane, trials[first : first + size], first=first, rate=RATE, steps=STEPS)
            for first in range(0, starts, size)
        ]
    )


def _frame(number: int, target: Target, paths: Paths) -> pl.DataFrame:
    kept, starts = kept_steps(STEPS), len(paths.cents)
    return pl.DataFrame(
        {
            "target": np.full(starts, number, dtype=np.int32),
            "start": range(starts),
            "end": paths.ends(),
            "path_step": [kept] * starts,
            "path_pitch_hz": np.exp2((paths.cents[:, kept] + target.cents) / 1200).tolist(),
            "path_level_db": (paths.decibels[:, kept] + target.level_db).tolist(),
        }
    )
