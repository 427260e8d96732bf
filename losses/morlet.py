"""Banks of Morlet wavelets, in the frequency domain: the filters of scattering transforms.

Frequencies are in cycles per sample throughout: 0.5 is half the sample rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import ifft

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOWPASS = 0.1
"""Bandwidth of the low-pass filter that averages over 1 sample; over T samples it is a T-th of that."""
_CROSSING = math.sqrt(0.5)
"""Where a wavelet's frequency response meets its neighbour's."""
_MARGIN = 5.0
"""Bandwidths from a wavelet's centre to where its response counts as 0 (4e-6)."""
_HIGHEST = 0.35
"""Highest centre frequency of a bank with one wavelet an octave."""


@dataclass(frozen=True)
class Wavelet:
    """A Morlet wavelet ``ψ(n) = g(n)·(exp(2πi·centre·n) − κ)``, ``g`` a Gaussian, ``κ`` such that the mean is 0.

    Attributes:
        centre: in cycles per sample; negative for one that spins the other way; 0 for the Gaussian itself.
        bandwidth: standard deviation of its frequency response, in cycles per sample.
    """

    centre: float
    bandwidth: float

    @property
    def log2_stride(self) -> int:
        """The filtered signal can be kept every ``2**log2_stride`` samples without aliasing."""
        edge = min(abs(self.centre) + _MARGIN * self.bandwidth, 0.5)
        return math.floor(-math.log2(edge)) - 1

    def response(self, samples: int) -> NDArray[np.float64]:
        """The frequency response, in the order of ``numpy.fft.fftfreq(samples)``; ``Σ|ψ| = 1`` in time."""
        # Sampling in time is periodising in frequency; two periods on either side are more than the widest reaches.
        frequencies = np.arange(-2 * samples, 3 * samples).reshape(5, samples) / samples
        lowpass = np.exp(-(frequencies**2) / (2 * self.bandwidth**2)).sum(axis=0)
        response = lowpass
        if self.centre:
            gabor = np.exp(-((frequencies - self.centre) ** 2) / (2 * self.bandwidth**2)).sum(axis=0)
            response = gabor - gabor[0] / lowpass[0] * lowpass
        magnitudes: NDArray[np.float64] = np.abs(ifft(response))
        return response / magnitudes.sum()


def lowpass(average: int) -> Wavelet:
    """The Gaussian that averages over ``average`` samples."""
    return Wavelet(0.0, _LOWPASS / average)


def wavelets(octaves: int, per_octave: int) -> Iterator[Wavelet]:
    """A bank that covers the frequencies above the low-pass filter of ``2**octaves`` samples, from the highest down.

    Centres are in geometric progression with bandwidths in proportion, down to the bandwidth of the low-pass filter,
    and in arithmetic progression with that bandwidth below.
    """
    ratio = 2 ** (1 / per_octave)
    centre = max(1 / (1 + 2 ** (3 / per_octave)), _HIGHEST)
    bandwidth = centre * (ratio - 1) / (ratio + 1) / math.sqrt(2 * math.log(1 / _CROSSING))
    narrowest = _LOWPASS / 2**octaves
    if bandwidth <= narrowest:
        centre = bandwidth
    else:
        yield Wavelet(centre, bandwidth)
        while bandwidth > narrowest * ratio:
            centre, bandwidth = centre / ratio, bandwidth / ratio
            yield Wavelet(centre, bandwidth)
    for step in range(1, per_octave):
        yield Wavelet(centre * (1 - step / per_octave), narrowest)
