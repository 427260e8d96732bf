"""From predicted curves to the notes of a bass line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .config import CqtConfig
from .decoding import FRAMES_PER_SECOND, pick_onsets
from .level import level_db
from .pitch_path import note_f0
from .tracks import Track

RELEASE_DB = 12.0
"""A note that has begun goes on until its level is so far below the threshold at which one begins: notes decay."""
SHORTEST = 5
"""Frames: what sounds for less than 50 ms is left out."""
_APART_SEMITONES = 0.75
"""From one frame to the next: a larger step is another note, a smaller one is vibrato or a slide."""


@dataclass(frozen=True, eq=False)
class BassNote:
    """A note: frames ``first`` to ``last − 1``.

    Attributes:
        first: its first frame.
        last: the frame behind its last.
        f0: in Hz, ``(last − first,)``.
        level_db: its loudest frame, dB re a full-scale sine.
    """

    first: int
    last: int
    f0: NDArray[np.float64]
    level_db: float


@dataclass(frozen=True, eq=False)
class BassLine:
    """Pitch and notes of a track.

    Attributes:
        f0: in Hz, 0 where nothing sounds, ``(frames,)``.
        struck: frames at which a note is struck while another still sounds, ascending.
        notes: in order; a change of pitch without an onset begins a note, too, but strikes none.
    """

    f0: NDArray[np.float64]
    struck: NDArray[np.int64]
    notes: tuple[BassNote, ...]


def bass_line(track: Track, cqt: CqtConfig, *, threshold: float, onset_threshold: float | None) -> BassLine:
    """The notes of a predicted track.

    A stretch of sound begins where the level reaches the threshold, and ends where it has fallen 12 dB below it.
    Onsets within it part it into notes, and each has the likeliest path of pitches (:mod:`.pitch_path`).

    Args:
        track: predicted.
        cqt: what the bins are.
        threshold: level at which a frame is voiced.
        onset_threshold: of the onset curve's peaks; None takes half of its highest value.
    """
    level = track.level.double().cpu().numpy()
    onset = track.onset.double().cpu().numpy()
    probabilities = track.f0_probabilities.double().cpu().numpy()
    height = 0.5 * float(onset.max()) if onset_threshold is None else onset_threshold
    onsets = np.rint(pick_onsets(onset, threshold=height) * FRAMES_PER_SECOND).astype(np.int64)
    decibels = level_db(level)
    f0 = np.zeros(len(level))
    struck: list[int] = []
    notes: list[BassNote] = []
    for first, last in sounding_stretches(decibels, float(level_db(threshold))):
        inner = onsets[(onsets >= first + SHORTEST) & (onsets <= last - SHORTEST)].tolist()
        struck += inner
        for begin, end in zip([first, *inner], [*inner, last], strict=True):
            f0[begin:end] = note_f0(probabilities[begin:end], cqt)
            notes += _parted(begin, f0[begin:end], decibels[begin:end])
    return BassLine(f0, np.array(struck, dtype=np.int64), tuple(notes))


def sounding_stretches(decibels: NDArray[np.float64], threshold: float) -> list[tuple[int, int]]:
    """``(first, last + 1)`` of stretches that reach the threshold and end 12 dB below it; the short ones are left out.

    Args:
        decibels: of the frames, ``(frames,)``.
        threshold: likewise, in dB.
    """
    found: list[tuple[int, int]] = []
    held = np.flatnonzero(np.diff(np.concatenate(([False], decibels >= threshold - RELEASE_DB, [False])).astype(int)))
    for begin, end in held.reshape(-1, 2).tolist():
        reached = np.flatnonzero(decibels[begin:end] >= threshold)
        if reached.size and end - begin - reached[0] >= SHORTEST:
            found.append((begin + int(reached[0]), end))
    return found


def _parted(first: int, f0: NDArray[np.float64], decibels: NDArray[np.float64]) -> list[BassNote]:
    """A struck note's pitches, one after another."""
    steps = np.abs(12 * np.diff(np.log2(f0)))
    edges = [0, *(np.flatnonzero(steps > _APART_SEMITONES) + 1).tolist(), len(f0)]
    return [
        BassNote(first + begin, first + end, f0[begin:end], float(decibels[begin:end].max()))
        for begin, end in pairwise(edges)
    ]
