"""The plane of pitch and level in which a minimum is looked for, and in which a descent moves."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from ..benchmarks.task import LEVEL, PITCH, Task, Trials
from ..losses import AudioDistance, Representation
from .answers import SkippedError
from .batching import Batches, batches, saved_bytes
from .cheap_derivatives import CheapDerivatives
from .ranking import SIGNAL_DTYPE
from .resources import Resources


@dataclass(frozen=True)
class Plane:
    """The range of a task: lowest and highest pitch (cents above 1 Hz) and level (dB)."""

    pitch: tuple[float, float]
    level: tuple[float, float]


def plane_of(task: Task) -> Plane:
    """The range of a task's predictions.

    A task says it by its parameters ``fmin``, ``fmax`` (Hz) and ``lowest_level`` (dB); what it does not say is as in
    the paper: 30-4000 Hz, −25..0 dB.
    """
    low, high = (1200 * math.log2(float(getattr(task, name, usual))) for name, usual in (("fmin", 30), ("fmax", 4000)))
    return Plane((low, high), (float(getattr(task, "lowest_level", -25.0)), 0.0))


def check_plane(task: Task, distance: AudioDistance) -> None:
    """Skip a question that cannot be put.

    Raises:
        SkippedError: if the task's predictions have no pitch or no level, or its signals are too short.
    """
    has = task.trials(0, 0, 1).prediction
    if missing := [axis.name for axis in (PITCH, LEVEL) if axis.name not in has]:
        raise SkippedError(f"it needs a task with pitch and level, but {task.name} has no {' and no '.join(missing)}")
    if task.samples < distance.min_samples:
        raise SkippedError(
            f"the distance needs at least {distance.min_samples} samples, {task.name} has {task.samples}"
        )


def across(trials: Trials, plane: Plane) -> Trials:
    """The same trials, whose predictions may go anywhere in the plane without a change of timbre.

    A task fixes by the highest pitch of a trial which partials there are, so the prediction is said to be at the top.
    """
    top = torch.full_like(trials.prediction[PITCH.name], plane.pitch[1])
    return Trials(trials.target, {**trials.prediction, PITCH.name: top}, trials.drawn)


def represented_target(distance: AudioDistance, task: Task, trials: Trials) -> Representation:
    """The representation of the targets, for all predictions that are compared with them."""
    with torch.no_grad():
        return distance.represent(task.render_target(trials).to(SIGNAL_DTYPE))


def compared(
    distance: AudioDistance, task: Task, trials: Trials, coordinates: dict[str, Tensor], target: Representation
) -> Tensor:
    """The distances ``(trials,)`` of predictions from represented targets."""
    signal = task.render_prediction(trials, coordinates).to(SIGNAL_DTYPE)
    with CheapDerivatives() if signal.requires_grad else nullcontext():
        return distance.compare(distance.represent(signal), target)


def repeated(trials: Trials, count: int) -> Trials:
    """One trial, ``count`` times; nothing is copied."""
    groups = (trials.target, trials.prediction, trials.drawn)
    return Trials(
        *({name: values.expand(count, *values.shape[1:]) for name, values in group.items()} for group in groups)
    )


def repeated_representation(representation: Representation, count: int) -> Representation:
    """The representation of one signal, as that of ``count`` equal ones; nothing is copied."""
    if isinstance(representation, Tensor):
        return representation.expand(count, *representation.shape[1:])
    return tuple(repeated_representation(part, count) for part in representation)


def batches_of(distance: AudioDistance, task: Task, probe: Trials, resources: Resources) -> Batches:
    """How to work through predictions, judged by one trial."""

    def forward() -> Tensor:
        coordinates = {name: values.clone().requires_grad_() for name, values in probe.prediction.items()}
        return compared(distance, task, probe, coordinates, represented_target(distance, task, probe))

    # what a backward pass would keep is near to what is under way without one
    kept = saved_bytes(forward) + 2 * 8 * task.samples
    return batches(kept, memory=resources.memory, device=resources.device)
