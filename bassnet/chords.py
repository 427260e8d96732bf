"""Diatonic triads in root position, and random sequences of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .labels import DIMINISHED, MAJOR, MINOR

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
"""Semitones above the tonic: the diatonic modes major and natural minor."""
LOWEST_ROOT, HIGHEST_ROOT = 48, 60
"""MIDI note numbers between which a chord's root lies, both included."""

_QUALITIES = {(4, 7): MAJOR, (3, 7): MINOR, (3, 6): DIMINISHED}


@dataclass(frozen=True)
class Key:
    """Tonic (pitch class, 0 is C) and mode (``major`` or ``minor``)."""

    tonic: int
    mode: str


@dataclass(frozen=True)
class Chord:
    """A triad of a key.

    Attributes:
        key: the key.
        step: which of the key's seven steps it stands on, from 0.
        root: MIDI note number of its root.
    """

    key: Key
    step: int
    root: int

    def degree(self, number: int) -> int:
        """Semitones from the root to a degree along the key's scale: 1 is the root; 3 and 5 are the triad's."""
        scale = SCALES[self.key.mode]
        octave, step = divmod(self.step + number - 1, len(scale))
        return 12 * octave + scale[step] - scale[self.step]

    @property
    def quality(self) -> int:
        """0 major, 1 minor, 2 diminished."""
        return _QUALITIES[self.degree(3), self.degree(5)]

    @property
    def notes(self) -> tuple[int, int, int]:
        """MIDI note numbers, from the root up."""
        return self.root, self.root + self.degree(3), self.root + self.degree(5)


def random_key(generator: np.random.Generator) -> Key:
    """One of the 24 keys."""
    return Key(int(generator.integers(12)), ("major", "minor")[generator.integers(2)])


def random_chords(key: Key, bars: int, generator: np.random.Generator) -> list[Chord]:
    """The chord of each bar: random diatonic triads, each for one or two bars, never the same step twice in a row.

    So a chord's duration is heard: 1 or 2 bars, but for the last, which the song's end may cut. A root whose pitch
    class lies in the range twice (C) is taken low or high at random.
    """
    chords: list[Chord] = []
    step = -1
    while len(chords) < bars:
        others = [other for other in range(len(SCALES[key.mode])) if other != step]
        step = others[generator.integers(len(others))]
        pitch_class = (key.tonic + SCALES[key.mode][step]) % 12
        roots = [root for root in range(LOWEST_ROOT, HIGHEST_ROOT + 1) if root % 12 == pitch_class]
        chord = Chord(key, step, roots[generator.integers(len(roots))])
        chords.extend([chord] * int(generator.integers(1, 3)))
    return chords[:bars]
