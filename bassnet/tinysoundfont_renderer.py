"""tinysoundfont: a player of sound fonts that needs no system library. It starts notes on their sample."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..benchmarks.signals.soundfont import SoundFont
from .harmonic_projection import projected_harmonics
from .manifest import RendererIdentity
from .rendering import Sound
from .songs import Part, Score
from .sound_fonts import OVERSAMPLING, PLAYED_RATE, heard, identity

NAME = "tinysoundfont"

_DRUM_CHANNEL, _VOLUME = 9, 7
_SILENCE = PLAYED_RATE // 10
"""Samples in which what was switched off has died away: it fades for 10 ms."""


@dataclass(frozen=True)
class TinySoundFontRenderer:
    """Tinysoundfont with a sound font."""

    sound_font: SoundFont

    @property
    def identity(self) -> RendererIdentity:
        """Tinysoundfont's version, and the sound font."""
        return identity(NAME, version(NAME), self.sound_font)

    def render(self, score: Score, generator: np.random.Generator) -> Sound:
        """A score as sound; nothing in it is random. The amplitudes of the bass's partials are least-squares fits.

        Raises:
            ValueError: if tinysoundfont cannot read the sound font, or it lacks an instrument.
        """
        del generator
        mix, bass = self._play(score, score.mix), self._play(score, (score.bass,))
        return Sound(mix=mix, bass=bass, detuning=0.0, harmonics=projected_harmonics(score, bass, detuning=0.0))

    def _play(self, score: Score, parts: tuple[Part, ...]) -> NDArray[np.float64]:
        synth, font = _synth(self.sound_font)
        events: list[tuple[int, int, int, int]] = []  # sample, velocity (0 ends a note, and comes first), channel, key
        for number, part in enumerate(parts):
            channel = _DRUM_CHANNEL if part.name == "drums" else number
            try:
                synth.program_select(channel, font, 0, part.program, part.name == "drums")
            except RuntimeError as error:
                raise ValueError(f"{self.sound_font.path} has no sound for program {part.program}") from error
            synth.control_change(channel, _VOLUME, part.volume)
            for note in part.notes:
                events.append((score.sample(note.start), note.velocity, channel, note.key))
                events.append((score.sample(note.end), 0, channel, note.key))
        played = np.zeros((OVERSAMPLING * score.samples, 2), np.float32)
        now = 0
        for sample, velocity, channel, key in sorted(events):
            now = _advance(synth, played, now, OVERSAMPLING * sample)
            if velocity:
                synth.noteon(channel, key, velocity)
            else:
                synth.noteoff(channel, key)
        _advance(synth, played, now, len(played))
        synth.sounds_off()
        synth.generate_simple(_SILENCE)  # or its end would sound in the next song
        return heard(played, score.samples)


def missing() -> str:
    """What is missing to run tinysoundfont, and the command that installs it; empty if nothing is."""
    there = importlib.util.find_spec(NAME) is not None
    return "" if there else "tinysoundfont is not installed: pip install --no-deps tinysoundfont"


def _advance(synth: Any, played: NDArray[np.float32], now: int, until: int) -> int:
    if until > now:
        # Into the array itself: its rows are the stereo frames that the player writes.
        synth.generate_simple(until - now, buffer=played[now:until].data.cast("B"))
    return until


@lru_cache(maxsize=1)
def _synth(sound_font: SoundFont) -> tuple[Any, int]:
    """The player and its number of the sound font; one a process."""
    # By name, and in no extra: pip would want its PyAudio, which does not build without PortAudio.
    synth: Any = importlib.import_module(NAME).Synth(samplerate=PLAYED_RATE)
    try:
        return synth, synth.sfload(str(sound_font.path))
    except Exception as error:
        raise ValueError(f"{sound_font.path} is not a sound font that tinysoundfont reads: {error}") from error
