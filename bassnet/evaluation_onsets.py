"""Are the notes where they should be? The F-measure of onsets.

A predicted onset hits a true one that is within 50 ms of it; each takes part in at most one pair, and there are as many
pairs as possible (``mir_eval.onset``). Songs are matched one by one, and their counts are pooled:
``F = 2·hits/(true + predicted)``, ``precision = hits/predicted``, ``recall = hits/true``.

Source: Böck, Krebs & Schedl, Evaluating the online capabilities of onset detection methods (2012); ``mir_eval.onset``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True)
class OnsetMatch:
    """The onsets of one song, in seconds, and which were hit."""

    predicted: NDArray[np.float64]
    true: NDArray[np.float64]
    true_is_hit: NDArray[np.bool_]
    predicted_is_hit: NDArray[np.bool_]

    @property
    def f_measure(self) -> float:
        """Of this song; 0 if it has onsets of one kind only, or none."""
        total = self.true.size + self.predicted.size
        return 2 * int(self.true_is_hit.sum()) / total if total else 0.0


def match_onsets(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> OnsetMatch:
    """Pair onsets of one song.

    Args:
        predicted: in seconds, ascending.
        true: in seconds, ascending.

    Raises:
        ImportError: if mir_eval is not installed.
    """
    true_is_hit, predicted_is_hit = np.zeros(true.size, bool), np.zeros(predicted.size, bool)
    if true.size and predicted.size:
        try:
            from mir_eval.util import match_events
        except ImportError as error:
            raise ImportError(
                "matching onsets needs mir_eval: pip install 'tonedeaf[bassnet]', or pip install mir_eval"
            ) from error
        pairs: Sequence[tuple[int, int]] = match_events(true, predicted, TOLERANCE_SECONDS)
        for one, other in pairs:
            true_is_hit[one] = predicted_is_hit[other] = True
    return OnsetMatch(predicted, true, true_is_hit, predicted_is_hit)


def pooled_f_measure(matches: Sequence[OnsetMatch]) -> float:
    """The F-measure of the pooled counts; 0 if there are no onsets."""
    total = sum(match.true.size + match.predicted.size for match in matches)
    return 2 * sum(int(match.true_is_hit.sum()) for match in matches) / total if total else 0.0
