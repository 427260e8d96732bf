"""What a predicted track says: f0 in Hz, which frames are voiced, and where the onsets are.

The paper renders its bass lines by "peak picking the predicted onset curves" and by the f0 and level predictions, and
leaves open how; what is here is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from torch import Tensor

from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from .evaluation_onsets import match_onsets, pooled_f_measure
from .tracks import Track

FRAMES_PER_SECOND = SAMPLE_RATE / HOP

_APART = 5
"""Frames: no two onsets are nearer than 50 ms, the tolerance of the F-measure."""

_CANDIDATES = tuple(round(0.05 * step, 2) for step in range(1, 20))


def decode_f0(track: Track, cqt: CqtConfig, *, threshold: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The pitch of a track, and where there is one.

    Args:
        track: predicted.
        cqt: which frequencies the bins have.
        threshold: a frame whose predicted level is at least this is voiced; see :func:`voicing_threshold`.

    Returns:
        f0 in Hz, for unvoiced frames too: ``(frames,)``; whether a frame is voiced: ``(frames,)``.
    """
    return refined_f0(_array(track.f0_probabilities), cqt), _array(track.level) >= threshold


def refined_f0(probabilities: NDArray[np.floating], cqt: CqtConfig) -> NDArray[np.float64]:
    """The pitch of a distribution over bins, between the bins.

    The mean of the bins' pitches (in octaves) under the distribution, over the likeliest bin and those within a
    semitone of it. The grid alone would cost up to half a bin: 16.7 cents for 36 bins an octave, 50 for 12. A mean over
    all bins would lie between two notes that are both likely.

    Args:
        probabilities: not negative; their sum does not matter: ``(frames, bins)``.
        cqt: which frequencies the bins have.

    Returns:
        In Hz: ``(frames,)``.

    Raises:
        ValueError: if the number of bins is another one.

    Source: the local weighted average of Kim et al. 2018, CREPE (arXiv:1802.06182).
    """
    weights = np.asarray(probabilities, dtype=np.float64)
    bins = weights.shape[1]
    if bins != cqt.bins:
        raise ValueError(f"{cqt.bins_per_octave} bins per octave are {cqt.bins} bins, got {bins}")
    reach = max(1, cqt.bins_per_octave // 12)
    best = weights.argmax(axis=1)
    near = best[:, None] + np.arange(-reach, reach + 1)
    inside = (near >= 0) & (near < bins)
    local = np.where(inside, np.take_along_axis(weights, near.clip(0, bins - 1), axis=1), 0.0)
    total = local.sum(axis=1)
    place = np.divide((local * near).sum(axis=1), total, out=best.astype(np.float64), where=total > 0)
    return F_MIN * 2 ** (place / cqt.bins_per_octave)


def voicing_threshold(level: NDArray[np.floating], voiced: NDArray[np.bool_]) -> float:
    """The level that tells voiced frames from unvoiced ones best: as many frames as possible are told rightly.

    Every frame counts alike. Short gaps between notes are hardly quieter than the notes, as a frame of the level lasts
    128 ms; to weigh them more would cut off the ends of notes. The threshold lies halfway between two levels that
    occur. Where all frames are voiced it is 0 (all are), and where none is, above 1.

    Args:
        level: predicted, of training songs: ``(frames,)``.
        voiced: whether something sounds: ``(frames,)``.

    Raises:
        ValueError: if there are no frames.
    """
    if not level.size:
        raise ValueError("a threshold needs at least one frame")
    if voiced.all() or not voiced.any():
        return 0.0 if voiced.all() else float(np.nextafter(1.0, 2.0))
    order = np.argsort(level, kind="stable")
    levels, sounds = np.asarray(level, dtype=np.float64)[order], voiced[order]
    # With the threshold above the first k frames, voiced ones among these are lost and unvoiced ones are rightly left.
    gained = np.concatenate([[0], np.cumsum(np.where(sounds, -1, 1))])
    steps = np.concatenate([[True], np.diff(levels) > 0, [True]])  # equal levels cannot be told apart
    best = int(np.argmax(np.where(steps, gained, -gained.size)))
    if best == 0:
        return 0.0
    return float((levels[best - 1] + levels[best]) / 2) if best < levels.size else float(np.nextafter(1.0, 2.0))


def pick_onsets(onset: NDArray[np.floating], *, threshold: float) -> NDArray[np.float64]:
    """The peaks of an onset curve.

    A frame is an onset if its value is at least the threshold and the largest within 50 ms on either side; of equal
    ones that neighbour each other, the middle.

    Args:
        onset: in [0, 1]: ``(frames,)``.
        threshold: see :func:`onset_threshold`.

    Returns:
        In seconds, ascending, at least 50 ms apart: ``(onsets,)``.
    """
    curve = np.asarray(onset, dtype=np.float64)
    highest = maximum_filter1d(curve, 2 * _APART + 1, mode="constant", cval=-np.inf)
    frames = np.flatnonzero((curve == highest) & (curve >= threshold))
    if not frames.size:
        return np.empty(0)
    plateaus = np.split(frames, np.flatnonzero(np.diff(frames) > _APART) + 1)
    return np.array([plateau[(len(plateau) - 1) // 2] for plateau in plateaus]) / FRAMES_PER_SECOND


def onset_threshold(curves: Sequence[NDArray[np.floating]], onsets: Sequence[NDArray[np.float64]]) -> float:
    """The threshold, of 0.05, 0.10, … 0.95, whose peaks have the highest pooled F-measure; the middle one of equals.

    Args:
        curves: predicted, of training songs.
        onsets: true ones of each song, in seconds.
    """
    scores = [
        pooled_f_measure(
            [
                match_onsets(pick_onsets(curve, threshold=candidate), true)
                for curve, true in zip(curves, onsets, strict=True)
            ]
        )
        for candidate in _CANDIDATES
    ]
    best = [candidate for candidate, score in zip(_CANDIDATES, scores, strict=True) if score >= max(scores) - 1e-12]
    return best[len(best) // 2]


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().to("cpu").double().numpy()
