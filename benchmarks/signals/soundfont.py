"""Notes of sampled General MIDI instruments, from a sound font.

They are rendered by tinysoundfont, which needs no system library, from ``FluidR3_GM.sf2`` where Debian's
``fluid-soundfont-gm`` is installed, or else from ``TimGM6mb.sf2``, which comes with ``pretty_midi``. A rendered note is
a pure function of the sound font and its arguments.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

AUTO = "auto"
"""In place of a path: the first sound font of those above that is there."""
DEBIAN_SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDERER = "tinysoundfont"
BEND_UNIT = 200 / 8192
"""Cents of a unit of pitch bend."""

_BUNDLED = "TimGM6mb.sf2"
_NO_SOUND_FONT = "there is no sound font: pip install pretty_midi, or apt-get install fluid-soundfont-gm"
_VELOCITY = 100
_SILENCE = 0.1  # seconds in which what was switched off has died away: tinysoundfont fades for 0.01
_NOTES_KEPT = 1024  # in memory: 90 MB of half seconds at 44.1 kHz


@dataclass(frozen=True)
class SoundFont:
    """A sound font: where it is, and which it is."""

    path: Path
    sha256: str


def missing(sound_font: str = AUTO) -> str:
    """What is missing to render notes, and the command that installs it; empty if nothing is."""
    if importlib.util.find_spec(RENDERER) is None:
        return "tinysoundfont is not installed: pip install --no-deps tinysoundfont"
    if sound_font == AUTO and _automatic() is None:
        return _NO_SOUND_FONT
    return ""


def find_sound_font(sound_font: str = AUTO) -> SoundFont:
    """The sound font at a path, or the automatic one, for :func:`render_note`.

    Raises:
        ValueError: as :func:`sound_font_file`.
        ImportError: if something is :func:`missing`.
    """
    if reason := missing(sound_font):
        raise ImportError(reason)
    return sound_font_file(sound_font)


def sound_font_file(sound_font: str = AUTO) -> SoundFont:
    """The sound font at a path, or the automatic one, whoever plays it.

    Raises:
        ValueError: if there is no such file, or it is not a sound font.
        ImportError: if there is no automatic one.
    """
    path = _automatic() if sound_font == AUTO else Path(sound_font)
    if path is None:
        raise ImportError(_NO_SOUND_FONT)
    if not path.is_file():
        raise ValueError(f"sound_font must be {AUTO!r} or the path of an .sf2 file, got {sound_font!r}")
    state = path.stat()
    return SoundFont(path, _sha256(path, state.st_size, state.st_mtime_ns))


def renderer() -> str:
    """What renders, and its version."""
    return f"{RENDERER} {version(RENDERER)}"


def _automatic() -> Path | None:
    if DEBIAN_SOUND_FONT.is_file():
        return DEBIAN_SOUND_FONT
    package = importlib.util.find_spec("pretty_midi")  # found, not imported: it needs a second, and its file not at all
    if package is None or package.origin is None:
        return None
    bundled = Path(package.origin).with_name(_BUNDLED)
    return bundled if bundled.is_file() else None


@lru_cache(maxsize=16)
def _sha256(path: Path, size: int, modified: int) -> str:
    del size, modified  # a changed file is another one
    with path.open("rb") as file:
        header = file.read(12)
        if (header[:4], header[8:]) != (b"RIFF", b"sfbk"):
            raise ValueError(f"{path} is not a sound font")
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=_NOTES_KEPT)
def render_note(
    sound_font: SoundFont, *, program: int, key: int, bend: int, sample_rate: int, samples: int
) -> NDArray[np.float32]:
    """A held note, from its onset: ``(samples,)``, the mean of both channels, not to be written to.

    Args:
        sound_font: see :func:`find_sound_font`.
        program: General MIDI program, 0-based: 32-39 are basses.
        key: MIDI note number.
        bend: pitch bend, −8192..8191, in units of :data:`BEND_UNIT` cents.
        sample_rate: in Hz.
        samples: how many.

    Raises:
        ValueError: if the sound font cannot be read, or has no sound for the note.
    """
    synth = _synth(sound_font, sample_rate)
    with synth.lock:
        note = synth.play(program, key, bend, samples)
    if not note.any():
        raise ValueError(f"{sound_font.path} has no sound for program {program}, key {key}")
    note.setflags(write=False)
    return note


class _Synth:
    """A synthesiser with one sound font, to be used by one thread at a time."""

    def __init__(self, sound_font: SoundFont, sample_rate: int) -> None:
        # By name, and in no extra: pip would want its PyAudio, which does not build without PortAudio.
        player = importlib.import_module(RENDERER)
        self.lock = Lock()
        self.sample_rate = sample_rate
        self.synth: Any = player.Synth(samplerate=sample_rate)
        try:
            self.font = self.synth.sfload(str(sound_font.path))
        except Exception as error:
            raise ValueError(f"{sound_font.path} is not a sound font that tinysoundfont reads: {error}") from error

    def play(self, program: int, key: int, bend: int, samples: int) -> NDArray[np.float32]:
        self.synth.program_select(0, self.font, 0, program)
        self.synth.pitchbend(0, 8192 + bend)
        self.synth.noteon(0, key, _VELOCITY)
        note = self._generate(samples)
        self.synth.sounds_off()
        self._generate(round(_SILENCE * self.sample_rate))  # or its end would sound in the next note
        return note

    def _generate(self, samples: int) -> NDArray[np.float32]:
        stereo = np.frombuffer(bytes(self.synth.generate(samples)), dtype=np.float32).reshape(-1, 2)
        return stereo.mean(axis=1)


@lru_cache(maxsize=4)
def _synth(sound_font: SoundFont, sample_rate: int) -> _Synth:
    return _Synth(sound_font, sample_rate)
