"""Optimal transport between spectra on a logarithmic frequency axis, with a level term."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .stft import Padding, Stft

_FLOOR = 1e-8
"""Power of silence, relative to a full-scale sine's: the level's floor is at −80 dB."""


class LogSpectralTransport(RepresentationDistance):
    """How far, in octaves, spectral power has to be moved, plus the difference in level.

    With ``p_t`` the power spectrum of frame ``t`` without its constant bin, normalised to sum 1, and ``F`` its
    cumulative sum over bins at ``x_k = log2 f_k``::

        d = mean_t ( Σ_k |F_t(prediction)_k − F_t(target)_k| · (x_{k+1} − x_k)
                     + level_weight · |L_t(prediction) − L_t(target)| )

    The first term is the Wasserstein-1 distance of ``p_t`` on log2 f: for two tones, their interval in octaves, with
    the same slope at any distance. ``L_t`` is the frame's power in dB. Silence is spread evenly over the bins.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        padding: ``valid``, ``reflect`` or ``constant``.
        level_weight: octaves that 1 dB counts for; 0 makes the distance blind to level.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Of this suite. Transport between spectra: Flamary et al. 2016 (linear frequency, unmixing), Torres, Peeters &
        Richard 2023 (linear frequency, as a training loss).

    Example:
        >>> import torch
        >>> t = torch.arange(22050) / 44100
        >>> a, b = (torch.sin(6.2832 * f * t).unsqueeze(0) for f in (500, 1000))
        >>> LogSpectralTransport(sample_rate=44100)(a, b).round(decimals=2)
        tensor([1.])
    """

    source = "tonedeaf; after Torres, Peeters & Richard 2023 (arXiv:2312.14507)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        padding: Padding = "valid",
        level_weight: float = 0.1,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not level_weight >= 0:
            raise ValueError(f"level_weight must be at least 0 (octaves per dB), got {level_weight}")
        self.stft = Stft(n_fft=n_fft, overlap=overlap, window=window, power=2.0, padding=padding)
        self.level_weight = level_weight
        frequencies = self.stft.frequencies(sample_rate)[1:]
        self._octaves = Constant(np.diff(np.log2(frequencies)))
        self._floor = _FLOOR * (n_fft / 4) ** 2

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to cumulated ``(batch, frames, bins − 2)`` and levels ``(batch, frames)``, dB."""
        power: Tensor = self.stft(signal)[..., 1:]
        total = power.sum(-1) + self._floor
        share = (power + self._floor / power.shape[-1]) / total.unsqueeze(-1)
        return share.cumsum(-1)[..., :-1], 10 * total.log10()

    def compare(self, prediction: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Octaves of transport plus weighted decibels, averaged over frames: ``(batch,)``."""
        octaves = (prediction[0] - target[0]).abs() @ self._octaves(target[0])
        decibels = (prediction[1] - target[1]).abs()
        return (octaves + self.level_weight * decibels).mean(-1)
