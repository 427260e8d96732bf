"""The place of the minimum: where, over the whole range of pitch, does a distance say that it is nearest?

For each trial, predictions over the task's range of pitch, in steps of 50 cents from its lowest pitch, are compared
with the trial's target; around the five nearest, again in steps of 10 cents up to the neighbours. The nearest of all
is the minimum; it is right if it is within 50 cents of the target. Twice: with the prediction's other coordinates those
of the target (level matched), and with those that the trial drew for the prediction (level unmatched). What else was
drawn for the prediction (phases, envelope) is the trial's throughout.

If several predictions are equally near, exactly, all of them must be right; otherwise the trial is a tie, and wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ..benchmarks.task import PITCH, Task, Trials
from ..losses import AudioDistance
from ..results.intervals import Proportion
from .answers import Answer
from .plane import (
    Plane,
    across,
    batches_of,
    check_plane,
    compared,
    plane_of,
    repeated,
    repeated_representation,
    represented_target,
)
from .questions import Question, ask
from .ranking import NonFiniteError, one_thread_each
from .resources import Resources
from .work import Asked, Work

KIND = "minimum"
TOLERANCE_CENTS = 50.0
COARSE_CENTS, FINE_CENTS, REFINED = 50.0, 10.0, 5
"""Steps of the first and the second search, and around how many places the second is."""
MODES = ("level_matched", "level_unmatched")
METRICS = tuple(f"minimum_within_{TOLERANCE_CENTS:g}_cents_{mode}" for mode in MODES)
"""The keys of the two results, for the two modes."""

_Floats = NDArray[np.float64]


def question_of(cell: Question, trials: int) -> Question:
    """The question of the minimum, for the distance, task and seed of a ranking's cell.

    Raises:
        ValueError: if ``trials`` is below 1.
    """
    if trials < 1:
        raise ValueError(f"minimum must be at least 1 trial, got {trials}")
    search = {"coarse_cents": COARSE_CENTS, "fine_cents": FINE_CENTS, "refined": REFINED}
    return ask(cell, kind=KIND, seed=cell.seed, trials=trials, parameters={"search": search})


def work_of(question: Question) -> Work:
    """How a question is answered: its trials can be divided among workers."""
    return Work(question, measure, conclude=metrics_of)


def measure(distance: AudioDistance, asked: Asked) -> Answer:
    """The answer for some of a question's trials: see :func:`minima`."""
    return minima(
        distance,
        asked.question.task,
        seed=asked.question.seed,
        share=asked.share,
        resources=asked.resources,
        progress=asked.progress,
    )


@dataclass(frozen=True)
class Minimum:
    """Where one trial has its minimum.

    Attributes:
        cents: from the target, upwards; of several equal ones, the furthest.
        distance: there.
        tied: whether equal ones are, and not all within the tolerance.
    """

    cents: float
    distance: float
    tied: bool


