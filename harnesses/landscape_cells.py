"""Where a landscape is measured: the targets, and the cells around or beneath them.

Three kinds, after the figures of Turian & Henry 2020:

* a **curve** (Figures 2 and 4a): along pitch, at the target's level, in steps of a tenth of a map's cell;
* a **map** (Figures 3, 5 and 6): over the whole range of pitch and level, in cells of 106 cents × 0.31 dB;
* a **field** (Figure 4b): five cells of 340 cents × 1 dB to each side of the target.

In the paper's range (30-4000 Hz, 25 dB) a map has 81 × 81 cells, the outermost centred on the ends, and the paper's
targets are three of them. A field is a map magnified 2.5 times, as the paper says: it spans 10 × 340 cents and 10 dB.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..benchmarks.task import BLOCK, LEVEL, PITCH, Task, Trials
from .plane import Plane, plane_of

Kind = Literal["curve", "map", "field"]

MAP_CENTS, MAP_DB = 106.0, 0.3125
"""A map's cell; so many fit between the ends of the range that they come nearest to this."""
CURVE_STEPS = 10
"""A curve's steps in a map's cell."""
FIELD_CENTS, FIELD_DB, FIELD_CELLS = 340.0, 1.0, 5
"""A field's cell, and how many there are on each side of the target."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """Where a target is, and whose drawn values (phases, envelopes, noise) it and its predictions have.

    Attributes:
        pitch_hz: in Hz.
        level_db: in dB.
        trial: the number of the trial whose drawn values they are.
    """

    pitch_hz: float
    level_db: float
    trial: int = 0

    @property
    def cents(self) -> float:
        """Its pitch in cents above 1 Hz."""
        return 1200 * math.log2(self.pitch_hz)

    def of(self, trials: Trials) -> Trials:
        """A trial with its target here."""
        pitch, level = (torch.full_like(trials.target[axis.name], value) for axis, value in self._coordinates())
        return replace(trials, target={**trials.target, PITCH.name: pitch, LEVEL.name: level})

    def _coordinates(self) -> tuple[tuple[Any, float], ...]:
        return (PITCH, self.cents), (LEVEL, self.level_db)


PLACES: Mapping[Kind, tuple[tuple[float, float], ...]] = {
    "curve": ((0.3, 0.5), (0.5, 0.5), (0.7, 0.5)),
    "map": ((0.5, 0.5), (0.3, 0.7), (0.7, 0.3)),
    "field": ((0.5, 0.5),),
}
"""The targets of the paper's figures, in their order, as shares of the range of pitch and of level: 0.3, 0.5 and 0.7 of
30-4000 Hz are 130, 346 and 922 Hz, and those of −25..0 dB are −17.5, −12.5 and −7.5 dB."""


def usual_targets(kind: Kind, task: Task) -> tuple[Target, ...]:
    """The paper's targets, for the task's range: to a whole Hz and a tenth of a dB."""
    plane = plane_of(task)

    def at(span: tuple[float, float], share: float) -> float:
        return span[0] + share * (span[1] - span[0])

    return tuple(
        Target(float(round(2 ** (at(plane.pitch, pitch) / 1200))), round(at(plane.level, level), 1))
        for pitch, level in PLACES[kind]
    )


def check_targets(task: Task, targets: Sequence[Target]) -> None:
    """Refuse targets outside the task's range.

    Raises:
        ValueError: naming the value and the range.
    """
    plane = plane_of(task)
    low, high = (2 ** (end / 1200) for end in plane.pitch)
    for target in targets:
        # a part in a million: an end of the range is inside, whatever the rounding
        if not low * (1 - 1e-6) <= target.pitch_hz <= high * (1 + 1e-6):
            raise ValueError(f"pitch must be {low:g} to {high:g} Hz for {task.name}, got {target.pitch_hz:g} Hz")
        if not plane.level[0] <= target.level_db <= plane.level[1]:
            ends = f"{plane.level[0]:g} to {plane.level[1]:g} dB"
            raise ValueError(f"level must be {ends} for {task.name}, got {target.level_db:g} dB")


def nearest_targets(task: Task, seed: int, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets that the task can have: these, or the nearest of its trials if it draws its targets' pitches itself.

    The target of ``bass_notes`` is a recorded note: moving its coordinate would not move the sound.
    """
    if task.unavailable or {PITCH.name, LEVEL.name} - task.trials(seed, 0, 1).target.keys() or _moves(task, seed):
        return tuple(targets)
    pitches = task.trials(seed, 0, BLOCK).target[PITCH.name]
    trials = [int((pitches - target.cents).abs().argmin()) for target in targets]
    found = [
        Target(round(2 ** (float(pitches[trial]) / 1200), 2), target.level_db, trial)
        for target, trial in zip(targets, trials, strict=True)
    ]
    return tuple(dict.fromkeys(found))


