"""Does the latent space keep the bass patterns apart? The accuracy of a quadratic classifier.

Quadratic discriminant analysis: for each pattern c a Gaussian ``p(z|c)`` with its own mean and covariance, and by
Bayes' rule ``p(c|z) ∝ p(c)·p(z|c)``; the predicted pattern is the likeliest. z is the mean of the posterior of a
window, c the pattern in force at its center frame. The paper judges the windows that the classifier was fitted to
(resubstitution); five folds, each of other songs than the classifier's, show what that hides.

Source: Grachten, Lattner & Deruty 2020, Section 6.2, Table 2; Hastie, Tibshirani & Friedman, The Elements of
Statistical Learning (2009), Section 4.3; ``sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
_FEWEST = 3
"""Windows of a pattern, for a covariance of two dimensions."""

_REGULARISATION = 1e-9
"""Of covariances of standardised z: it changes no figure, and lets a latent that has collapsed be judged (badly)."""


@dataclass(frozen=True)
class QuadraticAnalysis:
    """The classifier that was fitted to all windows, and its predictions.

    Attributes:
        patterns: the classes, ascending: ``(classes,)``.
        priors: share of each: ``(classes,)``.
        means: of p(z|c): ``(classes, dimensions)``.
        covariances: of p(z|c): ``(classes, dimensions, dimensions)``.
        judged: the windows that take part: those with a known pattern that at least three have: ``(windows,)``.
        right: whether the classifier that was fitted to all of them knows each pattern: ``(judged windows,)``.
        right_in_folds: the same, by a classifier that was fitted to other songs; None with a single song.
    """

    patterns: NDArray[np.int64]
    priors: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    judged: NDArray[np.bool_]
    right: NDArray[np.bool_]
    right_in_folds: NDArray[np.bool_] | None

    def as_metric(self) -> dict[str, Any]:
        """The classifier as plain JSON values."""
        return {
            "patterns": self.patterns.tolist(),
            "priors": self.priors.tolist(),
            "means": self.means.tolist(),
            "covariances": self.covariances.tolist(),
        }


def quadratic_analysis(
    z: NDArray[np.floating], pattern: NDArray[np.integer], song: NDArray[np.integer]
) -> QuadraticAnalysis | None:
    """Fit and judge a quadratic classifier.

    Args:
        z: posterior means: ``(windows, dimensions)``.
        pattern: the bass pattern of each window, -1 where unknown: ``(windows,)``.
        song: which song each window is of: ``(windows,)``.

    Returns:
        None if there are not two patterns to tell apart.

    Raises:
        ImportError: if scikit-learn is not installed.
    """
    names, counts = np.unique(pattern[pattern >= 0], return_counts=True)
    patterns = names[counts >= _FEWEST]
    judged = np.isin(pattern, patterns)
    if patterns.size < 2:
        return None
    places, classes, songs = np.asarray(z[judged], dtype=np.float64), pattern[judged], song[judged]
    centre, scale = places.mean(axis=0), places.std(axis=0)
    # Affine maps do not change the analysis, but its numerical safeguards assume a spread near 1.
    scale = np.where(scale > 0, scale, 1.0)
    standard = (places - centre) / scale
    fitted = _fit(standard, classes)
    return QuadraticAnalysis(
        patterns=patterns.astype(np.int64),
        priors=np.asarray(fitted.priors_, dtype=np.float64),
        means=np.asarray(fitted.means_) * scale + centre,
        covariances=np.stack(fitted.covariance_) * np.outer(scale, scale),
        judged=judged,
        right=np.asarray(fitted.predict(standard) == classes),
        right_in_folds=_right_in_folds(standard, classes, songs),
    )


def _right_in_folds(
    z: NDArray[np.float64], pattern: NDArray[np.integer], song: NDArray[np.integer]
) -> NDArray[np.bool_] | None:
    """What a classifier of other songs says; a pattern that these lack is never right."""
    songs = np.unique(song)
    if songs.size < 2:
        return None
    fold = np.searchsorted(songs, song) % min(FOLDS, songs.size)
    right = np.zeros(song.size, bool)
    for held_out in range(int(fold.max()) + 1):
        names, counts = np.unique(pattern[fold != held_out], return_counts=True)
        known = names[counts >= _FEWEST]
        fitted, tested = (fold != held_out) & np.isin(pattern, known), fold == held_out
        if known.size > 1:
            right[tested] = _fit(z[fitted], pattern[fitted]).predict(z[tested]) == pattern[tested]
        elif known.size == 1:
            right[tested] = pattern[tested] == known[0]
    return right


def _fit(z: NDArray[np.float64], pattern: NDArray[np.integer]) -> Any:
    try:
        from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    except ImportError as error:
        raise ImportError(
            "judging the latent space needs scikit-learn: pip install 'tonedeaf[bassnet]', or pip install scikit-learn"
        ) from error
    analysis = QuadraticDiscriminantAnalysis(reg_param=_REGULARISATION, tol=_REGULARISATION / 10, store_covariance=True)
    return analysis.fit(z, pattern)
