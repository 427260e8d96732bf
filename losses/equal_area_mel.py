"""Mel filters of equal area, exact to float64: what published front ends compute with librosa or transformers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mel import MelScale

_LINEAR_HZ = 1000.0
"""Up to here Slaney's scale is linear."""
_HZ_PER_MEL = 200 / 3
_MELS_PER_LOG = 27 / np.log(6.4)


def equal_area_mel(
    *, n_fft: int, sample_rate: float, n_mels: int, fmin: float, fmax: float, scale: MelScale
) -> NDArray[np.float64]:
    """Triangles that are straight in Hz, evenly spaced in mels, each divided by half its width in Hz.

    :class:`~tonedeaf.losses.mel.MelFilterBank` holds the same filters as torchaudio computes them, in float32, which is
    off by up to 1e-3 dB where filters are hardly wider than a bin.

    Args:
        n_fft: length of the transform.
        sample_rate: in Hz.
        n_mels: number of filters.
        fmin: lower edge of the first filter, in Hz.
        fmax: upper edge of the last, in Hz.
        scale: ``htk`` or ``slaney``.

    Returns:
        ``(n_fft // 2 + 1, n_mels)``.

    Source:
        ``librosa.filters.mel`` with ``norm="slaney"``.
    """
    to_mel, to_hertz = (_htk, _from_htk) if scale == "htk" else (_slaney, _from_slaney)
    lowest, highest = to_mel(np.array([fmin, fmax]))
    edges = to_hertz(np.linspace(lowest, highest, n_mels + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])


def _htk(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + hertz / 700)


def _from_htk(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700 * (10 ** (mel / 2595) - 1)


def _slaney(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithm = np.log(np.maximum(hertz, _LINEAR_HZ) / _LINEAR_HZ)
    return np.minimum(hertz, _LINEAR_HZ) / _HZ_PER_MEL + _MELS_PER_LOG * logarithm


def _from_slaney(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_HZ / _HZ_PER_MEL
    return np.minimum(mel, knee) * _HZ_PER_MEL * np.exp(np.maximum(mel - knee, 0) / _MELS_PER_LOG)
