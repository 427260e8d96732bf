"""Descent: does following a distance's gradient lead from a prediction to its target?

From the pitch and level of each trial's prediction, Adam takes a fixed number of steps down the distance from the
trial's target. Its coordinates have one unit: 1 dB, or 340 cents (the proportion of a map's cells, which is that of the
paper's ranges of level and pitch to each other), so that one learning rate serves both. After each step a coordinate
that has left the task's range is put back on its edge. Everything else that was drawn for the prediction stays.

A trial has **reached** its target if it ends within 50 cents and 1 dB of it. The learning rate is the one of
:data:`RATES` that reaches most on trials of its own, which follow those that are reported; of rates that reach as many,
the one that takes fewer steps. So the steps of two distances can be compared, each at the rate that suits it.

Adam (Kingma & Ba 2015) with β = (0.9, 0.999) and a negligible ε: a distance's scale does not matter. It treats each
coordinate by itself, so trials in one batch do not touch each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ..benchmarks.task import LEVEL, PITCH, Task, Trials
from ..losses import AudioDistance
from ..results.intervals import Proportion
from .answers import Answer, SkippedError
from .plane import Plane, across, batches_of, check_plane, compared, plane_of, represented_target
from .ranking import NonFiniteError, one_thread_each
from .resources import Resources

UNIT_CENTS, UNIT_DB = 340.0, 1.0
"""What a step of 1 is."""
RATES = (0.05, 0.1, 0.2)
"""Learning rates, in units. With the first, 500 steps just cross the paper's range, and rest within 50 cents at a kink
as sharp as that of an absolute value; with the last, a step is up to 68 cents, and only a distance whose gradient fades
near the target comes to rest."""
TUNING_TRIALS = 16
"""For each learning rate."""
TOLERANCE_CENTS, TOLERANCE_DB = 50.0, 1.0
KEPT_POINTS = 50
"""Of a path, besides its start."""

End = Literal["reached", "level", "octave", "quietest", "edge", "elsewhere"]
"""Where a trial ends: at the target; at its pitch, but not its level; within 50 cents of an octave, or several, above
or below it (by chance a tenth of all places are); else at the range's lowest level; at another edge of it; or
elsewhere."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Paths:
    """Where some trials went: ``(trials, steps + 1)``, relative to the target, and which end at the edge of the range.

    Attributes:
        cents: prediction − target.
        decibels: prediction − target.
        quietest: whether the end has the lowest level of the range: ``(trials,)``.
        on_edge: whether it has that or another of the range's ends of pitch and level: ``(trials,)``.
    """

    cents: _Floats
    decibels: _Floats
    quietest: NDArray[np.bool_]
    on_edge: NDArray[np.bool_]

    @staticmethod
    def concatenate(parts: Sequence[Paths]) -> Paths:
        """The trials of all parts, in order."""
        return Paths(
            np.concatenate([part.cents for part in parts]),
            np.concatenate([part.decibels for part in parts]),
            np.concatenate([part.quietest for part in parts]),
            np.concatenate([part.on_edge for part in parts]),
        )

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether a step is within the tolerances."""
        return (np.abs(self.cents) <= TOLERANCE_CENTS) & (np.abs(self.decibels) <= TOLERANCE_DB)

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Whether the end is within the tolerances: ``(trials,)``."""
        return self.inside[:, -1]

    @property
    def unmoved(self) -> NDArray[np.bool_]:
        """Whether a trial never left its start: its gradient was always exactly 0."""
        return (self.cents == self.cents[:, :1]).all(1) & (self.decibels == self.decibels[:, :1]).all(1)

    def settled(self) -> list[int | None]:
        """The step from which on a trial is within the tolerances; None for one that does not end there."""
        outside = ~self.inside
        last = np.where(outside.any(1), outside.shape[1] - 1 - outside[:, ::-1].argmax(1), -1)
        return [int(step) + 1 if ends else None for step, ends in zip(last, self.reached, strict=True)]

    def ends(self) -> list[End]:
        """Where each trial ends."""
        cents = self.cents[:, -1]
        octaves = np.abs(cents - 1200 * np.round(cents / 1200)) <= TOLERANCE_CENTS
        conditions = [self.reached, np.abs(cents) <= TOLERANCE_CENTS, octaves, self.quietest, self.on_edge]
        numbers = np.select(conditions, range(len(conditions)), len(conditions))
        return [get_args(End)[number] for number in numbers]