def minima(
    distance: AudioDistance,
    task: Task,
    *,
    seed: int,
    share: range,
    resources: Resources,
    progress: Callable[[int], None] = lambda _done: None,
) -> Answer:
    """The proportion of trials whose minimum is right, and where each has it.

    The table has one row a trial: ``trial``, and for each mode ``offset_cents_…``, ``distance_…`` and ``tied_…`` (see
    :class:`Minimum`).

    Args:
        distance: made for the task's sample rate, on the device.
        task: whose trials are searched.
        seed: of the trials.
        share: their numbers.
        resources: with what to compute. Predictions are batched within its memory; trials run side by side.
        progress: called with 1 for each trial.

    Raises:
        SkippedError: if the task has no pitch or level, or its signals are too short.
        NonFiniteError: if a distance is NaN or infinite; it names the trial and the pitch.
    """
    check_plane(task, distance)
    plane = plane_of(task)
    drawn = task.trials(seed, share.start, share.stop).to(resources.device)
    first = task.trials(seed, 0, 1).to(resources.device)  # whatever the share, so that its batches are the same
    batches = batches_of(distance, task, across(first, plane), resources)

    def search(place: int) -> tuple[Minimum, ...]:
        what = f"trial {share[place]} (seed {seed})"
        return _search(distance, task, plane, drawn[place : place + 1], size=batches.size, what=what)

    found: list[tuple[Minimum, ...]] = []
    with one_thread_each(resources.device):
        for both in resources.executor.map(batches.limited(search), range(len(share))):
            found.append(both)
            progress(1)
    columns: dict[str, Any] = {"trial": share}
    for number, mode in enumerate(MODES):
        each = [both[number] for both in found]
        columns[f"offset_cents_{mode}"] = [minimum.cents for minimum in each]
        columns[f"distance_{mode}"] = [minimum.distance for minimum in each]
        columns[f"tied_{mode}"] = [minimum.tied for minimum in each]
    table = pl.DataFrame(columns)
    return Answer(metrics_of(table), table)


def metrics_of(table: pl.DataFrame) -> dict[str, Any]:
    """The proportion of trials whose minimum is right, for each mode."""
    metrics: dict[str, Any] = {}
    for mode, metric in zip(MODES, METRICS, strict=True):
        right = int((table[f"offset_cents_{mode}"].abs() <= TOLERANCE_CENTS).sum())
        ties = int(table[f"tied_{mode}"].sum())
        metrics[metric] = Proportion.of(right, table.height, ties=ties).as_metric()
    return metrics


def _search(
    distance: AudioDistance, task: Task, plane: Plane, drawn: Trials, *, size: int, what: str
) -> tuple[Minimum, ...]:
    """The minimum of one trial in each mode; the target is represented once."""
    trial = across(drawn, plane)
    target = represented_target(distance, task, trial)
    low, high = plane.pitch

    def distances(visited: NDArray[np.int64], matched: bool) -> _Floats:
        pitches: _Floats = low + FINE_CENTS * visited.astype(np.float64)
        parts: list[_Floats] = []
        for start in range(0, pitches.size, size):
            pitch = torch.from_numpy(pitches[start : start + size]).to(trial.target[PITCH.name])
            others = repeated(trial, len(pitch))
            coordinates = {**(others.target if matched else others.prediction), PITCH.name: pitch}
            with torch.no_grad():
                there = compared(distance, task, others, coordinates, repeated_representation(target, len(pitch)))
            parts.append(there.double().cpu().numpy())
        values = np.concatenate(parts)
        if not np.isfinite(values).all():
            hertz = 2 ** (pitches[~np.isfinite(values)][0] / 1200)
            raise NonFiniteError(f"the distance is not finite: prediction at {hertz:.1f} Hz of {what}")
        return values

    at = float(trial.target[PITCH.name])
    # places are counted in fine steps from the lowest pitch, so that none is visited twice
    stride = round(COARSE_CENTS / FINE_CENTS)
    places = int((high - low) / FINE_CENTS + 1e-6) + 1
    coarse = np.arange(0, places, stride)
    around = np.array([step for step in range(1 - stride, stride) if step])
    found: list[Minimum] = []
    for mode in MODES:
        matched = mode == "level_matched"
        first = distances(coarse, matched)
        best = np.argsort(first, kind="stable")[:REFINED]
        fine = np.unique(coarse[best, None] + around)
        fine = fine[(fine >= 0) & (fine < places)]
        values = np.concatenate([first, distances(fine, matched)])
        offsets = low + FINE_CENTS * np.concatenate([coarse, fine]) - at
        nearest = offsets[values == values.min()]
        furthest = float(nearest[np.abs(nearest).argmax()])
        tied = nearest.size > 1 and abs(furthest) > TOLERANCE_CENTS
        found.append(Minimum(furthest, float(values.min()), bool(tied)))
    return tuple(found)
