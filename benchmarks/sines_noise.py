"""Sines, the target's in noise."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .signals.noise import draw_noise_seeds, white_noise
from .sines import Sines
from .task import BLOCK, Trials

NOISE_DBFS = -45.0
"""RMS of the noise in dB re 1.0; a sine of amplitude 1 is at −3 dB."""


class SinesNoise(Sines):
    """As ``sines``, the target with white noise at −45 dBFS: an anechoic sine is no recording.

    ``s(t) = A cos(2πft + φ) + 10^(−45/20)·n(t)``, n Gaussian, of variance 1 and apart for every trial. The level that
    counts is the sine's.

    Its parameters are those of :class:`~tonedeaf.benchmarks.sines.Sines`.
    """

    name: ClassVar[str] = "sines_noise"
    version: ClassVar[int] = 1
    source = "the suite's own; sines after Turian & Henry 2020"

    def draw_block(self, generator: torch.Generator) -> Trials:
        """What ``sines`` draws, and a seed of noise for each trial."""
        trials = super().draw_block(generator)
        seeds = draw_noise_seeds(BLOCK, generator)
        return Trials(trials.target, trials.prediction, {**trials.drawn, "noise_seed": seeds})

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``."""
        noise = white_noise(trials.drawn["noise_seed"], self.samples)
        return super().render_target(trials) + 10 ** (NOISE_DBFS / 20) * noise