def measure(
    distance: AudioDistance,
    task: Task,
    *,
    seed: int,
    trials: int,
    steps: int,
    resources: Resources,
    progress: Callable[[int], None] = lambda _done: None,
) -> Answer:
    """How many trials reach their targets, how soon, and where the others end.

    Metrics: ``reached`` (a proportion; ties are the trials that never moved), ``median_steps`` (until a trial that
    reaches the target is there for good; None if none does), ``learning_rate``, ``tuning`` (each rate and its share of
    its trials), ``median_cents`` and ``median_db`` (between the ends and the targets), ``ends`` (:data:`End` and how
    many). The table has one row a trial: ``target_pitch_hz``, ``target_level_db``, the end (``cents``, ``db``, relative
    to the target, and ``end``), ``settled_step``, and the path: lists ``path_step``, ``path_cents``, ``path_db``.

    Args:
        distance: made for the task's sample rate, on the device.
        task: whose trials are descended.
        seed: of the trials.
        trials: how many, from the first.
        steps: of Adam.
        resources: with what to compute; batches run side by side.
        progress: called with the number of trials done, those for the learning rate included, batch by batch.

    Raises:
        SkippedError: if the distance has no gradient, the task no pitch or level, or its signals are too short.
        NonFiniteError: if a gradient is NaN or infinite; it names the trial and the step.
    """
    if not distance.differentiable:
        raise SkippedError("the distance is not differentiable: there is no gradient to descend")
    check_plane(task, distance)
    plane = plane_of(task)
    drawn = task.trials(seed, 0, trials + TUNING_TRIALS).to(resources.device)
    batches = batches_of(distance, task, across(drawn[:1], plane), resources)
    size = batches.size

    def run(jobs: Sequence[tuple[float, int, int]]) -> list[Paths]:
        def one(job: tuple[float, int, int]) -> Paths:
            rate, start, stop = job
            return descend(distance, task, plane, drawn[start:stop], first=start, rate=rate, steps=steps)

        found: list[Paths] = []
        for paths in resources.executor.map(batches.limited(one), jobs):
            found.append(paths)
            progress(len(paths.cents))
        return found

    with one_thread_each(resources.device):
        tuning = [(rate, *part) for rate in RATES for part in _parts(trials, trials + TUNING_TRIALS, size)]
        tuned = run(tuning)
        of_rate = {
            rate: Paths.concatenate([paths for (each, *_), paths in zip(tuning, tuned, strict=True) if each == rate])
            for rate in RATES
        }
        rate = max(RATES, key=lambda each: _merit(of_rate[each]))
        paths = Paths.concatenate(run([(rate, *part) for part in _parts(0, trials, size)]))
    settled, ends = paths.settled(), paths.ends()
    counted = Counter(ends)
    steps_taken = [step for step in settled if step is not None]
    reached = Proportion.of(int(paths.reached.sum()), trials, ties=int(paths.unmoved.sum()))
    metrics: dict[str, Any] = {
        "reached": reached.as_metric(),
        "median_steps": float(np.median(steps_taken)) if steps_taken else None,
        "learning_rate": rate,
        "tuning": {f"{each:g}": float(of_rate[each].reached.mean()) for each in RATES},
        "median_cents": float(np.median(np.abs(paths.cents[:, -1]))),
        "median_db": float(np.median(np.abs(paths.decibels[:, -1]))),
        "ends": {end: counted[end] for end in get_args(End)},
    }
    kept = kept_steps(steps)
    table = pl.DataFrame(
        {
            "trial": range(trials),
            "target_pitch_hz": np.exp2(drawn.target[PITCH.name][:trials].cpu().numpy() / 1200),
            "target_level_db": drawn.target[LEVEL.name][:trials].cpu().numpy(),
            "cents": paths.cents[:, -1],
            "db": paths.decibels[:, -1],
            "end": ends,
            "settled_step": pl.Series(settled, dtype=pl.Int64),
            "path_step": [kept] * trials,
            "path_cents": paths.cents[:, kept].tolist(),
            "path_db": paths.decibels[:, kept].tolist(),
        }
    )
    return Answer(metrics, table)


