"""A composed bass as a MIDI file: notes, pitch bends for what lies between the keys, velocity from the level."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from .bass_notes import BassNote
from .decoding import FRAMES_PER_SECOND

PROGRAM = 33
"""General MIDI, 0-based: electric bass, fingered."""
BEND_SEMITONES = 2.0
"""What the full pitch wheel means, as in General MIDI."""

_STEPS = 8192
_TICKS = 960  # a beat, at 120 beats a minute: about half a millisecond each
_LEAST_BEND = 0.02  # semitones from one pitch-wheel event to the next


def velocity(level_db: float) -> int:
    """``127·10^(dB/40)``, 1 to 127: the inverse of General MIDI's ``40·log10(velocity/127)`` dB."""
    return int(np.clip(round(127 * 10 ** (level_db / 40)), 1, 127))


def bass_midi(notes: Sequence[BassNote]) -> bytes:
    """The MIDI document of a bass line. A note's key is the nearest to its median pitch; the wheel follows its f0.

    Raises:
        ImportError: if pretty_midi is not installed.
    """
    try:
        import pretty_midi
    except ImportError as error:
        raise ImportError("writing MIDI needs pretty_midi: pip install 'tonedeaf[bassnet]'") from error
    instrument = pretty_midi.Instrument(PROGRAM, name="bass")
    wheel = 0
    for note in notes:
        pitch = 69 + 12 * np.log2(note.f0 / 440)
        key = int(np.clip(round(float(np.median(pitch))), 0, 127))
        start, end = note.first / FRAMES_PER_SECOND, note.last / FRAMES_PER_SECOND
        instrument.notes.append(pretty_midi.Note(velocity(note.level_db), key, start, end))
        bends = np.rint((pitch - key) * _STEPS / BEND_SEMITONES).clip(-_STEPS, _STEPS - 1).astype(int)
        for offset, bend in enumerate(bends.tolist()):
            if abs(bend - wheel) >= _LEAST_BEND * _STEPS / BEND_SEMITONES or (offset == 0 and bend != wheel):
                instrument.pitch_bends.append(pretty_midi.PitchBend(bend, start + offset / FRAMES_PER_SECOND))
                wheel = bend
    file = pretty_midi.PrettyMIDI(resolution=_TICKS, initial_tempo=120)
    file.instruments.append(instrument)
    buffer = io.BytesIO()
    file.write(buffer)
    return buffer.getvalue()
