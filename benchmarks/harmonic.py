"""Harmonic tones, and the base of all tasks that consist of them."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from .signals.additive import partials
from .task import BLOCK, Trials
from .tone import PerturbedPhase, ToneTask

Role = Literal["target", "prediction"]
"""Whose tone it is; what was drawn for it is named ``target_…`` or ``prediction_…``."""


class Harmonic(ToneTask):
    """Tones with partials 1/h, the same in target and prediction: pitch beyond one line of the spectrum.

    ``x(t) = A Σ_h a_h cos(2π (h f0 t + φ_h))``, ``Σ a_h² = 1``, ``a_h ∝ 1/h``, phases random and independent. The
    partials that exist are those that are below half the sample rate at the highest f0 of the trial, perturbations
    included: a perturbation changes no timbre. (At coordinates beyond those of the trial, as on a map, a partial that
    would pass half the sample rate is left out, and the rest has the same power.)

    Args:
        sample_rate: in Hz.
        duration: in seconds.
        fmin: lowest f0 drawn, in Hz.
        fmax: highest f0 drawn, in Hz.
        lowest_level: in dB.
        level_slope: dB per decade of amplitude.
        perturbed_phase: whether a perturbed prediction keeps the prediction's phases (``shared``) or draws its own
            (``new``).
        n_partials: the most partials that a tone has.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate leaves no room for two partials.
    """

    name: ClassVar[str] = "harmonic"
    version: ClassVar[int] = 1
    source = "the suite's own"
    least_partials: ClassVar[int] = 2

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        duration: float = 0.5,
        fmin: float = 30.0,
        fmax: float = 1000.0,
        lowest_level: float = -25.0,
        level_slope: float = 25.0,
        perturbed_phase: PerturbedPhase = "shared",
        n_partials: int = 20,
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
        if n_partials < self.least_partials:
            raise ValueError(f"n_partials must be at least {self.least_partials}, got {n_partials}")
        self.n_partials = n_partials

    def draw_block(self, generator: torch.Generator) -> Trials:
        """Pitches, levels and phases, and what else :meth:`draw_tone` draws for the target and for the prediction."""
        coordinates = [self.draw_coordinates(generator) for _ in range(2)]
        phases = torch.rand(BLOCK, 1 + self.takes, self.n_partials, generator=generator, dtype=torch.float64)
        drawn = {"target_phase": phases[:, 0], "prediction_phase": phases[:, 1:]}
        for role in ("target", "prediction"):
            drawn |= {f"{role}_{name}": values for name, values in self.draw_tone(generator).items()}
        return Trials(coordinates[0], coordinates[1], drawn)

    def draw_tone(self, generator: torch.Generator) -> dict[str, Tensor]:
        """What tones of a block have besides coordinates and phases: name to ``(BLOCK, …)``."""
        del generator
        return {}

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        return self.render_tone(trials, "target", trials.target, trials.drawn["target_phase"])

    def render_prediction(self, trials: Trials, coordinates: dict[str, Tensor], take: int = 0) -> Tensor:
        """The predictions at other coordinates: ``(trials, samples)``."""
        return self.render_tone(trials, "prediction", coordinates, self.prediction_phase(trials, take))

    def render_tone(self, trials: Trials, role: Role, coordinates: dict[str, Tensor], phases: Tensor) -> Tensor:
        """The tones of one side: ``(trials, samples)``."""
        frequencies = self.frequency(coordinates).unsqueeze(-1) * self.ratios(trials, role)
        spectrum = self.spectrum(trials, role, coordinates)
        return self.amplitude(coordinates) * partials(frequencies, spectrum, phases, self.samples)

    def numbers(self, trials: Trials) -> Tensor:
        """The partials' numbers, 1, 2, …: ``(1, partials)``."""
        pitch = trials.target["pitch"]
        return torch.arange(1, self.n_partials + 1, dtype=pitch.dtype, device=pitch.device).unsqueeze(0)

    def ratios(self, trials: Trials, role: Role) -> Tensor:
        """Frequency of each partial over f0: ``(trials or 1, partials)``."""
        del role
        return self.numbers(trials)

    def highest_ratios(self, trials: Trials) -> Tensor:
        """The highest frequency of each partial over f0, in target and prediction: ``(trials or 1, partials)``."""
        return torch.maximum(self.ratios(trials, "target"), self.ratios(trials, "prediction"))

    def envelope(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """Amplitudes, up to a factor: ``(trials or 1, partials)``."""
        del role, coordinates
        return 1 / self.numbers(trials)

    def spectrum(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """Amplitudes of the partials that exist, ``Σ a_h² = 1``: ``(trials, partials)``."""
        highest = torch.maximum(self.highest_frequency(trials), self.frequency(coordinates).detach())
        exists = highest.unsqueeze(-1) * self.highest_ratios(trials) < 0.5
        return unit_power(self.envelope(trials, role, coordinates) * exists)


def unit_power(amplitudes: Tensor) -> Tensor:
    """``a / √Σa²`` over the last dimension; 0 where all are 0."""
    root = amplitudes.square().sum(-1, keepdim=True).sqrt()
    return amplitudes / root.clamp_min(torch.finfo(root.dtype).tiny)
