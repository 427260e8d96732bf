"""The short-time Fourier transform that the spectral distances share."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from scipy.signal import get_window
from torch import Tensor, nn

from .constant import Constant

Padding = Literal["valid", "reflect", "constant"]
"""Frames that fit (``valid``), or frames centred on the signal's first to last sample, the signal being continued by
its mirror image (``reflect``, torchaudio's default) or by zeros (``constant``)."""


class Stft(nn.Module):
    """The magnitude of the short-time Fourier transform, to a power.

    ``S[b, t, k] = |Σ_n w[n] x[b, t·hop + n] exp(−2πikn/n_fft)|^power``, not normalised: a sine of amplitude 1 has a peak
    of Σw/2 (to the power).

    Edge frames hold a kink (``reflect``) or a step (``constant``) whose gradients are chaotic: they decide a distance's
    analytic sign accuracy. ``valid`` is the default for that reason.

    Args:
        n_fft: window and transform length, in samples.
        overlap: share of a window that it has in common with the next; ``hop_length`` is ``n_fft·(1 − overlap)``,
            rounded, at least 1.
        window: any window name of :func:`scipy.signal.get_window`, periodic.
        power: 1 for the magnitude, 2 for the power.
        padding: see :data:`Padding`.

    Raises:
        ValueError: if a parameter is out of its range.
    """

    def __init__(
        self,
        *,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        power: float = 2.0,
        padding: Padding = "valid",
    ) -> None:
        super().__init__()
        if n_fft < 2:
            raise ValueError(f"n_fft must be at least 2 samples, got {n_fft}")
        if not 0 <= overlap < 1:
            raise ValueError(f"overlap must be at least 0 and below 1, got {overlap}")
        if not power >= 1:
            raise ValueError(f"power must be at least 1 (below, the gradient at silence is infinite), got {power}")
        if padding not in get_args(Padding):
            raise ValueError(f"padding must be one of {', '.join(get_args(Padding))}, got {padding!r}")
        try:
            values: np.ndarray[tuple[int], np.dtype[np.float64]] = get_window(window, n_fft)
        except ValueError as error:
            raise ValueError(f"window {window!r} is not one that scipy.signal.get_window knows") from error
        self.n_fft = n_fft
        self.hop_length = max(1, round(n_fft * (1 - overlap)))
        self.power = power
        self.padding: Padding = padding
        self.window = Constant(values)

    @property
    def min_samples(self) -> int:
        """The shortest signal that has a frame: ``n_fft``, or what its mirror image takes when padded."""
        return self.n_fft if self.padding == "valid" else self.n_fft // 2 + 1

    def frequencies(self, sample_rate: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The centre of each bin, in Hz: ``(n_fft // 2 + 1,)``."""
        return np.arange(self.n_fft // 2 + 1) * (sample_rate / self.n_fft)

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, bins)``."""
        if self.padding != "valid":
            margin = self.n_fft // 2
            signal = nn.functional.pad(signal.unsqueeze(1), (margin, margin), mode=self.padding).squeeze(1)
        frames = signal.unfold(-1, self.n_fft, self.hop_length) * self.window(signal)
        spectrum = torch.fft.rfft(frames)
        if self.power == 2:
            # Not |X|²: the magnitude's square root costs time, and its derivative is lost at 0.
            return spectrum.real.square() + spectrum.imag.square()
        magnitude = spectrum.abs()
        return magnitude if self.power == 1 else magnitude**self.power
