"""Tasks whose signals have a pitch and a level: what they share, whatever their spectrum."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from .task import BLOCK, PITCH, Task, Trials

PerturbedPhase = Literal["shared", "new"]


class ToneTask(Task):
    """A target and a prediction, each of its own pitch and level.

    Pitch is uniform in log2 f over ``fmin..fmax``, level ``L = level_slope·log10 A`` uniform over ``lowest_level..0``
    dB. A tone of amplitude A has the power of a sine of that amplitude, ``A²/2``, however many partials it has.

    Args:
        sample_rate: in Hz.
        duration: in seconds.
        fmin: lowest pitch drawn, in Hz.
        fmax: highest pitch drawn, in Hz.
        lowest_level: in dB.
        level_slope: dB per decade of amplitude. The paper's Equation 4 has 25, where 20 is usual.
        perturbed_phase: ``shared``: a perturbed prediction keeps the prediction's phases; ``new``: it draws others.
            The paper does not say. A distance that is blind to what was perturbed is right half the time with ``new``.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate is under twice the frequency of the highest
            partial that every tone must have, the largest perturbation included.
    """

    least_partials: ClassVar[int] = 1
    """Every tone has this many partials below half the sample rate."""

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        duration: float = 0.5,
        fmin: float = 30.0,
        fmax: float = 4000.0,
        lowest_level: float = -25.0,
        level_slope: float = 25.0,
        perturbed_phase: PerturbedPhase = "shared",
    ) -> None:
        super().__init__(sample_rate=sample_rate, duration=duration)
        if not 0 < fmin < fmax:
            raise ValueError(f"fmin and fmax must satisfy 0 < fmin < fmax (Hz), got {fmin:g} and {fmax:g}")
        highest = fmax * 2 ** (max(PITCH.steps) / 1200) * self.least_partials
        if sample_rate < 2 * highest:
            raise ValueError(
                f"sample_rate must be at least {math.ceil(2 * highest)} Hz for {self.name} with partials up to "
                f"{highest:.0f} Hz (from fmax and the largest perturbation), got {sample_rate:g}"
            )
        if not lowest_level < 0:
            raise ValueError(f"lowest_level must be below 0 dB, got {lowest_level:g}")
        if not level_slope > 0:
            raise ValueError(f"level_slope must be positive (dB per decade), got {level_slope:g}")
        if perturbed_phase not in get_args(PerturbedPhase):
            allowed = ", ".join(get_args(PerturbedPhase))
            raise ValueError(f"perturbed_phase must be one of {allowed}, got {perturbed_phase!r}")
        self.fmin, self.fmax = fmin, fmax
        self.lowest_level, self.level_slope = lowest_level, level_slope
        self.perturbed_phase: PerturbedPhase = perturbed_phase

    @property
    def takes(self) -> int:
        """The prediction and its perturbed versions."""
        return 1 + sum(len(axis.steps) for axis in self.axes)

    def place(self, uniform: Tensor) -> dict[str, Tensor]:
        """Pitch and level of what was drawn: ``(trials, 2)``, uniform over 0..1."""
        low, high = (1200 * math.log2(f) for f in (self.fmin, self.fmax))
        return {"pitch": low + (high - low) * uniform[:, 0], "level": self.lowest_level * uniform[:, 1]}

    def draw_coordinates(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Coordinates of the tones of a block: axis name to ``(BLOCK,)``."""
        return self.place(torch.rand(BLOCK, 2, generator=generator, dtype=torch.float64))

    def frequency(self, coordinates: dict[str, Tensor]) -> Tensor:
        """f0 in cycles per sample, ``(trials,)``."""
        return torch.exp2(coordinates["pitch"] / 1200) / self.sample_rate

    def amplitude(self, coordinates: dict[str, Tensor]) -> Tensor:
        """A, ``(trials, 1)``."""
        return torch.pow(10.0, coordinates["level"] / self.level_slope).unsqueeze(-1)

    def prediction_phase(self, trials: Trials, take: int) -> Tensor:
        """The phases of a version of the prediction, from ``prediction_phase``, whose second dimension is the takes."""
        return trials.drawn["prediction_phase"][:, take if self.perturbed_phase == "new" else 0]

    def highest_frequency(self, trials: Trials) -> Tensor:
        """The highest f0 of each trial, in cycles per sample, perturbations included: ``(trials,)``."""
        target, prediction = trials.target["pitch"], trials.prediction["pitch"]
        perturbed = prediction + max(PITCH.steps) * (prediction - target).sign().clamp_min(0)
        return self.frequency({"pitch": torch.maximum(target, perturbed)})
