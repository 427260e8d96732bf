"""Sign accuracy: how often does a distance know which way is worse?

For a target ``s``, a prediction ``p`` and an axis (pitch, level), move the prediction further from the target on that
axis alone, to ``p'``. The distance is right when ``d(p', s) > d(p, s)``, strictly; analytically, when its derivative
along the axis, at ``p``, points away from the target. The accuracy is the share of trials in which it is right.

A trial's **margin** is ``d(p', s) − d(p, s)``, or the derivative times the direction: right if positive, a tie (counted
as wrong, and reported apart) if exactly 0.

Source: Turian & Henry 2020, Section 3.3, Equations 5 and 6.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..benchmarks.task import Axis, Task, Trials
from ..losses import AudioDistance, Representation
from ..results.intervals import Proportion
from .batching import batches, saved_bytes
from .cheap_derivatives import CheapDerivatives

SIGNAL_DTYPE = torch.float32
"""What signals are cast to, last of all, before a distance sees them."""

Margins = dict[str, NDArray[np.float64]]
"""Column name to the margins ``(trials,)``."""


class NonFiniteError(ValueError):
    """A distance, or its derivative, that is NaN or infinite."""


def rank(
    distance: AudioDistance,
    task: Task,
    *,
    seed: int,
    trials: int,
    memory: int,
    device: torch.device,
    executor: Executor,
    start: int = 0,
    progress: Callable[[int], None] = lambda _done: None,
) -> Margins:
    """The margins of every trial, for every column of the task.

    Each signal is represented once: the target's and the prediction's representations are used again for all columns.
    A distance that is not differentiable has no analytic columns.

    Args:
        distance: made for the task's sample rate.
        task: whose columns are asked.
        seed: of the trials.
        trials: how many.
        memory: budget in bytes for the tensors of all batches under way.
        device: where signals are made and compared.
        executor: runs the batches; threads do, for PyTorch leaves Python's lock while it computes.
        start: number of the first one; whatever it is, a multiple of a task's block gives each trial the same batch.
        progress: called with the number of trials done, batch by batch.

    Raises:
        ValueError: if ``trials`` is below 1, the task's signals are shorter than the distance needs, or they are not
            what a task promises.
        NonFiniteError: if the distance or its derivative is NaN or infinite; it names the first such trial.
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    if task.samples < distance.min_samples:
        raise ValueError(
            f"the distance needs at least {distance.min_samples} samples "
            f"({distance.min_samples / task.sample_rate:g} s at {task.sample_rate:g} Hz), "
            f"but {task.name} lasts {task.duration:g} s"
        )
    probe = task.trials(seed, 0, 1).to(device)
    _check_signals(task, probe)
    kept = saved_bytes(lambda: _prediction_distance(distance, task, probe)[1]) + 2 * 8 * task.samples
    found = batches(kept, memory=memory, device=device)
    size = found.size
    stop = start + trials

    def measure(first: int) -> Margins:
        batch = task.trials(seed, first, min(first + size, stop)).to(device)
        margins = batch_margins(distance, task, batch)
        columns = {name: values.double().cpu().numpy() for name, values in margins.items()}
        for name, values in columns.items():
            if not np.isfinite(values).all():
                trial = first + int(np.flatnonzero(~np.isfinite(values))[0])
                raise NonFiniteError(f"the distance is not finite: {name} of trial {trial} (seed {seed})")
        return columns

    # In one piece: a small array that is kept from each batch would lie in what the next ones free, and break it up.
    margins: Margins = {}
    done = 0
    with one_thread_each(device):
        for part in executor.map(found.limited(measure), range(start, stop, size)):
            margins = margins or {name: np.empty(trials) for name in part}
            count = len(next(iter(part.values())))
            for name, values in part.items():
                margins[name][done : done + count] = values
            done += count
            progress(count)
    return margins


def _check_signals(task: Task, trials: Trials) -> None:
    """Tell what is wrong with a task from what is wrong with a distance."""
    with torch.no_grad():
        signals = {
            "target": task.render_target(trials),
            "prediction": task.render_prediction(trials, trials.prediction),
        }
    for side, signal in signals.items():
        if signal.shape != (len(trials), task.samples):
            raise ValueError(
                f"a {side} of {task.name} must be shaped {(len(trials), task.samples)}, got {tuple(signal.shape)}"
            )
        if not signal.isfinite().all():
            raise ValueError(f"a {side} of {task.name} is not finite")
    for axis in (each for each in task.axes if each.analytic):
        moving = trials.prediction[axis.name].clone().requires_grad_()
        if not task.render_prediction(trials, {**trials.prediction, axis.name: moving}).requires_grad:
            raise ValueError(
                f"predictions of {task.name} have no derivative with respect to {axis.name}: compute them from it with "
                "torch, or give the axis analytic=False"
            )


def batch_margins(distance: AudioDistance, task: Task, trials: Trials) -> dict[str, Tensor]:
    """The margins ``(trials,)`` of one batch, for every column of the task, in the task's order."""
    coordinates, start, target = _prediction_distance(distance, task, trials)
    away = {axis.name: (trials.prediction[axis.name] - trials.target[axis.name]).sign() for axis in task.axes}
    margins: dict[str, Tensor] = {}
    if asked := _derived_axes(distance, task):
        derived = [coordinates[axis.name] for axis in asked]
        slopes = torch.autograd.grad(start.sum(), derived, materialize_grads=True)
        for axis, slope in zip(asked, slopes, strict=True):
            margins[axis.analytic_column] = slope * away[axis.name]
    take = 0
    with torch.no_grad():
        for axis in task.axes:
            for step in axis.steps:
                take += 1
                moved = {**trials.prediction, axis.name: trials.prediction[axis.name] + step * away[axis.name]}
                signal = task.render_prediction(trials, moved, take).to(SIGNAL_DTYPE)
                margins[axis.column(step)] = distance.compare(distance.represent(signal), target) - start
    return {column: margins[column] for column in task.columns if column in margins}


def _prediction_distance(
    distance: AudioDistance, task: Task, trials: Trials
) -> tuple[dict[str, Tensor], Tensor, Representation]:
    """The predictions' coordinates, their distances (differentiable in them), and the targets' representation."""
    with torch.no_grad():
        target = distance.represent(task.render_target(trials).to(SIGNAL_DTYPE))
    derived = {axis.name for axis in _derived_axes(distance, task)}
    with torch.set_grad_enabled(bool(derived)):
        coordinates = {
            name: values.clone().requires_grad_(name in derived) for name, values in trials.prediction.items()
        }
        signal = task.render_prediction(trials, coordinates).to(SIGNAL_DTYPE)
        with CheapDerivatives() if derived else nullcontext():
            return coordinates, distance.compare(distance.represent(signal), target), target


def _derived_axes(distance: AudioDistance, task: Task) -> list[Axis]:
    """The axes that the derivative is asked for."""
    return [axis for axis in task.axes if axis.analytic and distance.differentiable]


@contextmanager
def one_thread_each(device: torch.device) -> Generator[None]:
    """On a CPU, one thread for each batch: many small operations lose more by meeting than they gain by sharing."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def accuracy(margins: NDArray[np.float64]) -> Proportion:
    """The share of positive margins, with its 95 % Wilson interval and the number of ties.

    Example:
        >>> accuracy(np.array([1.0, 0.0, -1.0, 2.0])).value
        0.5
    """
    return Proportion.of(int((margins > 0).sum()), len(margins), ties=int((margins == 0).sum()))
