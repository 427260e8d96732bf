"""Harmonic tones, the target's in noise."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .harmonic_timbre import HarmonicTimbre
from .signals.noise import draw_noise_seeds, white_noise
from .task import BLOCK, Trials

SIGNAL_TO_NOISE_DB = 10.0


class HarmonicNoise(HarmonicTimbre):
    """As ``harmonic_timbre``, the target with white noise at a signal-to-noise ratio of 10 dB.

    The noise is Gaussian, of a tenth of the tone's power ``A²/2``, and apart for every trial. The level that counts is
    the tone's.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "harmonic_noise"
    version: ClassVar[int] = 1

    def draw_block(self, generator: torch.Generator) -> Trials:
        """What ``harmonic_timbre`` draws, and a seed of noise for each trial."""
        trials = super().draw_block(generator)
        seeds = draw_noise_seeds(BLOCK, generator)
        return Trials(trials.target, trials.prediction, {**trials.drawn, "noise_seed": seeds})

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        rms = self.amplitude(trials.target) / 2**0.5 * 10 ** (-SIGNAL_TO_NOISE_DB / 20)
        return super().render_target(trials) + rms * white_noise(trials.drawn["noise_seed"], self.samples)
