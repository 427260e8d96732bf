"""Power in Gaussian bands on log2 frequency, from frames that fit a signal of any length."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .constant import Constant

_BLOCK = 36
"""Bands that share a filter matrix: what lies far from all of them is left out of it, and it stays narrow."""
_REACH = 4.5
"""Standard deviations within which a Gaussian has bins."""
_NO_BIN = 1e-9
"""A sum of Gaussian weights below which a band is so far between two bins that it hears nothing."""
_NEARLY = 0.95
"""Share of the zero-padding asked for that will do: so that a power of two just below it is taken."""


@dataclass(frozen=True)
class _FrontEnd:
    """What a window length takes: the transform's length, the window, and each block's bins and filters."""

    n_fft: int
    window: Constant
    blocks: tuple[tuple[slice, Constant], ...]


class LogFrequencyBands(nn.Module):
    """The power of each frame in Gaussian bands on log2 frequency.

    ``P[b, t, j] = Σ_k g_jk |X[b, t, k]|²`` with ``g_jk = exp(−½ ((log2 f_k − x_j) / σ_j)²)``, scaled to sum 1 over
    bins ``f_k > 0``: a mean density, not a sum. ``X`` is the transform of a frame under a Hann window of energy 1,
    padded with zeros. A band is as wide as it should be, plus what the window blurs::

        σ_j = √(sigma_octaves² + (sigma_bins · sample_rate / (window · 2^x_j · ln 2))²)     octaves

    Frames lie within the signal, evenly spread, the first at its start; a signal too short for the window shortens it.

    Args:
        sample_rate: in Hz.
        octaves: the bands' centres ``x``, ascending, in log2 Hz.
        window_seconds: the window's length, in seconds.
        window_share: share of the signal that the window is at most.
        overlap: share of a window that it has in common with the next, at least.
        zero_padding: transform lengths per window length; the next power of two is taken.
        sigma_octaves: the bands' standard deviation, in octaves.
        sigma_bins: what the window adds to it, in bins of the window (``sample_rate / window``).

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Of this suite.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        octaves: NDArray[np.float64],
        window_seconds: float = 0.186,
        window_share: float = 0.9,
        overlap: float = 0.5,
        zero_padding: float = 2.0,
        sigma_octaves: float = 0.025,
        sigma_bins: float = 0.4,
    ) -> None:
        super().__init__()
        if not 0 < window_seconds < math.inf:
            raise ValueError(f"window_seconds must be positive (seconds), got {window_seconds}")
        if not 0 < window_share <= 1:
            raise ValueError(f"window_share must be above 0 and at most 1, got {window_share}")
        if not 0 <= overlap < 1:
            raise ValueError(f"overlap must be at least 0 and below 1, got {overlap}")
        if not 1 <= zero_padding < math.inf:
            raise ValueError(f"zero_padding must be at least 1 (1 pads nothing), got {zero_padding}")
        if not 0 < sigma_octaves < math.inf:
            raise ValueError(f"sigma_octaves must be positive (octaves), got {sigma_octaves}")
        if not 0 <= sigma_bins < math.inf:
            raise ValueError(f"sigma_bins must be at least 0 (bins of the window), got {sigma_bins}")
        self.sample_rate = sample_rate
        self.octaves = octaves
        self.window_seconds = window_seconds
        self.window_share = window_share
        self.overlap = overlap
        self.zero_padding = zero_padding
        self.sigma_octaves = sigma_octaves
        self.sigma_bins = sigma_bins
        self._front_ends: dict[int, _FrontEnd] = {}

    def window_length(self, samples: int) -> int:
        """The window of signals of a length, in samples, even."""
        longest = int(min(self.window_seconds * self.sample_rate, self.window_share * samples))
        return max(2, longest - longest % 2)

    def hop_length(self, samples: int) -> int:
        """From one frame of such signals to the next, in samples: as few frames as the overlap allows."""
        window = self.window_length(samples)
        steps = math.ceil((samples - window) / (window * (1 - self.overlap)))
        return max(1, (samples - window) // max(steps, 1))

    def blurred(self, window: int, octaves: float, bins: float) -> NDArray[np.float64]:
        """``octaves``, and ``bins`` of the window in octaves at each band, as a hypotenuse: ``(bands,)``."""
        at_band = bins * self.sample_rate / window / (2**self.octaves * math.log(2))
        return np.hypot(octaves, at_band)

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, bands)``."""
        samples = signal.shape[-1]
        window = self.window_length(samples)
        if window not in self._front_ends:
            self._front_ends[window] = self._front_end(window)
        end = self._front_ends[window]
        frames = signal.unfold(-1, window, self.hop_length(samples)) * end.window(signal)
        spectrum = torch.fft.rfft(frames, end.n_fft)[..., : end.blocks[-1][0].stop]
        power = torch.view_as_real(spectrum).square().sum(-1)
        return torch.cat([power[..., bins] @ filters(signal) for bins, filters in end.blocks], -1)

    def _front_end(self, window: int) -> _FrontEnd:
        n_fft = 2 ** math.ceil(math.log2(max(window, _NEARLY * self.zero_padding * window)))
        hann = np.sin(np.pi * (np.arange(window) + 0.5) / window) ** 2
        sigmas = self.blurred(window, self.sigma_octaves, self.sigma_bins)
        starts = range(0, len(self.octaves), _BLOCK)
        return _FrontEnd(
            n_fft=n_fft,
            window=Constant(hann / np.sqrt((hann**2).sum())),
            blocks=tuple(self._block(n_fft, self.octaves[i : i + _BLOCK], sigmas[i : i + _BLOCK]) for i in starts),
        )

    def _block(self, n_fft: int, octaves: NDArray[np.float64], sigmas: NDArray[np.float64]) -> tuple[slice, Constant]:
        lowest, highest = (octaves - _REACH * sigmas).min(), (octaves + _REACH * sigmas).max()
        first = max(1, int(2**lowest * n_fft / self.sample_rate))
        last = min(n_fft // 2, int(2**highest * n_fft / self.sample_rate) + 1)
        bins = np.log2(np.arange(first, last + 1) * self.sample_rate / n_fft)
        weights = np.exp(-0.5 * ((bins[:, None] - octaves) / sigmas) ** 2)
        return slice(first, last + 1), Constant(weights / np.maximum(weights.sum(0), _NO_BIN))
