"""A score as a MIDI file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from .songs import TICKS, Part, Score

_VOLUME = 7  # controller number


def score_midi(score: Score, parts: Sequence[Part] | None = None) -> bytes:
    """A MIDI file of a score.

    Args:
        score: the song.
        parts: which of its parts; the mix's and then the bass if None.
    """
    import pretty_midi

    # pretty_midi cuts off the fraction of a beat's microseconds: with a quarter more it writes the whole number, and
    # finds the ticks of times that are told on the same scale.
    beat = (score.beat + 0.25) / 1e6
    file = pretty_midi.PrettyMIDI(resolution=TICKS, initial_tempo=60 / beat)
    for part in (*score.mix, score.bass) if parts is None else parts:
        instrument = pretty_midi.Instrument(part.program, is_drum=part.name == "drums", name=part.name)
        instrument.control_changes.append(pretty_midi.ControlChange(_VOLUME, part.volume, 0.0))
        instrument.notes.extend(
            pretty_midi.Note(note.velocity, note.key, beat * note.start / TICKS, beat * note.end / TICKS)
            for note in part.notes
        )
        file.instruments.append(instrument)
    buffer = io.BytesIO()
    file.write(buffer)
    return buffer.getvalue()
