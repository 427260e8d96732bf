"""The contract of a ranking task: seeded trials, and the signals they stand for.

A trial has a *target* and a *prediction*, each placed on one or more **axes** (pitch in cents above 1 Hz, level in dB).
A distance is right about a trial on an axis when moving the prediction further from the target on that axis alone makes
it larger. A task draws the trials; a harness moves and compares.

Signals are computed in float64 and cast last. Trials are drawn in blocks, each from a generator of its own, so that
trial ``i`` is the same whatever the number of trials, the batches and the device.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

BLOCK = 256
"""Trials that share a generator."""


@dataclass(frozen=True)
class Axis:
    """A direction in which a prediction is moved.

    Attributes:
        name: of the axis, which starts its columns' names.
        unit: of its coordinate, which ends them.
        steps: by how much the prediction is moved away, in that unit.
        analytic: whether the derivative is asked for as well.

    Raises:
        ValueError: if the name has an underscore, which ends it in a column's name.
    """

    name: str
    unit: str
    steps: tuple[float, ...]
    analytic: bool = True

    def __post_init__(self) -> None:
        if not self.name or "_" in self.name:
            raise ValueError(f"the name of an axis must be a word without underscores, got {self.name!r}")

    @property
    def analytic_column(self) -> str:
        """The column of the derivative's sign: ``pitch_analytic``."""
        return f"{self.name}_analytic"

    def column(self, step: float) -> str:
        """The column of a step: ``pitch_30_cents``."""
        return f"{self.name}_{step:g}_{self.unit}"


PITCH = Axis("pitch", "cents", (30.0, 600.0))
"""Pitch, in cents above 1 Hz (``1200·log2 f``)."""
LEVEL = Axis("level", "db", (2.0, 10.0))
"""Level, in dB."""


@dataclass(frozen=True)
class Trials:
    """Some trials: where targets and predictions are, and what else was drawn for them.

    Attributes:
        target: coordinate (the axes', and others that a task may have) to values ``(trials,)``, float64.
        prediction: the same for the predictions.
        drawn: whatever else decides the signals (phases, envelopes); the first dimension is the trials.
    """

    target: dict[str, Tensor]
    prediction: dict[str, Tensor]
    drawn: dict[str, Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.target.values())))

    def __getitem__(self, part: slice) -> Trials:
        return Trials(*({name: values[part] for name, values in group.items()} for group in self._groups()))

    def to(self, device: torch.device) -> Trials:
        """The same trials on another device."""
        return Trials(*({name: values.to(device) for name, values in group.items()} for group in self._groups()))

    def _groups(self) -> tuple[dict[str, Tensor], ...]:
        return tuple(getattr(self, field.name) for field in fields(self))

    @staticmethod
    def concatenate(parts: list[Trials]) -> Trials:
        """The trials of all parts, in order."""
        first = parts[0]
        return Trials(
            *(
                {name: torch.cat([part._groups()[index][name] for part in parts]) for name in group}
                for index, group in enumerate(first._groups())
            )
        )


class Task(ABC):
    """A task: what a plug-in task subclasses.

    A subclass implements :meth:`draw_block`, :meth:`render_target` and :meth:`render_prediction`, and says its
    :attr:`name`, :attr:`version` and :attr:`axes`. The version changes when the signals or the trials do, so that
    records of different definitions are never compared.

    Args:
        sample_rate: in Hz.
        duration: of the signals, in seconds.

    Raises:
        ValueError: if a parameter is out of its range.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    axes: ClassVar[tuple[Axis, ...]] = (PITCH, LEVEL)
    source: ClassVar[str] = ""

    unavailable: str = ""
    """Why the task cannot be asked here, and what would help, in one line; empty if it can."""
    materials: Mapping[str, str] = MappingProxyType({})
    """What decides the signals beside the parameters, such as the digest of a file: for the record."""

    def __init__(self, *, sample_rate: float = 44100, duration: float = 0.5) -> None:
        if not 0 < sample_rate < float("inf"):
            raise ValueError(f"sample_rate must be positive and finite (Hz), got {sample_rate}")
        if not 0 < duration < float("inf"):
            raise ValueError(f"duration must be positive (seconds), got {duration}")
        self.sample_rate = sample_rate
        self.duration = duration

    @property
    def samples(self) -> int:
        """The length of a signal, in samples."""
        return max(1, round(self.duration * self.sample_rate))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that a ranking on this task has, in order."""
        return tuple(
            column
            for axis in self.axes
            for column in (
                *((axis.analytic_column,) if axis.analytic else ()),
                *(axis.column(step) for step in axis.steps),
            )
        )

    @abstractmethod
    def draw_block(self, generator: torch.Generator) -> Trials:
        """The :data:`BLOCK` trials that a generator gives, on the CPU, in float64."""

    @abstractmethod
    def render_target(self, trials: Trials) -> Tensor:
        """The targets' signals: ``(trials, samples)``, float64."""

    @abstractmethod
    def render_prediction(self, trials: Trials, coordinates: dict[str, Tensor], take: int = 0) -> Tensor:
        """The predictions' signals ``(trials, samples)``, float64, differentiable in the coordinates.

        Args:
            trials: which trials.
            coordinates: where the predictions are: the names of ``trials.prediction`` to ``(trials,)``.
            take: 0 for the prediction itself, 1, 2, … for its perturbed versions, for tasks that draw something anew.
        """

    def trials(self, seed: int, start: int, stop: int) -> Trials:
        """The trials ``start`` to ``stop − 1``: a pure function of the task, the seed and the indices.

        Raises:
            ValueError: if ``start`` and ``stop`` do not enclose a trial.
        """
        if not 0 <= start < stop:
            raise ValueError(f"trials need 0 <= start < stop, got {start} and {stop}")
        first, last = start // BLOCK, (stop - 1) // BLOCK
        blocks = [self.draw_block(self._generator(seed, block)) for block in range(first, last + 1)]
        return Trials.concatenate(blocks)[start - first * BLOCK : stop - first * BLOCK]

    def _generator(self, seed: int, block: int) -> torch.Generator:
        digest = hashlib.sha256(f"{self.name}/{self.version}/{seed}/{block}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
