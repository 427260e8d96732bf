"""The short-time Fourier transform that the spectral distances share."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from scipy.signal import get_window
from torch import Tensor, nn

from .constant import Constant
from .equal_loudness import loudness_weights

Padding = Literal["valid", "reflect", "constant", "end"]
"""Frames that fit (``valid``), or frames centred on the signal's first to last sample, the signal being continued by
its mirror image (``reflect``, torchaudio's default) or by zeros (``constant``), or frames that start in the signal, it
being continued by zeros (``end``, TensorFlow's ``pad_end``)."""


def window_values(window: str, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The periodic window of a name such as ``hann`` or ``kaiser:12`` (see :class:`Stft`), ``(length,)``.

    Raises:
        ValueError: if SciPy knows no such window.
    """
    name, *parameters = window.split(":")
    try:
        # its annotations know the windows' names one by one
        return get_window((name, *map(float, parameters)) if parameters else name, length)  # pyright: ignore
    except (TypeError, ValueError) as error:
        raise ValueError(f"window {window!r} is not one that scipy.signal.get_window knows") from error


class Stft(nn.Module):
    """The magnitude of the short-time Fourier transform, to a power.

    ``S[b, t, k] = |Σ_n w[n] x[b, t·hop + n] exp(−2πikn/n_fft)|^power``, not normalised: a sine of amplitude 1 has a
    peak of Σw/2 (to the power). With ``loudness_phon`` the magnitude is first multiplied by the ear's sensitivity at
    the bin's frequency (see :func:`~tonedeaf.losses.equal_loudness.loudness_weights`).

    Edge frames hold a kink (``reflect``) or a step (``constant``, ``end``) whose gradients are chaotic: they decide a
    distance's analytic sign accuracy. ``valid`` is the default for that reason.

    Args:
        n_fft: window and transform length, in samples.
        overlap: share of a window that it has in common with the next; ``hop_length`` is ``n_fft·(1 − overlap)``,
            rounded, at least 1.
        window: any window name of :func:`scipy.signal.get_window`, periodic; a parameter that it needs follows a colon,
            as in ``kaiser:12``.
        power: 1 for the magnitude, 2 for the power.
        padding: see :data:`Padding`.
        hop_length: samples between frames, in place of ``overlap``.
        win_length: window length, in samples, at most ``n_fft``: the window stands in the middle of the transform,
            zeros around it. None is ``n_fft``.
        loudness_phon: loudness level of the equal-loudness contour that weights the bins, 20 to 80 phon; None weights
            them alike.
        sample_rate: in Hz; needed with ``loudness_phon`` only.

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
        hop_length: int | None = None,
        win_length: int | None = None,
        loudness_phon: float | None = None,
        sample_rate: float | None = None,
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
        if hop_length is not None and hop_length < 1:
            raise ValueError(f"hop_length must be at least 1 sample, got {hop_length}")
        win_length = n_fft if win_length is None else win_length
        if not 2 <= win_length <= n_fft:
            raise ValueError(f"win_length must be between 2 and n_fft = {n_fft} samples, got {win_length}")
        before = (n_fft - win_length) // 2
        values = np.pad(window_values(window, win_length), (before, n_fft - win_length - before))
        self.n_fft = n_fft
        self.hop_length = max(1, round(n_fft * (1 - overlap))) if hop_length is None else hop_length
        self.power = power
        self.padding: Padding = padding
        self.window = Constant(values)
        self._weights: Constant | None = None
        if loudness_phon is not None:
            if sample_rate is None:
                raise ValueError("loudness_phon needs sample_rate (Hz), got none")
            self._weights = Constant(loudness_weights(self.frequencies(sample_rate), loudness_phon) ** power)

    @property
    def min_samples(self) -> int:
        """The shortest signal that has a frame: ``n_fft``, or what its mirror image takes when padded."""
        if self.padding == "end":
            return 1
        return self.n_fft if self.padding == "valid" else self.n_fft // 2 + 1

    def frequencies(self, sample_rate: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The centre of each bin, in Hz: ``(n_fft // 2 + 1,)``."""
        return np.fft.rfftfreq(self.n_fft, 1 / sample_rate).astype(np.float64)

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, bins)``."""
        spectrogram = self._spectrogram(self._padded(signal))
        return spectrogram if self._weights is None else spectrogram * self._weights(spectrogram)

    def _padded(self, signal: Tensor) -> Tensor:
        if self.padding == "valid":
            return signal
        if self.padding == "end":
            last_start = (signal.shape[-1] - 1) // self.hop_length * self.hop_length
            return nn.functional.pad(signal, (0, last_start + self.n_fft - signal.shape[-1]))
        margin = self.n_fft // 2
        return nn.functional.pad(signal.unsqueeze(1), (margin, margin), mode=self.padding).squeeze(1)

    def _spectrogram(self, signal: Tensor) -> Tensor:
        frames = signal.unfold(-1, self.n_fft, self.hop_length) * self.window(signal)
        spectrum: Tensor = torch.fft.rfft(frames)
        if self.power == 2:
            # Not |X|²: the magnitude's square root costs time, and its derivative is lost at 0.
            return spectrum.real.square() + spectrum.imag.square()
        magnitude: Tensor = spectrum.abs()
        return magnitude if self.power == 1 else magnitude**self.power
