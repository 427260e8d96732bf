"""Is it the right pitch? What MIREX asks of melodies, and errors in cents.

With f the true f0 (0 where nothing sounds), f̂ the predicted one (given for every frame) and e = 1200·log2(f̂/f):

- raw pitch accuracy: share of the voiced frames with ``|e| < 50`` cents, whatever the predicted voicing;
- raw chroma accuracy: the same, with e reduced to the nearest octave; octave errors: what the reduction adds;
- overall accuracy: share of all frames that are rightly unvoiced, or voiced with ``|e| < 50`` cents;
- voicing recall and false alarm: share of the voiced frames, and of the unvoiced ones, that are predicted as voiced.

Source: Poliner et al., Melody Transcription from Music Audio (2007); Salamon et al. (2014); ``mir_eval.melody``, with
which these agree to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .evaluation_intervals import Metric, SongBootstrap

TOLERANCE_CENTS = 50.0
"""Within which a pitch is right: half a semitone."""


def cents_between(f0: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.float64]:
    """``1200·log2(f0/reference)``; both positive, in Hz."""
    return 1200.0 * np.log2(np.asarray(f0, dtype=np.float64) / reference)


def is_right_pitch(cents: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether an error is below the tolerance."""
    return np.abs(cents) < TOLERANCE_CENTS


def is_right_chroma(cents: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether an error is, but for whole octaves."""
    size = np.abs(cents)
    return np.abs(size - 1200.0 * np.floor(size / 1200.0 + 0.5)) < TOLERANCE_CENTS


def pitch_metrics(
    f0: NDArray[np.floating],
    voiced: NDArray[np.bool_],
    reference: NDArray[np.floating],
    *,
    song: NDArray[np.integer],
    frame: NDArray[np.integer],
    bootstrap: SongBootstrap,
) -> dict[str, Metric]:
    """The accuracies, and the median and 90th percentile of ``|e|`` over the voiced frames.

    Args:
        f0: predicted, in Hz, positive in every frame: ``(frames,)``.
        voiced: predicted: ``(frames,)``.
        reference: true f0 in Hz, 0 where nothing sounds: ``(frames,)``.
        song: which song a frame is of: ``(frames,)``.
        frame: its place in the song: ``(frames,)``.
        bootstrap: for the intervals.

    Raises:
        ValueError: if the predicted f0 is not positive somewhere, or the true one is negative.
    """
    if f0.size and not (np.isfinite(f0).all() and f0.min() > 0):
        raise ValueError(f"the predicted f0 must be positive and finite in every frame, got {f0.min():g} Hz")
    if reference.size and not (np.isfinite(reference).all() and reference.min() >= 0):
        raise ValueError(f"the true f0 must be finite and not negative, got {reference.min():g} Hz")
    sounds = reference > 0
    cents = cents_between(f0[sounds], reference[sounds])
    where, elsewhere = ({"song": song[each], "frame": frame[each]} for each in (sounds, ~sounds))
    pitch, chroma = is_right_pitch(cents), is_right_chroma(cents)
    right = ~sounds & ~voiced
    right[sounds] = voiced[sounds] & pitch
    return {
        "raw_pitch_accuracy": bootstrap.mean(pitch, **where),
        "raw_chroma_accuracy": bootstrap.mean(chroma, **where),
        "octave_errors": bootstrap.mean(chroma & ~pitch, **where),
        "overall_accuracy": bootstrap.mean(right, song=song, frame=frame),
        "voicing_recall": bootstrap.mean(voiced[sounds], **where),
        "voicing_false_alarm": bootstrap.mean(voiced[~sounds], **elsewhere),
        "median_cents": bootstrap.quantile(np.abs(cents), 0.5, **where),
        "percentile_90_cents": bootstrap.quantile(np.abs(cents), 0.9, **where),
    }
