"""Is it the right timbre? The amplitudes of the harmonics, in dB.

For harmonic h of a frame with true amplitude a_h and predicted â_h: ``e_h = 20·log10(â_h/a_h)``, where

- h·f0 lies below the centre of the top bin,
- a_h is above −60 dB re the frame's strongest harmonic (below it there is nothing to hear),
- â_h is kept within ±80 dB re that strongest harmonic, so that an absent one costs a finite error.

Of each frame: the root of the mean of e_h² over its harmonics, a log-spectral distance on the harmonics. Of each
harmonic: the mean of ``|e_h|`` over the frames. **Level-free** is the same after the frame's mean of e_h has been taken
away: what is left is the shape.

Source: Gray & Markel, Distance measures for speech processing (1976), for the log-spectral distance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import F_MIN, CqtConfig

MOST_HARMONICS = 20
AUDIBLE_DB = -60.0
LIMIT_DB = 80.0


@dataclass(frozen=True)
class HarmonicErrors:
    """Errors of some frames.

    Attributes:
        decibels: e_h, 0 where it does not count: ``(frames, harmonics)``.
        counts: which of them do: ``(frames, harmonics)``.
    """

    decibels: NDArray[np.float64]
    counts: NDArray[np.bool_]

    def level_free(self) -> HarmonicErrors:
        """Without each frame's mean; a frame with a single harmonic has no shape, and does not count."""
        shaped = self.counts & (self.counts.sum(axis=1, keepdims=True) > 1)
        mean = (self.decibels * shaped).sum(axis=1, keepdims=True) / np.maximum(shaped.sum(axis=1, keepdims=True), 1)
        return HarmonicErrors(np.where(shaped, self.decibels - mean, 0.0), shaped)

    def frames(self) -> NDArray[np.bool_]:
        """Which frames have a harmonic that counts: ``(frames,)``."""
        return np.asarray(self.counts.any(axis=1))

    def distances(self) -> NDArray[np.float64]:
        """Root mean square over the harmonics of each frame of :meth:`frames`, in dB."""
        used = self.frames()
        return np.sqrt((self.decibels[used] ** 2).sum(axis=1) / self.counts[used].sum(axis=1))

    def of_each_harmonic(self) -> list[dict[str, float | int | None]]:
        """Mean ``|e_h|`` of each harmonic, in dB, over the ``n`` frames where it counts; None if there are none."""
        n = self.counts.sum(axis=0)
        totals = np.abs(self.decibels).sum(axis=0)
        return [
            {"harmonic": h, "value": float(total / count) if count else None, "n": int(count)}
            for h, (total, count) in enumerate(zip(totals, n, strict=True), start=1)
        ]


def resolved_harmonics(cqt: CqtConfig) -> int:
    """How many harmonics are compared: those at least two bins apart, and at most 20.

    Two bins is the width of a bin's main lobe: closer partials cannot be told from one another, neither in the target
    nor in the prediction. ``2^(2/bins_per_octave) ≤ (h+1)/h``: 8 for 12 bins an octave, 20 for 36.
    """
    return min(MOST_HARMONICS, int(1 / (2 ** (2 / cqt.bins_per_octave) - 1)))


def typical_timbre(songs: Iterable[tuple[NDArray[np.floating], NDArray[np.floating]]]) -> NDArray[np.float64] | None:
    """The timbre of some songs that one would name without listening: the median over the songs of their own medians.

    Of each harmonic's level re the frame's strongest, in dB, over the frames where it is above :data:`AUDIBLE_DB`; one
    that never is has that level.

    Args:
        songs: f0 in Hz, 0 where nothing sounds, ``(frames,)``, and the amplitudes of the harmonics, linear,
            ``(frames, harmonics)``; a song in which nothing sounds says nothing.

    Returns:
        Amplitudes, linear, re the strongest: ``(harmonics,)``; None if nothing sounds in any song.
    """
    medians: list[NDArray[np.float64]] = []
    for f0, harmonics in songs:
        amplitudes = np.asarray(harmonics, dtype=np.float64)
        strongest = amplitudes.max(axis=1, keepdims=True, initial=0.0)
        sounds = (np.asarray(f0) > 0) & (strongest[:, 0] > 0)
        if sounds.any():
            medians.append(_median_of_audible(20 * np.log10(amplitudes[sounds] / strongest[sounds] + 1e-30)))
    return 10 ** (np.nan_to_num(_median_of_audible(np.array(medians)), nan=AUDIBLE_DB) / 20) if medians else None


def _median_of_audible(decibels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each column, over the rows that are above :data:`AUDIBLE_DB`; NaN where none is."""
    audible = np.ma.masked_invalid(np.where(decibels > AUDIBLE_DB, decibels, np.nan))
    return np.ma.filled(np.ma.median(audible, axis=0).astype(np.float64), np.nan)


def harmonic_errors(
    predicted: NDArray[np.floating], true: NDArray[np.floating], f0: NDArray[np.floating], cqt: CqtConfig
) -> HarmonicErrors:
    """Compare amplitudes.

    Args:
        predicted: â_h, linear: ``(frames, harmonics)``.
        true: a_h, linear: ``(frames, at least as many harmonics)``; the others are not looked at.
        f0: true, in Hz, 0 where nothing sounds (such a frame does not count): ``(frames,)``.
        cqt: where the top bin is.

    Raises:
        ValueError: if the truth has fewer frames or harmonics than the prediction.
    """
    frames, harmonics = predicted.shape
    if true.shape[0] != frames or true.shape[1] < harmonics:
        raise ValueError(f"{frames} frames of {harmonics} harmonics need as many true ones, got {true.shape}")
    amplitudes = np.asarray(true[:, :harmonics], dtype=np.float64)
    frequencies = np.asarray(f0, dtype=np.float64)[:, None] * np.arange(1, harmonics + 1)
    top = F_MIN * 2 ** ((cqt.bins - 1) / cqt.bins_per_octave)
    within = (frequencies > 0) & (frequencies <= top)
    strongest = np.where(within, amplitudes, 0.0).max(axis=1, keepdims=True, initial=0.0)
    counts = within & (strongest > 0) & (amplitudes > 10 ** (AUDIBLE_DB / 20) * strongest)
    limit = 10 ** (LIMIT_DB / 20)
    limited = np.clip(predicted, strongest / limit, strongest * limit)
    ratio = np.divide(limited, amplitudes, out=np.ones_like(amplitudes), where=counts)
    return HarmonicErrors(20 * np.log10(ratio), counts)
