"""A song of the artificial datasets, as a score: a pure function of dataset, seed, index and length.

Source: BassNet (Grachten, Lattner & Deruty 2020), section 5.1; what it leaves open is said where it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .chords import Chord, random_chords, random_key
from .config import SAMPLE_RATE
from .patterns import BEATS, GUITAR, ORGAN, PATTERNS, random_patterns

TICKS = 220
"""Of a beat; a divisor of every duration here is a whole number of them."""
BASS_PROGRAM = 33
"""Electric bass (finger), General MIDI, 0-based."""
KICK, SNARE, HAT = 36, 38, 42
"""Keys of General MIDI percussion."""
GATE = 0.9
"""Share of its duration that a note of the bass or of a chord is held."""

_SLOWEST, _FASTEST = 100.0, 200.0
# Pianos, organs, guitars, ensembles.
_GROUPS = (range(8), range(16, 24), range(24, 32), range(48, 56))
_VELOCITY = {"chords": 80, "drums": 80, "bass": 100}
_LOUDEST = 127
_LEAST_SHARE = 0.1
_STREAM = 0


@dataclass(frozen=True)
class Note:
    """A note: from tick to tick, a MIDI note number (of percussion: its key), a velocity."""

    start: int
    end: int
    key: int
    velocity: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """An instrument and what it plays.

    Attributes:
        name: ``chords``, ``drums`` or ``bass``.
        program: General MIDI, 0-based; 0 for drums.
        volume: channel volume (controller 7): a gain of ``(volume/127)²``.
        notes: in order.
    """

    name: str
    program: int
    volume: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreBar:
    """What is in force in a bar: the bass pattern, the chord, the programs that play it."""

    pattern: int
    chord: Chord
    programs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A song.

    Attributes:
        beat: microseconds of a beat, as MIDI says tempo.
        bars: what is in force in each.
        mix: the parts that the bass plays to.
        bass: its part.
    """

    beat: int
    bars: tuple[ScoreBar, ...]
    mix: tuple[Part, ...]
    bass: Part

    @property
    def tempo(self) -> float:
        """Beats a minute."""
        return 6e7 / self.beat

    def seconds(self, tick: int) -> float:
        """When a tick is, in seconds."""
        return tick * self.beat / (1e6 * TICKS)

    def sample(self, tick: int) -> int:
        """The sample nearest to a tick, at 16 kHz."""
        return round(tick * self.beat * SAMPLE_RATE / (1_000_000 * TICKS))

    @property
    def samples(self) -> int:
        """Length: up to the end of the last bar."""
        return self.sample(len(self.bars) * BEATS * TICKS)


def compose_song(dataset: str, *, seed: int, index: int, seconds: float) -> Score:
    """A song of a dataset.

    The tempo is uniform in 100 to 200 beats a minute; the song has the number of whole bars that is nearest to
    ``seconds``, at least one. Its two instruments are different programs of the four groups, their shares of the
    amplitude ``s`` and ``1 − s`` with s uniform in 0.1 to 0.9, the louder one at full volume.

    Raises:
        ValueError: if there is no such dataset, or seed or index is negative.
    """
    check_dataset(dataset)
    generator = song_generator(dataset, seed=seed, index=index, stream=_STREAM)
    beat = round(6e7 / generator.uniform(_SLOWEST, _FASTEST))
    count = max(1, round(seconds * 1e6 / (BEATS * beat)))
    chords = random_chords(random_key(generator), count, generator)
    patterns = random_patterns(len(PATTERNS[dataset]), count, generator)
    instruments = _switching(chords, generator) if dataset == "A3" else _two_instruments(count, generator)
    bars = tuple(
        ScoreBar(pattern=pattern, chord=chord, programs=tuple(program for program, _ in playing))
        for pattern, chord, playing in zip(patterns, chords, instruments, strict=True)
    )
    volumes = dict(pair for playing in instruments for pair in playing)
    mix = [_chord_part(program, volume, bars) for program, volume in sorted(volumes.items())]
    return Score(beat=beat, bars=bars, mix=(*mix, _drums(dataset, count)), bass=_bass(dataset, bars))


def check_dataset(dataset: str) -> None:
    """Refuse a dataset that there is not.

    Raises:
        ValueError: naming those that there are.
    """
    if dataset not in PATTERNS:
        raise ValueError(f"dataset must be one of {', '.join(PATTERNS)}, got {dataset!r}")


def song_generator(dataset: str, *, seed: int, index: int, stream: int) -> np.random.Generator:
    """The generator of one song's choices; streams are independent of each other."""
    return np.random.default_rng([stream, list(PATTERNS).index(dataset), seed, index])


def _two_instruments(bars: int, generator: np.random.Generator) -> list[list[tuple[int, int]]]:
    """Per bar, the same two ``(program, volume)``."""
    programs = [program for group in _GROUPS for program in group]
    one, other = (programs[position] for position in generator.choice(len(programs), 2, replace=False))
    share = generator.uniform(_LEAST_SHARE, 1 - _LEAST_SHARE)
    loudest = max(share, 1 - share)
    volumes = [round(_LOUDEST * float(np.sqrt(part / loudest))) for part in (share, 1 - share)]
    return [[(one, volumes[0]), (other, volumes[1])]] * bars


def _switching(chords: list[Chord], generator: np.random.Generator) -> list[list[tuple[int, int]]]:
    """Per bar, organ or guitar: it switches with probability 0.5 where the chord changes."""
    both = (ORGAN, GUITAR)
    which = int(generator.integers(2))
    playing: list[list[tuple[int, int]]] = []
    for bar, chord in enumerate(chords):
        if bar and chord != chords[bar - 1]:
            which ^= int(generator.integers(2))
        playing.append([(both[which], _LOUDEST)])
    return playing


def _chord_part(program: int, volume: int, bars: tuple[ScoreBar, ...]) -> Part:
    """The chords of the bars in which a program plays: quarter notes."""
    notes = tuple(
        _note((BEATS * bar + beat), 1, key, "chords")
        for bar, what in enumerate(bars)
        if program in what.programs
        for beat in range(BEATS)
        for key in what.chord.notes
    )
    return Part(name="chords", program=program, volume=volume, notes=notes)


def _drums(dataset: str, bars: int) -> Part:
    """Kick on beats 1 and 3, snare on 2 and 4, closed hat on eighths; A4 has a kick on the second eighth of beat 3."""
    kicks = (0, 2, 2.5) if dataset == "A4" else (0, 2)
    hits = (
        [(beat, KICK) for beat in kicks] + [(beat, SNARE) for beat in (1, 3)] + [(half / 2, HAT) for half in range(8)]
    )
    notes = (_note(BEATS * bar + beat, 0.5, key, "drums") for bar in range(bars) for beat, key in sorted(hits))
    return Part(name="drums", program=0, volume=_LOUDEST, notes=tuple(notes))


def _bass(dataset: str, bars: tuple[ScoreBar, ...]) -> Part:
    """The patterns of the bars, an octave below the chords' roots."""
    notes = tuple(
        _note(BEATS * bar + step.start, step.beats, what.chord.root - 12 + what.chord.degree(step.degree), "bass")
        for bar, what in enumerate(bars)
        for step in PATTERNS[dataset][what.pattern](what.chord, what.programs)
    )
    return Part(name="bass", program=BASS_PROGRAM, volume=_LOUDEST, notes=notes)


def _note(start: float, beats: float, key: int, part: str) -> Note:
    first = round(start * TICKS)
    return Note(first, first + round(beats * GATE * TICKS), key, _VELOCITY[part])
