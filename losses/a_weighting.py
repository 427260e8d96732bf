"""A-weighting of a signal before it is compared."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import signal as filters
from torch import Tensor

from .constant import Constant

_POLES = (20.598997, 20.598997, 107.65265, 737.86223, 12194.217, 12194.217)
"""Of the analogue filter, in Hz."""
_GAIN = 1.9997
"""What makes the analogue filter's gain 0 dB at 1 kHz, in dB."""
_TAPS = 101
_FITTED = 512
"""Frequencies at which the filter's magnitude is fitted."""


class AWeighting:
    """A linear-phase filter of 101 taps that follows the A-weighting curve: softer bass, softer extreme treble.

    The analogue filter is made digital by the bilinear transform, and its magnitude is fitted by least squares. Below
    some hundred hertz 101 taps cannot follow: at 44,100 Hz the gain at 50 Hz is −19 dB, not −30.

    Args:
        sample_rate: in Hz.

    Source:
        IEC 61672 (the curve); Wright & Välimäki 2019 (as a pre-emphasis); the fit as in
        ``auraloss.perceptual.FIRFilter`` 0.4.0 with ``filter_type="aw"``.
    """

    def __init__(self, *, sample_rate: float) -> None:
        poles = -2 * math.pi * np.array(_POLES)
        gain = poles[-1] ** 2 * 10 ** (_GAIN / 20)
        zeros, poles, gain = filters.bilinear_zpk(np.zeros(4), poles, gain, fs=sample_rate)
        frequencies, response = filters.freqz_zpk(zeros, poles, np.ones(1), worN=_FITTED, fs=sample_rate)
        self._taps = Constant(filters.firls(_TAPS, frequencies, gain * np.abs(response), fs=sample_rate))

    def __call__(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to the same shape; zeros are assumed around the signal."""
        taps = self._taps(signal).view(1, 1, -1)
        return torch.nn.functional.conv1d(signal.unsqueeze(1), taps, padding=_TAPS // 2).squeeze(1)
