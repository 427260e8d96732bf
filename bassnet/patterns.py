"""What the bass plays in a bar: the patterns of the artificial datasets A1 to A4.

Source: BassNet (Grachten, Lattner & Deruty 2020), section 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .chords import Chord
from .labels import MAJOR

BEATS = 4
"""Beats of a bar."""
CHANGE = 0.1
"""Probability that the pattern changes at a bar line."""
ORGAN, GUITAR = 16, 24
"""Drawbar organ and acoustic nylon guitar: General MIDI programs, 0-based; the instruments of A3."""


@dataclass(frozen=True)
class Step:
    """A note of a pattern: when it starts and how long it is, in beats, and its degree of the chord."""

    start: float
    beats: float
    degree: int


Pattern = Callable[[Chord, Sequence[int]], list[Step]]
"""What is played to a chord by instruments (General MIDI programs)."""


def _evenly(*degrees: int) -> list[Step]:
    """Degrees that share a bar evenly."""
    beats = BEATS / len(degrees)
    return [Step(position * beats, beats, degree) for position, degree in enumerate(degrees)]


def _always(*degrees: int) -> Pattern:
    return lambda chord, programs: _evenly(*degrees)


def _if_major(then: int, otherwise: int) -> Pattern:
    """Diminished counts as minor."""
    return lambda chord, programs: _evenly(*[then if chord.quality == MAJOR else otherwise] * BEATS)


def _if_organ(then: int, otherwise: int) -> Pattern:
    return lambda chord, programs: _evenly(*[then if ORGAN in programs else otherwise] * BEATS)


PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "A1": (_always(1, 1, 1, 1), _always(3, 3, 3, 3), _always(5, 5, 5, 5)),
    "A2": (_if_major(5, 1), _if_major(1, 5)),
    "A3": (_if_organ(5, 1), _if_organ(1, 5)),
    "A4": (
        _always(1, 5, 1, 5),
        _always(5, 1, 5, 1),
        _always(1, 3, 5, 3),
        _always(1, 2, 3, 4, 5, 4, 3, 2),
        lambda chord, programs: [Step(0, 1, 1)],
    ),
}
"""Per dataset, its patterns: number ``p`` of the labels is entry ``p``, the paper's pattern ``p + 1``."""

SUMMARIES = {
    "A1": "harmony: the root, third or fifth of the chord (3 patterns)",
    "A2": "harmony: root or fifth, by whether the chord is minor or major (2 patterns)",
    "A3": "timbre: root or fifth, by whether a guitar or an organ plays (2 patterns)",
    "A4": "rhythm: roots, thirds and fifths on beats of the drums, and scales (5 patterns)",
}
"""What the bass follows in each dataset."""
SOURCE = "Grachten, Lattner & Deruty 2020, BassNet, section 5.1"


def random_patterns(count: int, bars: int, generator: np.random.Generator) -> list[int]:
    """The pattern of each bar, of ``count``: it changes at a bar line with probability 0.1, uniformly to another."""
    patterns = [int(generator.integers(count))]
    while len(patterns) < bars:
        changes = generator.random() < CHANGE
        patterns.append((patterns[-1] + int(changes) * int(generator.integers(1, count))) % count)
    return patterns
