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

    # Tempo and ticks are kept exactly: a beat is a whole number of microseconds.
    file = pretty_midi.PrettyMIDI(resolution=TICKS, initial_tempo=score.tempo)
    for part in (*score.mix, score.bass) if parts is None else parts:
        instrument = pretty_midi.Instrument(part.program, is_drum=part.name == "drums", name=part.name)
        instrument.control_changes.append(pretty_midi.ControlChange(_VOLUME, part.volume, 0.0))
        instrument.notes.extend(
            pretty_midi.Note(note.velocity, note.key, score.seconds(note.start), score.seconds(note.end))
            for note in part.notes
        )
        file.instruments.append(instrument)
    buffer = io.BytesIO()
    file.write(buffer)
    return buffer.getvalue()
