"""The amplitudes of the partials of a note whose fundamental is known, by least squares.

In a frame of 1024 samples around time t, the signal is projected, with Hann weights, on ``cos(2π h f0 τ)`` and
``sin(2π h f0 τ)`` of every partial below half the sample rate; the amplitude of partial h is the length of its two
coefficients. So no partial leaks into another. A frame that would reach beyond its note is moved into it: near its ends
the amplitudes are those of up to 32 ms further in.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from .config import HOP, SAMPLE_RATE
from .labels import HARMONICS, frame_count
from .songs import Score
from .truth import frequency, note_frames

FRAME = 1024
"""Samples of a frame: 64 ms, four periods at 62.5 Hz."""
_HIGHEST = 0.97 * SAMPLE_RATE / 2


def projected_harmonics(score: Score, bass: NDArray[np.float64], *, detuning: float) -> NDArray[np.float64]:
    """The amplitudes of the partials of a song's bass: ``(frames, 20)``, 0 where no note is held.

    Args:
        score: the song.
        bass: as rendered, ``(samples,)``.
        detuning: in cents.
    """
    amplitudes = np.zeros((frame_count(len(bass)), HARMONICS))
    of_key: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)  # per key and size: (frame, first sample)
    for note in score.bass.notes:
        start, end = score.sample(note.start), min(score.sample(note.end), len(bass))
        size = min(FRAME, end - start)
        for frame in note_frames(score, note):
            of_key[note.key, size].append((frame, int(np.clip(HOP * frame - size // 2, start, end - size))))
    for (key, size), places in of_key.items():
        frames, firsts = np.array(places).T
        signals = bass[firsts[:, None] + np.arange(size)]
        amplitudes[frames] = harmonic_amplitudes(signals, frequency(key, detuning))
    return amplitudes


def harmonic_amplitudes(signals: NDArray[np.float64], f0: float) -> NDArray[np.float64]:
    """The amplitudes of partials 1 to 20 of signals with one fundamental.

    Args:
        signals: ``(signals, samples)`` at 16 kHz.
        f0: in Hz.

    Returns:
        ``(signals, 20)``; 0 for partials above 7760 Hz.
    """
    samples = signals.shape[1]
    partials = int(_HIGHEST / f0)
    weights = np.sqrt(get_window("hann", samples))
    angles = 2 * np.pi * f0 / SAMPLE_RATE * np.outer(np.arange(samples), np.arange(1, partials + 1))
    basis = weights[:, None] * np.concatenate((np.cos(angles), np.sin(angles)), axis=1)
    # The normal equations are well-conditioned: partials of four periods or more are nearly orthogonal.
    coefficients = np.linalg.solve(basis.T @ basis, basis.T @ (weights * signals).T)
    found = np.hypot(coefficients[:partials], coefficients[partials:]).T[:, :HARMONICS]
    return np.pad(found, ((0, 0), (0, HARMONICS - found.shape[1])))
