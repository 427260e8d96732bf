"""The labels of a song, from its score and its rendered bass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .config import HOP
from .labels import Labels, frame_count
from .level import absolute_level, frame_power, minmax_level
from .patterns import BEATS
from .songs import TICKS, Note, Score


def note_frames(score: Score, note: Note) -> range:
    """The frames whose centre lies in a note: from its onset, before its end."""
    first, end = (-(-score.sample(tick) // HOP) for tick in (note.start, note.end))
    return range(first, end)


def frequency(key: float, detuning: float) -> float:
    """The frequency in Hz of a MIDI note number, ``detuning`` cents above equal temperament from A4 = 440 Hz."""
    return 440.0 * 2 ** ((key - 69 + detuning / 100) / 12)


def song_labels(
    score: Score, bass: NDArray[np.float32], *, detuning: float, harmonics: NDArray[np.float32] | None
) -> tuple[Labels, tuple[float, float]]:
    """The labels of a song, and the range of its ``level_minmax`` in dB.

    Args:
        score: the song.
        bass: as it is stored, ``(samples,)``.
        detuning: in cents.
        harmonics: of the bass as it is stored, ``(frames, 20)``, or None.
    """
    frames = frame_count(len(bass))
    f0, onset = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
    for note in score.bass.notes:
        f0[note_frames(score, note)] = frequency(note.key, detuning)
        onset[round(score.sample(note.start) / HOP)] = 1
    starts = [score.sample(bar * BEATS * TICKS) for bar in range(len(score.bars))]
    # The last frame may be centred on the first sample after the song: it belongs to the last bar.
    bar = np.searchsorted(starts, HOP * np.arange(frames), side="right") - 1
    power = frame_power(bass)
    level_minmax, level_range = minmax_level(power)
    labels = Labels(
        f0=f0,
        level=absolute_level(power),
        level_minmax=level_minmax,
        onset=onset,
        pattern=np.array([what.pattern for what in score.bars], np.int64)[bar],
        bar=bar.astype(np.int64),
        chord_root=np.array([what.chord.root for what in score.bars], np.int64)[bar],
        chord_quality=np.array([what.chord.quality for what in score.bars], np.int64)[bar],
        harmonics=harmonics,
    )
    return labels, level_range
