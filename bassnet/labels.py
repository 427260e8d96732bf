"""What is known about a bass track, frame by frame.

Frame ``k`` is centred on sample ``160·k`` of 16 kHz audio: a track of ``n`` samples has ``n // 160 + 1`` frames.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .config import HOP

HARMONICS = 20
"""Partials whose amplitudes are kept: h = 1 … 20."""
UNKNOWN = -1
"""In place of a pattern, a bar or a chord that there is not."""
MAJOR, MINOR, DIMINISHED = 0, 1, 2
"""Qualities of a chord."""

_TYPES: dict[str, DTypeLike] = {
    "f0": np.float32,
    "level": np.float32,
    "level_minmax": np.float32,
    "onset": np.float32,
    "pattern": np.int64,
    "bar": np.int64,
    "chord_root": np.int64,
    "chord_quality": np.int64,
    "harmonics": np.float32,
}


def frame_count(samples: int) -> int:
    """Frames of a track of so many samples."""
    return samples // HOP + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """The labels of a track: arrays with one entry a frame.

    Raises:
        ValueError: if an array's type or shape is another one.
    """

    f0: NDArray[np.float32]
    """Fundamental in Hz, 0 where no note is held: ``(frames,)``."""
    level: NDArray[np.float32]
    """In [0, 1]: −80 to 0 dB re a full-scale sine; see :func:`~tonedeaf.bassnet.level.absolute_level`."""
    level_minmax: NDArray[np.float32]
    """In [0, 1]: the same power in dB between the track's minimum and maximum, as in the paper."""
    onset: NDArray[np.float32]
    """1 on the frame nearest to each onset, else 0."""
    pattern: NDArray[np.int64]
    """The bass pattern in force, from 0; −1 if unknown."""
    bar: NDArray[np.int64]
    """Number of the bar, from 0; −1 if unknown."""
    chord_root: NDArray[np.int64]
    """MIDI note number of the chord's root; −1 if unknown."""
    chord_quality: NDArray[np.int64]
    """0 major, 1 minor, 2 diminished; −1 if unknown."""
    harmonics: NDArray[np.float32] | None
    """Amplitude of partials h = 1 … 20, full scale 1, 0 where no note is held: ``(frames, 20)``; None if unknown."""

    def __post_init__(self) -> None:
        frames = len(self.f0)
        for name, kind in _TYPES.items():
            array: NDArray[Any] | None = getattr(self, name)
            if array is None:
                continue
            shape = (frames, HARMONICS) if name == "harmonics" else (frames,)
            if array.shape != shape or array.dtype != kind:
                raise ValueError(f"{name} must be {np.dtype(kind)} {shape}, got {array.dtype} {array.shape}")

    def __len__(self) -> int:
        """How many frames."""
        return len(self.f0)


def encode_labels(labels: Labels) -> bytes:
    """The labels as an ``.npz`` document; the same bytes for the same labels."""
    arrays = {field.name: getattr(labels, field.name) for field in fields(labels)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def decode_labels(document: bytes) -> Labels:
    """The labels in a document of :func:`encode_labels`.

    Raises:
        ValueError: if it is none.
    """
    try:
        with np.load(io.BytesIO(document), allow_pickle=False) as arrays:
            found: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("these are no labels: the file is damaged, or another one") from error
    if missing := set(_TYPES) - set(found) - {"harmonics"}:
        raise ValueError(f"labels lack {', '.join(sorted(missing))}")
    if unknown := set(found) - set(_TYPES):
        raise ValueError(f"labels have the unknown {', '.join(sorted(unknown))}")
    return Labels(harmonics=found.pop("harmonics", None), **found)
