"""Recordings: any rate, any number of channels, any format that libsndfile reads; mono at 16 kHz once they are here."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from .config import SAMPLE_RATE

LEAST_SECONDS = 2.0
"""A recording is at least this long: the lowest bin of the constant-Q transform sees 1.9 s."""
SILENT = 1e-4
"""A recording whose samples are all smaller is silent: −80 dB."""

_FULL_SCALE = 0.98
_PLATEAU, _MOST_CLIPPED = 8, 1e-3


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording as mono: ``(samples,)`` at its own sample rate, in Hz."""

    signal: NDArray[np.float32]
    sample_rate: int

    def at(self, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
        """The signal at another sample rate."""
        common = gcd(sample_rate, self.sample_rate)
        resampled = resample_poly(self.signal, sample_rate // common, self.sample_rate // common)
        return resampled.astype(np.float32, copy=False)


def read_recording(path: Path, *, silence_allowed: bool = False) -> Recording:
    """The recording in a file, its channels averaged.

    Args:
        path: the file.
        silence_allowed: a silent one is taken as it is.

    Raises:
        ValueError: naming the file, if it cannot be decoded, or it is too short, silent or clipped.
    """
    import soundfile

    try:
        read, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path} cannot be decoded: {_reason(error)}") from error
    channels: NDArray[np.float32] = read.astype(np.float32, copy=False)
    if not np.isfinite(channels).all():
        raise ValueError(f"{path} holds samples that are not finite numbers")
    if len(channels) < LEAST_SECONDS * sample_rate:
        seconds = len(channels) / sample_rate
        raise ValueError(f"{path} is too short: {seconds:.2f} s, at least {LEAST_SECONDS:g} s are needed")
    if not silence_allowed and np.abs(channels).max() < SILENT:
        raise ValueError(f"{path} is silent: its peak is below {20 * np.log10(SILENT):.0f} dB")
    share = max(clipped_share(channel) for channel in channels.T)
    if share > _MOST_CLIPPED:
        raise ValueError(f"{path} is clipped: {100 * share:.1f} % of its samples are cut off at full scale")
    return Recording(channels.mean(axis=1), sample_rate)


def clipped_share(signal: NDArray[np.float32]) -> float:
    """The share of samples that are cut off: in runs of 8 or more equal ones at the peak, which is 0.98 or more.

    A sine of 27.5 Hz at full scale has at most 3 equal samples at its peak, at 44.1 kHz and 16 bits. What was clipped
    and then filtered, resampled or coded with losses is not found.

    Args:
        signal: ``(samples,)``.
    """
    peak = float(np.abs(signal).max())
    if peak < _FULL_SCALE:
        return 0.0
    cut = np.zeros(len(signal) + 2, np.int8)
    share = 0
    for extreme in (signal.max(), signal.min()):
        if abs(extreme) < _FULL_SCALE:
            continue
        cut[1:-1] = signal == extreme
        edges = np.flatnonzero(np.diff(cut))
        runs = edges[1::2] - edges[::2]
        share += int(runs[runs >= _PLATEAU].sum())
    return share / len(signal)


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error)