def _moves(task: Task, seed: int) -> bool:
    trial = task.trials(seed, 0, 1)
    low, high = plane_of(task).pitch
    here, there = (task.render_target(Target(2 ** (cents / 1200), 0.0).of(trial)) for cents in (low, (low + high) / 2))
    return not torch.equal(here, there)


def parameters(kind: Kind, targets: Sequence[Target]) -> dict[str, Any]:
    """What a landscape's record says beside the task's parameters: the targets and the cells' sizes."""
    cells: dict[Kind, dict[str, float]] = {
        "curve": {"cents": MAP_CENTS / CURVE_STEPS},
        "map": {"cents": MAP_CENTS, "db": MAP_DB},
        "field": {"cents": FIELD_CENTS, "db": FIELD_DB, "each_side": FIELD_CELLS},
    }
    return {"targets": [asdict(target) for target in targets], "cell": cells[kind]}


@dataclass(frozen=True)
class Cells:
    """Predictions that are compared with some of the targets.

    Attributes:
        targets: their numbers.
        pitch: of the predictions, in cents above 1 Hz: one column of cells each.
        level: in dB: one row of cells each.
    """

    targets: tuple[int, ...]
    pitch: Floats
    level: Floats

    def __len__(self) -> int:
        return self.pitch.size * self.level.size

    @property
    def flat(self) -> tuple[Floats, Floats]:
        """Pitch and level of every cell, row by row."""
        level, pitch = np.meshgrid(self.level, self.pitch, indexing="ij")
        return pitch.ravel(), level.ravel()


def cells_of(kind: Kind, task: Task, targets: Sequence[Target]) -> list[Cells]:
    """The cells of a landscape, those of several targets together where their predictions are the same."""
    plane = plane_of(task)
    if kind == "field":
        return [_around(plane, number, target) for number, target in enumerate(targets)]
    columns, rows = (
        max(1, round((high - low) / cell)) for (low, high), cell in ((plane.pitch, MAP_CENTS), (plane.level, MAP_DB))
    )
    if kind == "map":
        pitch, level = np.linspace(*plane.pitch, columns + 1), np.linspace(*plane.level, rows + 1)
        groups = _grouped([target.trial for target in targets])
        return [Cells(numbers, pitch, level) for numbers in groups]
    pitch = np.linspace(*plane.pitch, CURVE_STEPS * columns + 1)
    groups = _grouped([(target.trial, target.level_db) for target in targets])
    return [Cells(numbers, pitch, np.array([targets[numbers[0]].level_db])) for numbers in groups]


def size(cells: Sequence[Cells]) -> int:
    """How many distances are measured."""
    return sum(len(each.targets) * len(each) for each in cells)


def _around(plane: Plane, number: int, target: Target) -> Cells:
    steps = np.arange(-FIELD_CELLS, FIELD_CELLS + 1)

    def inside(centre: float, step: float, span: tuple[float, float]) -> Floats:
        values: Floats = np.asarray(centre + step * steps, dtype=np.float64)
        # a thousandth of a cell: one on the very edge is inside, whatever the rounding
        return values[(values >= span[0] - 1e-3 * step) & (values <= span[1] + 1e-3 * step)]

    pitch = inside(target.cents, FIELD_CENTS, plane.pitch)
    level = inside(target.level_db, FIELD_DB, plane.level)
    if min(pitch.size, level.size) < 2:
        raise ValueError("the task's range of pitch or level is narrower than two cells of a field")
    return Cells((number,), pitch, level)


def _grouped(keys: Sequence[object]) -> list[tuple[int, ...]]:
    """The numbers of equal keys together, in the order in which they first come."""
    return [tuple(i for i, each in enumerate(keys) if each == key) for key in dict.fromkeys(keys)]
