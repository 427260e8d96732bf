"""How loud a track is, frame by frame: the power of its short-time Fourier transform in dB.

The power of a frame is the mean over the bins of ``|STFT|²``, with a periodic Hann window of 2048 samples, hop 160,
centred, the edges padded with zeros. BassNet (Grachten, Lattner & Deruty 2020), section 4.2, says "the instantaneous
power of the STFT spectrogram, expressed in dB", by librosa's ``stft`` and ``power_to_db``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import rfft
from scipy.signal import get_window

from .config import HOP, BassNetConfig
from .labels import frame_count

N_FFT = 2048
"""Samples of a frame."""
RANGE_DB = 80.0
"""``level`` reaches from this far below a full-scale sine up to it."""

_LEAST_POWER = 1e-10  # librosa's amin
_FRAMES_AT_ONCE = 512
_WINDOW = get_window("hann", N_FFT).astype(np.float32)


def frame_power(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean of ``|STFT|²`` over the bins: ``(samples,)`` to ``(frames,)``, frame ``k`` centred on sample 160·k."""
    padded = np.pad(signal, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][: frame_count(len(signal))]
    power = [
        np.square(np.abs(rfft(frames[start : start + _FRAMES_AT_ONCE] * _WINDOW))).mean(axis=1, dtype=np.float64)
        for start in range(0, len(frames), _FRAMES_AT_ONCE)
    ]
    return np.concatenate(power)


def sine_power() -> float:
    """The power of a frame of a full-scale sine: ``n_fft·Σw²/4`` over ``n_fft/2 + 1`` bins."""
    return float(N_FFT * np.square(_WINDOW, dtype=np.float64).sum() / 4 / (N_FFT // 2 + 1))


def absolute_level(power: NDArray[np.float64]) -> NDArray[np.float32]:
    """``clip((10·log10(power / full-scale sine's) + 80)/80, 0, 1)``: 0 is −80 dB or less, 1 a full-scale sine or more.

    Args:
        power: of :func:`frame_power`.
    """
    db = 10 * np.log10(np.maximum(power, _LEAST_POWER) / sine_power())
    return np.clip(db / RANGE_DB + 1, 0, 1).astype(np.float32)


def level_db(level: ArrayLike) -> NDArray[np.float64]:
    """In dB re a full-scale sine of :func:`absolute_level`: its inverse, where it is not clipped."""
    return RANGE_DB * (np.asarray(level, dtype=np.float64) - 1)


def check_absolute(config: BassNetConfig, what: str) -> None:
    """Refuse to make sound of a level that :func:`level_db` does not invert.

    Args:
        config: of the model that predicts it.
        what: cannot be done; the message begins with it.

    Raises:
        ValueError: if the level is not ``absolute``.
    """
    if config.objective.level != "absolute":
        raise ValueError(
            f"{what}: objective.level is {config.objective.level!r}, which is scaled per track, for comparison with "
            "the paper only; sound needs absolute"
        )


def minmax_level(power: NDArray[np.float64]) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The power in dB, between its minimum and maximum in the track, and these two in dB.

    Floors are librosa's: 1e-10, and 80 dB below the maximum. A track of constant power has level 0.
    """
    db = 10 * np.log10(np.maximum(power, _LEAST_POWER))
    db = np.maximum(db, db.max() - RANGE_DB)
    lowest, highest = float(db.min()), float(db.max())
    scaled = (db - lowest) / (highest - lowest) if highest > lowest else np.zeros_like(db)
    return scaled.astype(np.float32), (lowest, highest)
