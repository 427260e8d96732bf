"""Audio as a dataset stores it: mono, 16 kHz, 16-bit FLAC, peak at full scale."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from .config import SAMPLE_RATE

_STEPS = 2**15
PEAK = (_STEPS - 1) / _STEPS
"""The largest sample that 16 bits hold."""


def normalise_peak(signal: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
    """A signal as it is stored, and the gain that made it so: its peak at full scale, on the grid of 16 bits.

    Args:
        signal: ``(samples,)``; silence stays silent, its gain is 1.

    Returns:
        The samples, exactly those that :func:`decode_audio` will read back, and the gain.
    """
    peak = float(np.abs(signal).max(initial=0.0))
    gain = PEAK / peak if peak > 0 else 1.0
    return (np.rint(signal * (gain * _STEPS)) / _STEPS).astype(np.float32), gain


def encode_audio(signal: NDArray[np.float32]) -> bytes:
    """The FLAC document of a signal of :func:`normalise_peak`, ``(samples,)``."""
    import soundfile

    buffer = io.BytesIO()
    samples = np.rint(signal.astype(np.float64) * _STEPS).astype(np.int16)
    soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_audio(document: bytes) -> NDArray[np.float32]:
    """The samples in a document of :func:`encode_audio`.

    Raises:
        ValueError: if it cannot be decoded, or is not mono at 16 kHz.
    """
    import soundfile

    try:
        signal, sample_rate = soundfile.read(io.BytesIO(document), dtype="float32")
    except soundfile.LibsndfileError as error:
        raise ValueError(f"cannot be decoded: {error.error_string}") from error
    if signal.ndim != 1 or sample_rate != SAMPLE_RATE:
        raise ValueError(f"must be mono at {SAMPLE_RATE} Hz, is {signal.shape[1:] or 'mono'} at {sample_rate} Hz")
    return signal.astype(np.float32, copy=False)
