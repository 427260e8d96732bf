"""What the renderers share that play a sound font.

They play at 48 kHz, above the rate of any sound font's samples, so that nothing folds back (at 16 kHz, players that
interpolate between samples fold everything above 8 kHz into what is heard), and are then brought to 16 kHz.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, upfirdn

from ..benchmarks.signals.soundfont import SoundFont
from .config import SAMPLE_RATE
from .manifest import RendererIdentity

OVERSAMPLING = 3
PLAYED_RATE = OVERSAMPLING * SAMPLE_RATE
"""In Hz."""

_DELAY = 54
"""Of the filter, in samples at 16 kHz."""
# Flat to 7 kHz, 90 dB down from 8 kHz on.
_FILTER = firwin(2 * OVERSAMPLING * _DELAY + 1, 7500, window=("kaiser", 8.96), fs=PLAYED_RATE).astype(np.float32)
_LICENCES = {"Fluid R3 GM": "MIT", "TimGM6mb": "GPL-2.0-only"}
"""Per name that a sound font gives itself."""


def identity(name: str, version: str, sound_font: SoundFont) -> RendererIdentity:
    """The identity of a renderer that plays a sound font."""
    return RendererIdentity(
        name=name,
        version=version,
        sound_font=sound_font.path.name,
        sound_font_sha256=sound_font.sha256,
        licence=licence(sound_font.path),
    )


def licence(path: Path) -> str:
    """The licence of a sound font: of those we know, by the name in the file; else its own copyright, or ``unknown``.

    Source: Debian's ``fluid-soundfont-gm`` and ``timgm6mb-soundfont``, ``copyright``; SoundFont 2.04, section 5.
    """
    about = _information(path)
    return _LICENCES.get(about.get("INAM", "")) or about.get("ICOP") or "unknown"


def _information(path: Path) -> dict[str, str]:
    """The texts of a sound font's ``INFO`` list, its first chunk."""
    texts: dict[str, str] = {}
    with path.open("rb") as file:
        file.seek(12)
        head = file.read(12)
        if len(head) < 12 or (head[:4], head[8:]) != (b"LIST", b"INFO"):
            return texts
        content = file.read(min(struct.unpack("<I", head[4:8])[0] - 4, 2**16))
    position = 0
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        text = content[position + 8 : position + 8 + size].split(b"\0")[0]
        texts[name.decode("latin-1")] = text.decode("latin-1").strip()
        position += 8 + size + size % 2
    return texts


def heard(played: NDArray[np.float32], samples: int) -> NDArray[np.float64]:
    """What was played, as mono at 16 kHz: the mean of both channels.

    Args:
        played: ``(3·samples or more, 2)`` at 48 kHz.
        samples: how many at 16 kHz.
    """
    mono = played[:, 0] + played[:, 1]
    filtered = upfirdn(_FILTER / 2, mono, 1, OVERSAMPLING)
    return filtered[_DELAY : _DELAY + samples].astype(np.float64)
