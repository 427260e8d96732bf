"""A tone in a mixture."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import unit_power
from .harmonic_timbre import HarmonicTimbre
from .signals.additive import partials
from .task import BLOCK, Trials
from .tone import PerturbedPhase

TRIAD_DB = -6.0
"""Level of the triad's power re the tone's."""
LOWEST_ROOT, HIGHEST_ROOT = 1200.0, 2400.0
"""Of the triad, in cents above the tone."""
MINOR, MAJOR = (0.0, 300.0, 700.0), (0.0, 400.0, 700.0)
"""Cents above the root."""


class InMix(HarmonicTimbre):
    """A low tone under a triad in the target, the tone alone in the prediction: follow one voice of a mixture.

    The tone is as in ``harmonic_timbre``, f0 30-250 Hz. The triad, major or minor, has its root one to two octaves
    above the tone's f0 (uniform in cents, so seldom in tune with it); its three tones, of equal power and with
    envelopes of their own, together are 6 dB below the tone. The level that counts is the tone's.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`; ``fmax`` is 250 Hz.
    """

    name: ClassVar[str] = "in_mix"
    version: ClassVar[int] = 1

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        duration: float = 0.5,
        fmin: float = 30.0,
        fmax: float = 250.0,
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
            n_partials=n_partials,
        )

    def draw_block(self, generator: torch.Generator) -> Trials:
        """What ``harmonic_timbre`` draws, and three tones for each target."""
        trials = super().draw_block(generator)
        uniform = torch.rand(BLOCK, 2, generator=generator, dtype=torch.float64)
        root = LOWEST_ROOT + (HIGHEST_ROOT - LOWEST_ROOT) * uniform[:, :1]
        thirds = torch.where(uniform[:, 1:] < 0.5, torch.tensor(MINOR).double(), torch.tensor(MAJOR).double())
        triad = {
            "triad_cents": root + thirds,
            "triad_phase": torch.rand(BLOCK, 3, self.n_partials, generator=generator, dtype=torch.float64),
            "triad_envelope": torch.stack([self.draw_tone(generator)["envelope"] for _ in range(3)], dim=1),
        }
        return Trials(trials.target, trials.prediction, {**trials.drawn, **triad})

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        amplitude = self.amplitude(trials.target) * 10 ** (TRIAD_DB / 20) / 3**0.5
        pitch = trials.target["pitch"].unsqueeze(-1) + trials.drawn["triad_cents"]
        frequencies = self.frequency({"pitch": pitch}).unsqueeze(-1) * self.numbers(trials)
        spectra = unit_power(trials.drawn["triad_envelope"] * (frequencies < 0.5))
        # The three tones of a target are so many partials of one sum.
        phases = trials.drawn["triad_phase"]
        triad = partials(frequencies.flatten(1), spectra.flatten(1), phases.flatten(1), self.samples)
        return super().render_target(trials) + amplitude * triad
