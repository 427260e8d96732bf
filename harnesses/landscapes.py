"""Landscapes: a distance from one target, as the prediction moves along pitch and level.

Everything that a task draws (phases, envelopes, noise) is what it draws for trial 0 of the seed, and all cells share
it: the target has the phase of that trial's target, and the prediction, wherever it is, that of its prediction. (A task
that draws its targets' pitches lends, instead of trial 0, the one whose target is nearest.) Each target and each
prediction is represented once: a prediction is compared with all targets that have its cell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from ..benchmarks.task import LEVEL, PITCH, Task, Trials
from ..losses import AudioDistance, Representation
from .answers import Answer
from .cheap_derivatives import CheapDerivatives
from .landscape_cells import Cells, Floats, Kind, Target, cells_of
from .plane import across, batches_of, check_plane, plane_of, repeated, repeated_representation, represented_target
from .ranking import SIGNAL_DTYPE, NonFiniteError, one_thread_each
from .resources import Resources


def measure(
    kind: Kind,
    distance: AudioDistance,
    task: Task,
    targets: Sequence[Target],
    *,
    seed: int,
    resources: Resources,
    progress: Callable[[int], None] = lambda _done: None,
) -> Answer:
    """A landscape: one row for each target and cell.

    Columns: ``target`` (its number), ``pitch_hz`` and ``level_db`` (the prediction's), ``distance``; a curve has
    ``gradient_per_octave`` (analytic, if the distance is differentiable); a field has ``pitch_gradient`` and
    ``level_gradient``, per cell: central differences of neighbouring cells, one-sided at the edges.

    Args:
        kind: of landscape.
        distance: made for the task's sample rate, on the device.
        task: whose signals are compared.
        targets: where they are.
        seed: of what the task draws.
        resources: with what to compute; batches run side by side.
        progress: called with the number of distances measured, batch by batch.

    Raises:
        SkippedError: if the task has no pitch or level, or its signals are too short.
        NonFiniteError: if a distance or a gradient is NaN or infinite; it names the first such prediction.
    """
    check_plane(task, distance)
    frames: dict[int, pl.DataFrame] = {}
    for cells in cells_of(kind, task, targets):
        here = [targets[number] for number in cells.targets]
        drawn = task.trials(seed, here[0].trial, here[0].trial + 1).to(resources.device)
        trials = [across(target.of(drawn), plane_of(task)) for target in here]
        ground = _Ground(
            distance=distance,
            task=task,
            trial=trials[0],
            targets=[represented_target(distance, task, each) for each in trials],
            cells=cells,
            slopes=kind == "curve" and distance.differentiable,
        )
        values = _measured(ground, resources, progress)
        for row, number in enumerate(cells.targets):
            frames[number] = _frame(kind, number, cells, values[:, row])
    return Answer({}, pl.concat([frames[number] for number in sorted(frames)]))


@dataclass(frozen=True)
class _Ground:
    """Cells and the represented targets that their predictions are compared with.

    Attributes:
        trial: of which all predictions are.
        slopes: whether derivatives are asked for as well.
    """

    distance: AudioDistance
    task: Task
    trial: Trials
    targets: Sequence[Representation]
    cells: Cells
    slopes: bool

    def values(self, start: int, stop: int) -> Floats:
        """Distances, and derivatives along pitch per octave if asked for: ``(1 or 2, targets, cells)``."""
        count = stop - start
        pitch, level = (
            torch.from_numpy(flat[start:stop]).to(self.trial.target[PITCH.name].device) for flat in self.cells.flat
        )
        pitch.requires_grad_(self.slopes)
        with torch.set_grad_enabled(self.slopes):
            trials = repeated(self.trial, count)
            coordinates = {**trials.prediction, PITCH.name: pitch, LEVEL.name: level}
            signal = self.task.render_prediction(trials, coordinates).to(SIGNAL_DTYPE)
            with CheapDerivatives() if self.slopes else nullcontext():
                ours = self.distance.represent(signal)
                distances = [
                    self.distance.compare(ours, repeated_representation(theirs, count)) for theirs in self.targets
                ]
        found = [torch.stack(distances).detach()]
        if self.slopes:
            found.append(1200 * torch.stack([_derivative(each, pitch) for each in distances]))
        values: Floats = np.stack([each.double().cpu().numpy() for each in found])
        if not np.isfinite(values).all():
            column, _, cell = (int(index[0]) for index in np.nonzero(~np.isfinite(values)))
            hertz, decibels = 2 ** (float(pitch[cell]) / 1200), float(level[cell])
            what = ("distance", "gradient")[column]
            raise NonFiniteError(f"the {what} is not finite: prediction at {hertz:.1f} Hz, {decibels:.2f} dB")
        return values


def _derivative(distances: Tensor, pitch: Tensor) -> Tensor:
    return torch.autograd.grad(distances.sum(), pitch, retain_graph=True, materialize_grads=True)[0]


def _measured(ground: _Ground, resources: Resources, progress: Callable[[int], None]) -> Floats:
    """The values of all cells, in batches: ``(1 or 2, targets, cells)``."""
    cells = len(ground.cells)
    batches = batches_of(ground.distance, ground.task, ground.trial, resources)

    def part(start: int) -> Floats:
        return ground.values(start, min(start + batches.size, cells))

    parts: list[Floats] = []
    with one_thread_each(resources.device):
        for values in resources.executor.map(batches.limited(part), range(0, cells, batches.size)):
            parts.append(values)
            progress(values[0].size)
    return np.concatenate(parts, axis=-1)


def _frame(kind: Kind, number: int, cells: Cells, values: Floats) -> pl.DataFrame:
    pitch, level = cells.flat
    columns: dict[str, Any] = {
        "target": np.full(len(cells), number, dtype=np.int32),
        "pitch_hz": np.exp2(pitch / 1200),
        "level_db": level,
        "distance": values[0],
    }
    if len(values) > 1:
        columns["gradient_per_octave"] = values[1]
    if kind == "field":
        along_level, along_pitch = np.gradient(values[0].reshape(cells.level.size, cells.pitch.size))
        columns |= {"pitch_gradient": along_pitch.ravel(), "level_gradient": along_level.ravel()}
    return pl.DataFrame(columns)
