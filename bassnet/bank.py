"""A bank of fixed sinusoids, one at the frequency of each bin: audio from a log magnitude, without a pitch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .comparison import Comparison
from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from .path import Known, Parts, Path, SegmentPrediction
from .synthesis import at_level, linear_magnitude

_GOLDEN = (math.sqrt(5) - 1) / 2
"""Cycles from one sinusoid's phase to the next: no two near ones agree, so that they make no pulse together."""


def bank_synthesis(amplitudes: Tensor, *, cqt: CqtConfig) -> Tensor:
    """``y[n] = Σ_b a_b(n) sin(2π (f_b n/16000 + 0.618·b))``: 160 samples of 16 kHz audio a frame.

    Amplitudes go linearly from frame to frame and stay behind the last. A frame's samples are one matrix product.

    Args:
        amplitudes: of the bins, linear, full scale 1, ``(batch, frames, bins)``.
        cqt: what the bins are.

    Returns:
        ``(batch, 160·frames)``, differentiable.
    """
    batch, frames, bins = amplitudes.shape
    device = amplitudes.device
    number = torch.arange(bins, dtype=torch.float64, device=device)
    frequency = F_MIN * 2 ** (number / cqt.bins_per_octave) / SAMPLE_RATE
    time = torch.arange(frames * HOP, dtype=torch.float64, device=device)
    cycles = frequency.unsqueeze(1) * time + _GOLDEN * number.unsqueeze(1)
    sinusoids = (2 * math.pi * (cycles - cycles.floor())).to(amplitudes.dtype).sin_()
    by_frame = sinusoids.view(bins, frames, HOP).transpose(0, 1)
    here = amplitudes.transpose(0, 1)
    following = torch.cat((here[1:], here[-1:]))
    ramp = torch.arange(HOP, dtype=amplitudes.dtype, device=device) / HOP
    wave = torch.bmm(here, by_frame) * (1 - ramp) + torch.bmm(following, by_frame) * ramp
    return wave.transpose(0, 1).reshape(batch, frames * HOP)


class Bank(Path):
    """A fixed sinusoid for each bin, its amplitude the magnitude's: no f0 at all. The control condition."""

    name = "bank"

    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """The distance of the bank, whose phases are its own."""
        del generator
        return Parts(distances(self.render(prediction, known).unsqueeze(1)).mean())

    def render(self, prediction: SegmentPrediction, known: Known) -> Tensor:
        """The bank's audio, ``(batch, samples)``."""
        magnitude = linear_magnitude(prediction.y, self.cqt)
        amplitudes = at_level(magnitude, prediction.level) * known.sounding.unsqueeze(-1)
        return bank_synthesis(amplitudes, cqt=self.cqt)
