"""The recording that a bass is composed to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .recording import SILENT, Recording, clipped_share


@dataclass(frozen=True, eq=False)
class Mix:
    """A mix, and what is to be said about it.

    Attributes:
        recording: in one channel, at its own rate.
        clipped: share of its samples that are cut off at full scale; of the worst channel.
    """

    recording: Recording
    clipped: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.recording.signal) / self.recording.sample_rate


def read_mix(path: Path, *, shortest: float) -> Mix:
    """The mix in a file of any format that soundfile reads, any sample rate and any number of channels.

    Unlike a recording to learn from, it may be short, and it may be clipped.

    Args:
        path: the file.
        shortest: length that is needed, in seconds.

    Raises:
        ValueError: if there is no such file, or it cannot be decoded, is shorter, silent or not finite.
        ImportError: if soundfile is not installed.
    """
    try:
        import soundfile
    except ImportError as error:
        raise ImportError("reading audio needs soundfile: pip install 'tonedeaf[bassnet]'") from error
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        read, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: raw samples, which do not say what they are
        raise ValueError(f"{path} cannot be decoded: {getattr(error, 'error_string', error)}") from error
    channels: NDArray[np.float32] = np.asarray(read, dtype=np.float32)
    seconds = len(channels) / sample_rate
    if seconds < shortest:
        raise ValueError(f"{path} lasts {seconds:.3g} s; a window of the model lasts {shortest:g} s")
    if not np.isfinite(channels).all():
        raise ValueError(f"{path} holds samples that are not finite numbers")
    mono: NDArray[np.float32] = channels.mean(axis=1)
    if np.abs(channels).max() < SILENT:
        raise ValueError(f"{path} is silent: its peak is below {20 * np.log10(SILENT):.0f} dB")
    if np.abs(mono).max() < SILENT:
        raise ValueError(f"{path} is silent in mono: its channels cancel each other out")
    return Mix(Recording(mono, int(sample_rate)), max(clipped_share(channel) for channel in channels.T))
