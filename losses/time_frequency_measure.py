"""A spectrogram as a measure on the plane of time and log2 frequency."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .constant import Constant
from .stft import Padding, Stft

_FLOOR = 1e-8
"""Power of silence, relative to a full-scale sine's: the level's floor is at −80 dB."""

Matrix = NDArray[np.float64]


class TimeFrequencyMeasure(nn.Module):
    """The share of a signal's power at each time and log2 frequency, and its level.

    A power spectrogram without its constant bin, normalised to sum 1 over the whole signal, is laid onto a grid that is
    even in time and in log2 frequency: each share is split between the two nearest grid lines, so that the mean time
    and the mean log2 frequency stay what they are. Silence is spread evenly over frames and bins.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        padding: see :data:`~tonedeaf.losses.stft.Padding`.
        bins_per_octave: grid lines per octave; a fraction is allowed.
        time_step: seconds between grid lines in time; None keeps the frames as they are.
        octaves_per_second: how many octaves one second counts for.

    Raises:
        ValueError: if a parameter is out of its range.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        n_fft: int,
        overlap: float,
        window: str,
        padding: Padding,
        bins_per_octave: float,
        time_step: float | None,
        octaves_per_second: float,
    ) -> None:
        super().__init__()
        for what, value in (("bins_per_octave", bins_per_octave), ("octaves_per_second", octaves_per_second)):
            if not (0 < value < math.inf):
                raise ValueError(f"{what} must be positive, got {value}")
        if time_step is not None and not 0 < time_step < math.inf:
            raise ValueError(f"time_step must be positive (seconds), or none, got {time_step}")
        self.stft = Stft(n_fft=n_fft, overlap=overlap, window=window, power=2.0, padding=padding)
        self.octaves_per_second = octaves_per_second
        self._floor = _FLOOR * float(self.stft.window(torch.zeros(1, dtype=torch.float64)).sum() / 2) ** 2
        octaves = np.log2(self.stft.frequencies(sample_rate)[1:])
        frequency_grid, frequency_split = _split(octaves, 1 / bins_per_octave)
        self.octaves = frequency_grid
        """Places of the grid lines, in log2 Hz: ``(lines,)``."""
        self._frequency_split = Constant(frequency_split)
        self._hop = self.stft.hop_length / sample_rate
        self._time_step = time_step
        self._time_splits: dict[int, Constant] = {}

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def times(self, cells: int) -> Matrix:
        """Places of that many grid lines in time, from the first frame on, in octaves: ``(cells,)``."""
        return np.arange(cells, dtype=np.float64) * ((self._time_step or self._hop) * self.octaves_per_second)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to shares ``(batch, times, lines)`` of sum 1, and levels in dB ``(batch,)``."""
        power: Tensor = self.stft(signal)[..., 1:]
        frames, bins = power.shape[-2:]
        mean = power.sum((-2, -1)) / frames + self._floor
        shares = (power + self._floor / bins) / (frames * mean)[:, None, None]
        shares = shares @ self._frequency_split(shares)
        if self._time_step is not None:
            if frames not in self._time_splits:
                seconds = np.arange(frames, dtype=np.float64) * self._hop
                self._time_splits[frames] = Constant(_split(seconds, self._time_step)[1].T)
            shares = self._time_splits[frames](shares) @ shares
        return shares, 10 * mean.log10()


def _split(places: Matrix, step: float) -> tuple[Matrix, Matrix]:
    """An even grid over ascending places, and the shares ``(places, lines)`` by which each place is split onto it."""
    lines = max(2, math.ceil((places[-1] - places[0]) / step) + 1)
    grid = places[0] + step * np.arange(lines)
    below = np.minimum(((places - places[0]) / step).astype(int), lines - 2)
    above_share = (places - grid[below]) / step
    split = np.zeros((len(places), lines))
    rows = np.arange(len(places))
    split[rows, below] = 1 - above_share
    split[rows, below + 1] = above_share
    return grid, split