def kept_steps(steps: int) -> list[int]:
    """The steps of a path that are kept: its start, its end and some in between.

    Example:
        >>> kept_steps(3), len(kept_steps(500)), kept_steps(500)[:3]
        ([0, 1, 2, 3], 51, [0, 10, 20])
    """
    return sorted({*range(0, steps, max(1, steps // KEPT_POINTS)), steps})


def trials_in_all(trials: int) -> int:
    """How many trials are descended, those for the learning rate included."""
    return trials + len(RATES) * TUNING_TRIALS


def _parts(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    return [(first, min(first + size, stop)) for first in range(start, stop, size)]


def _merit(paths: Paths) -> tuple[float, float, float]:
    """More trials that reach the target, then fewer steps (their median), then nearer ends (median, in tolerances)."""
    away = np.maximum(np.abs(paths.cents[:, -1]) / TOLERANCE_CENTS, np.abs(paths.decibels[:, -1]) / TOLERANCE_DB)
    steps = [step for step in paths.settled() if step is not None]
    return float(paths.reached.mean()), -float(np.median(steps)) if steps else 0.0, -float(np.median(away))


def descend(
    distance: AudioDistance, task: Task, plane: Plane, drawn: Trials, *, first: int, rate: float, steps: int
) -> Paths:
    """The paths of one batch of trials; their targets are represented once.

    Args:
        distance: differentiable, made for the task's sample rate.
        task: whose trials they are.
        plane: that they stay in.
        drawn: the trials: where the targets are, and where the descents start.
        first: number of the first of them, for messages.
        rate: of Adam, in units (see above).
        steps: of Adam.

    Raises:
        NonFiniteError: if a gradient is NaN or infinite; it names the trial and the step.
    """
    trials = across(drawn, plane)
    target = represented_target(distance, task, trials)
    goal, start = (torch.stack([side[PITCH.name], side[LEVEL.name]]) for side in (drawn.target, drawn.prediction))
    unit = goal.new_tensor([[UNIT_CENTS], [UNIT_DB]])
    low, high = (goal.new_tensor([[plane.pitch[end]], [plane.level[end]]]) / unit for end in (0, 1))
    position = (start / unit).requires_grad_()
    adam = torch.optim.Adam([position], lr=rate, eps=1e-100)
    visited = [start]
    for step in range(steps):
        pitch, level = position * unit
        coordinates = {**trials.prediction, PITCH.name: pitch, LEVEL.name: level}
        total = compared(distance, task, trials, coordinates, target).sum()
        (position.grad,) = torch.autograd.grad(total, position)
        finite = position.grad.isfinite().all(0)
        if not finite.all():
            trial = first + int(finite.int().argmin())
            raise NonFiniteError(f"the gradient is not finite: step {step} of trial {trial}, learning rate {rate:g}")
        adam.step()
        with torch.no_grad():
            position.copy_(torch.minimum(torch.maximum(position, low), high))
            visited.append(position * unit)
    offsets = (torch.stack(visited).detach() - goal).double().cpu().numpy()
    with torch.no_grad():
        quietest = (position == low)[1].cpu().numpy()
        on_edge = ((position == low) | (position == high)).any(0).cpu().numpy()
    return Paths(offsets[:, 0].T, offsets[:, 1].T, quietest, on_edge)
