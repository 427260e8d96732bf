"""One pitch after another for a note, where single frames waver between two."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .config import CqtConfig
from .decoding import refined_f0

_LEAST = 1e-3
"""Probability below which bins are equally unlikely, so that no frame alone can be surer than 7 nats."""
_JUMP = 6 * math.log(_LEAST)
"""Cost of leaving a pitch for any other: what 6 frames (60 ms) that are sure of the other outweigh."""
_SLIDE = math.log(0.1)
"""Cost of moving to a neighbouring bin, as vibrato and slides do."""


def likeliest_path(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The bins that a note goes through: the likeliest sequence, in which moving costs something (Viterbi).

    Args:
        probabilities: of the bins, ``(frames, bins)``.

    Returns:
        ``(frames,)``.
    """
    score = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _LEAST))
    frames, bins = score.shape
    came_from = np.empty((frames, bins), dtype=np.int64)
    here = np.arange(bins)
    total = score[0]
    for frame in range(1, frames):
        best = int(total.argmax())
        moves = np.stack(
            (
                total,
                np.concatenate(([-np.inf], total[:-1] + _SLIDE)),
                np.concatenate((total[1:] + _SLIDE, [-np.inf])),
                np.full(bins, total[best] + _JUMP),
            )
        )
        origins = np.stack((here, here - 1, here + 1, np.full(bins, best)))
        chosen = moves.argmax(axis=0)
        came_from[frame] = origins[chosen, here]
        total = moves[chosen, here] + score[frame]
    path = np.empty(frames, dtype=np.int64)
    path[-1] = int(total.argmax())
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def note_f0(probabilities: NDArray[np.floating], cqt: CqtConfig) -> NDArray[np.float64]:
    """The pitch of a note along its likeliest path, between the bins as :func:`.decoding.refined_f0`.

    Args:
        probabilities: of the bins, ``(frames, bins)``.
        cqt: what the bins are.

    Returns:
        In Hz, ``(frames,)``.
    """
    path = likeliest_path(probabilities)
    distance = np.abs(np.arange(cqt.bins) - path[:, None])
    near = np.where(distance <= cqt.bins_per_octave // 12, probabilities, 0.0)
    return refined_f0(near + _LEAST * (distance == 0), cqt)
