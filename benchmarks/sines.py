"""The task of Turian & Henry 2020: two stationary sinusoids."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from .signals.oscillator import cosine
from .task import BLOCK, Trials
from .tone import PerturbedPhase, ToneTask

PhaseDtype = Literal["float64", "float32"]


class Sines(ToneTask):
    """A target sine and a predicted sine, of independent pitch, level and phase.

    ``x(t) = A cos(2πft + φ)``; pitch uniform in log2 f over ``fmin..fmax``, level ``L = level_slope·log10 A`` uniform
    over ``lowest_level..0`` dB, φ uniform. Target and prediction are drawn independently.

    Args:
        sample_rate: in Hz.
        duration: in seconds.
        fmin: lowest pitch drawn, in Hz.
        fmax: highest pitch drawn, in Hz.
        lowest_level: in dB.
        level_slope: dB per decade of amplitude. The paper's Equation 4 has 25, where 20 is usual.
        perturbed_phase: ``shared``: a perturbed prediction keeps the prediction's phase; ``new``: it draws others.
            The paper does not say. A distance that is blind to what was perturbed is right half the time with ``new``.
        phase_dtype: of 2πft. ``float32``, a common slip, is off by up to 1e-3 of a cycle per second of signal; it is
            here to measure what that does.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate is under twice the highest frequency,
            the largest perturbation included.

    Source:
        Turian & Henry 2020, Section 3.1, Equations 3 and 4.
    """

    name: ClassVar[str] = "sines"
    version: ClassVar[int] = 1
    source = "Turian & Henry 2020, Section 3 (arXiv:2012.04572)"

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
        phase_dtype: PhaseDtype = "float64",
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            duration=duration,
            fmin=fmin,
            fmax=fmax,
            lowest_level=lowest_level,
            level_slope=level_slope,
            perturbed_phase=perturbed_phase,
        )
        if phase_dtype not in get_args(PhaseDtype):
            raise ValueError(f"phase_dtype must be one of {', '.join(get_args(PhaseDtype))}, got {phase_dtype!r}")
        self.phase_dtype: PhaseDtype = phase_dtype

    def draw_block(self, generator: torch.Generator) -> Trials:
        """Uniform pitches, levels and phases."""
        uniform = torch.rand(BLOCK, 5 + self.takes, generator=generator, dtype=torch.float64)
        return Trials(
            target=self.place(uniform[:, (0, 2)]),
            prediction=self.place(uniform[:, (1, 3)]),
            drawn={"target_phase": uniform[:, 4], "prediction_phase": uniform[:, 5:]},
        )

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        return self._sine(trials.target, trials.drawn["target_phase"])

    def render_prediction(self, trials: Trials, coordinates: dict[str, Tensor], take: int = 0) -> Tensor:
        """The predictions at other coordinates: ``(trials, samples)``."""
        return self._sine(coordinates, self.prediction_phase(trials, take))

    def _sine(self, coordinates: dict[str, Tensor], phase: Tensor) -> Tensor:
        amplitude = self.amplitude(coordinates)
        if self.phase_dtype == "float64":
            return amplitude * cosine(self.frequency(coordinates), phase, self.samples)
        frequency = torch.exp2(coordinates["pitch"] / 1200).float()
        time = torch.arange(self.samples, dtype=torch.float32, device=frequency.device) / self.sample_rate
        angle = 2 * math.pi * frequency.unsqueeze(-1) * time + 2 * math.pi * phase.float().unsqueeze(-1)
        return amplitude * angle.cos().double()
