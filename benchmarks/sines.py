"""The task of Turian & Henry 2020: two stationary sinusoids."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from .signals.oscillator import cosine
from .task import BLOCK, LEVEL, PITCH, Task, Trials

PerturbedPhase = Literal["shared", "new"]
PhaseDtype = Literal["float64", "float32"]

_TAKES = 1 + len(PITCH.steps) + len(LEVEL.steps)


class Sines(Task):
    """A target sine and a predicted sine, of independent pitch, level and phase.

    ``x(t) = A cos(2πft + φ)``; pitch uniform in log2 f over ``fmin..fmax``, level ``L = level_slope·log10 A``
    uniform over ``lowest_level..0`` dB, φ uniform. Target and prediction are drawn independently.

    Args:
        sample_rate: in Hz.
        duration: in seconds.
        fmin: lowest pitch drawn, in Hz.
        fmax: highest pitch drawn, in Hz.
        lowest_level: in dB.
        level_slope: dB per decade of amplitude. The paper's Equation 4 has 25, where 20 is usual.
        perturbed_phase: ``shared``: a perturbed prediction keeps the prediction's phase; ``new``: it draws its own. The
            paper does not say. A distance that is blind to what was perturbed is right half of the time with ``new``.
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
        super().__init__(sample_rate=sample_rate, duration=duration)
        if not 0 < fmin < fmax:
            raise ValueError(f"fmin and fmax must satisfy 0 < fmin < fmax (Hz), got {fmin:g} and {fmax:g}")
        highest = fmax * 2 ** (max(PITCH.steps) / 1200)
        if sample_rate < 2 * highest:
            raise ValueError(
                f"sample_rate must be at least {2 * highest:.0f} Hz for sines up to {highest:.0f} Hz "
                f"(fmax and the largest perturbation), got {sample_rate:g}"
            )
        if not lowest_level < 0:
            raise ValueError(f"lowest_level must be below 0 dB, got {lowest_level:g}")
        if not level_slope > 0:
            raise ValueError(f"level_slope must be positive (dB per decade), got {level_slope:g}")
        for what, value, allowed in (
            ("perturbed_phase", perturbed_phase, get_args(PerturbedPhase)),
            ("phase_dtype", phase_dtype, get_args(PhaseDtype)),
        ):
            if value not in allowed:
                raise ValueError(f"{what} must be one of {', '.join(allowed)}, got {value!r}")
        self.fmin, self.fmax = fmin, fmax
        self.lowest_level, self.level_slope = lowest_level, level_slope
        self.perturbed_phase: PerturbedPhase = perturbed_phase
        self.phase_dtype: PhaseDtype = phase_dtype

    def draw_block(self, generator: torch.Generator) -> Trials:
        """Uniform pitches, levels and phases."""
        uniform = torch.rand(BLOCK, 5 + _TAKES, generator=generator, dtype=torch.float64)
        low, high = (1200 * math.log2(f) for f in (self.fmin, self.fmax))
        pitch = low + (high - low) * uniform[:, :2]
        level = self.lowest_level * uniform[:, 2:4]
        return Trials(
            target={"pitch": pitch[:, 0], "level": level[:, 0]},
            prediction={"pitch": pitch[:, 1], "level": level[:, 1]},
            drawn={"target_phase": uniform[:, 4], "prediction_phase": uniform[:, 5:]},
        )

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        return self._sine(trials.target, trials.drawn["target_phase"])

    def render_prediction(self, trials: Trials, coordinates: dict[str, Tensor], take: int = 0) -> Tensor:
        """The predictions at other coordinates: ``(trials, samples)``."""
        phases = trials.drawn["prediction_phase"]
        return self._sine(coordinates, phases[:, take if self.perturbed_phase == "new" else 0])

    def _sine(self, coordinates: dict[str, Tensor], phase: Tensor) -> Tensor:
        frequency = torch.exp2(coordinates["pitch"] / 1200)
        amplitude = torch.pow(10.0, coordinates["level"] / self.level_slope).unsqueeze(-1)
        if self.phase_dtype == "float64":
            return amplitude * cosine(frequency / self.sample_rate, phase, self.samples)
        time = torch.arange(self.samples, dtype=torch.float32, device=frequency.device) / self.sample_rate
        angle = 2 * math.pi * frequency.float().unsqueeze(-1) * time + 2 * math.pi * phase.float().unsqueeze(-1)
        return amplitude * angle.cos().double()
