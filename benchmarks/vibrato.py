"""Tones that sway and die away."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import Role
from .harmonic_timbre import HarmonicTimbre
from .signals.additive import harmonics_along
from .signals.vibrato import vibrato_time
from .task import BLOCK, Trials

RATE = 5.0
"""Hz."""
DEPTH = 50.0
"""Cents, to either side."""
FASTEST_DECAY, SLOWEST_DECAY = 0.2, 2.0
"""Seconds in which the amplitude falls to 1/e."""


class Vibrato(HarmonicTimbre):
    """As ``harmonic_timbre``, with a vibrato of 5 Hz and ±50 cents, and a decay of 0.2 to 2 s.

    ``f0(t) = f0·2^(50/1200·sin(2π (5t + v)))`` and ``exp(−t/τ)``; v uniform and τ log-uniform, drawn apart for target
    and prediction. Pitch is the f0 in the middle of the vibrato. Level is that of the RMS over the whole signal, which
    is made ``A/√2`` exactly.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "vibrato"
    version: ClassVar[int] = 1

    def draw_tone(self, generator: torch.Generator) -> dict[str, Tensor]:
        """An envelope, the vibrato's phase in cycles, and the decay in seconds, for each tone."""
        drawn = super().draw_tone(generator)
        uniform = torch.rand(BLOCK, 2, generator=generator, dtype=torch.float64)
        decay = FASTEST_DECAY * (uniform[:, 1] * math.log(SLOWEST_DECAY / FASTEST_DECAY)).exp()
        return {**drawn, "vibrato": uniform[:, 0], "decay": decay}

    def highest_ratios(self, trials: Trials) -> Tensor:
        """The harmonics at the top of the vibrato: ``(1, partials)``."""
        return super().highest_ratios(trials) * 2 ** (DEPTH / 1200)

    def render_tone(self, trials: Trials, role: Role, coordinates: dict[str, Tensor], phases: Tensor) -> Tensor:
        """The tones of one side: ``(trials, samples)``."""
        swaying = vibrato_time(
            trials.drawn[f"{role}_vibrato"],
            rate=RATE,
            depth=DEPTH,
            sample_rate=self.sample_rate,
            samples=self.samples,
        )
        cycles = self.frequency(coordinates).unsqueeze(-1) * swaying
        wave = harmonics_along(cycles, self.spectrum(trials, role, coordinates), phases)
        time = torch.arange(self.samples, dtype=wave.dtype, device=wave.device) / self.sample_rate
        wave = wave * (-time / trials.drawn[f"{role}_decay"].unsqueeze(-1)).exp()
        rms = wave.square().mean(-1, keepdim=True).sqrt()
        return self.amplitude(coordinates) / 2**0.5 * wave / rms.clamp_min(torch.finfo(rms.dtype).tiny)
