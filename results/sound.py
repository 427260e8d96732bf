"""Short sounds for a page: mono MP3, which every browser plays, as data URIs.

libsndfile's MP3 has no time stamp and no random number in it: equal samples give equal bytes, which its Ogg does not.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMPRESSION = 0.5
"""From 0 (largest) to 1 (smallest); about 4 KiB for half a second at 44.1 kHz."""
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""That MP3 has, in Hz."""


def mp3(samples: NDArray[np.float64], sample_rate: float) -> bytes:
    """Encode mono samples within −1..1.

    Raises:
        ValueError: if MP3 does not have the sample rate.
        ImportError: if soundfile is not installed.
    """
    if sample_rate not in _RATES:
        raise ValueError(f"sample_rate must be one that MP3 has, {', '.join(map(str, _RATES))} Hz, got {sample_rate:g}")
    sound = io.BytesIO()
    _soundfile().write(
        sound,
        samples.astype(np.float32),
        int(sample_rate),
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=_COMPRESSION,
    )
    return sound.getvalue()


def excerpt(path: Path, seconds: float) -> bytes:
    """The first seconds of a sound file, mixed to mono, as MP3.

    Raises:
        ValueError: if the file cannot be read, or MP3 does not have its sample rate.
        ImportError: if soundfile is not installed.
    """
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            samples = file.read(int(seconds * rate), dtype="float64", always_2d=True).mean(1)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path}: no sound that can be read ({error})") from error
    return mp3(np.clip(samples, -1, 1), rate)


def data_uri(sound: bytes) -> str:
    """An MP3 as what an audio element plays."""
    return f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}"


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise ImportError("sounds need soundfile: pip install 'tonedeaf[report]'") from error
    return soundfile
