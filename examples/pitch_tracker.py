r"""A distance without a gradient: how far apart a pitch tracker hears two signals.

``tonedeaf rank`` asks it what needs no gradient; in training it takes a path that tries pitches (``entropic``,
``marginal`` or ``expected``)::

    tonedeaf train --data DIR --loss ./examples/pitch_tracker.py:PitchTracker --condition audio-only --path entropic \
        --out runs/tracked
"""

import math

import torch
from torch import Tensor

from tonedeaf.losses import RepresentationDistance

LOWEST, HIGHEST = 27.5, 500.0
"""Hz."""
TALL = 0.9
"""A peak is as good as the tallest from this share of it on; multiples of a period are nearly as tall as it."""


class PitchTracker(RepresentationDistance):
    """``|1200·log2(f/g)|`` cents, f and g the frequencies of the first tall peaks of the signals' autocorrelations."""

    differentiable = False

    @property
    def min_samples(self) -> int:
        """Two periods of the lowest pitch."""
        return math.ceil(2 * self.sample_rate / LOWEST)

    def represent(self, signal: Tensor) -> Tensor:
        """Pitch in cents re 1 Hz, ``(batch,)``, to the nearest whole period."""
        spectrum = torch.fft.rfft(signal, 2 * signal.shape[-1])
        correlation = torch.fft.irfft(spectrum.abs().square())
        shortest, longest = math.ceil(self.sample_rate / HIGHEST), math.floor(self.sample_rate / LOWEST)
        before, here, after = (correlation[:, shortest - 1 + k : longest + k] for k in range(3))
        peaks = torch.where((here > before) & (here >= after), here, 0.0)
        lag = shortest + (peaks >= TALL * peaks.amax(-1, keepdim=True)).to(torch.int8).argmax(-1)
        return 1200 * (self.sample_rate / lag.to(signal.dtype)).log2()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Cents between two pitches."""
        return (prediction - target).abs()
