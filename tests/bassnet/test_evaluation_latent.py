"""The quadratic classifier: against Bayes' rule, and where the latent says nothing."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from tonedeaf.bassnet.evaluation_latent import quadratic_analysis


def clusters(spread: float = 1.0, windows: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    pattern = generator.integers(3, size=windows)
    means = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    return means[pattern] + spread * generator.normal(size=(windows, 2)), pattern, np.arange(windows) * 8 // windows


def test_resubstitution_is_what_sklearn_says():
    z, pattern, song = clusters()
    found = quadratic_analysis(z, pattern, song)
    assert found is not None
    theirs = QuadraticDiscriminantAnalysis().fit(z, pattern)
    np.testing.assert_array_equal(found.right, theirs.predict(z) == pattern)
    assert 0.8 < found.right.mean() < 1


def test_the_classifier_in_the_record_gives_the_same_predictions():
    """Bayes' rule with the means, covariances and priors, by scipy."""
    z, pattern, song = clusters()
    found = quadratic_analysis(z, pattern, song)
    assert found is not None
    kept = found.as_metric()
    scores = [
        np.log(prior) + multivariate_normal(mean, np.array(covariance)).logpdf(z)
        for prior, mean, covariance in zip(kept["priors"], kept["means"], kept["covariances"], strict=True)
    ]
    np.testing.assert_array_equal(np.argmax(scores, axis=0) == pattern, found.right)


def test_folds_are_of_other_songs():
    """Songs that carry a colour of their own, not the pattern: resubstitution is fooled, folds are not."""
    generator = np.random.default_rng(1)
    song = np.repeat(np.arange(4), 50)
    pattern = song % 2
    places = np.array([[0.0, 0.0], [9.0, 9.0], [9.0, 0.0], [0.0, 9.0]])[song]
    found = quadratic_analysis(places + 0.1 * generator.normal(size=(200, 2)), pattern, song)
    assert found is not None
    assert found.right_in_folds is not None
    assert found.right.mean() == 1
    assert found.right_in_folds.mean() < 0.75


@pytest.mark.parametrize(("songs", "folds"), [(2, 2), (4, 4), (5, 5), (8, 5), (11, 5)])
def test_there_are_five_folds_of_songs_or_as_many_as_there_are_songs(songs: int, folds: int):
    """By sklearn's cross-validation: song after song goes to the next fold."""
    z, pattern, _ = clusters(spread=2.0, windows=60)
    place = np.arange(60) * songs // 60
    found = quadratic_analysis(z, pattern, 10 * place)
    assert found is not None
    theirs = cross_val_predict(QuadraticDiscriminantAnalysis(), z, pattern, cv=PredefinedSplit(place % folds))
    np.testing.assert_array_equal(found.right_in_folds, theirs == pattern)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_scale_of_z_does_not_matter(scale: float):
    z, pattern, song = clusters()
    one, other = quadratic_analysis(z, pattern, song), quadratic_analysis(z * scale + scale, pattern, song)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.right, other.right)
    np.testing.assert_allclose(other.covariances, one.covariances * scale**2, rtol=1e-6)


def test_a_latent_that_collapsed_is_no_better_than_the_commonest_pattern():
    pattern = np.repeat([0, 0, 0, 1], 25)
    for z in (np.zeros((100, 2)), np.stack([np.zeros(100), np.zeros(100) + 1e-30], axis=1)):
        found = quadratic_analysis(z, pattern, np.arange(100) % 5)
        assert found is not None
        assert found.right.mean() == 0.75
        assert np.isfinite(found.covariances).all()
    along_a_line = np.stack([np.arange(100.0), np.zeros(100)], axis=1)
    found = quadratic_analysis(along_a_line, pattern, np.arange(100) % 5)
    assert found is not None
    assert found.right.mean() >= 0.75


def test_unknown_and_rare_patterns_are_not_judged():
    z, pattern, song = clusters()
    pattern = np.where(np.arange(300) < 40, -1, pattern)
    pattern[-2:] = 7
    found = quadratic_analysis(z, pattern, song)
    assert found is not None
    assert found.judged.sum() == 258
    assert found.patterns.tolist() == [0, 1, 2]


def test_without_two_patterns_there_is_nothing_to_tell_apart():
    z, pattern, song = clusters()
    assert quadratic_analysis(z, np.zeros_like(pattern), song) is None
    assert quadratic_analysis(z, np.full_like(pattern, -1), song) is None


def test_one_song_has_no_folds():
    z, pattern, song = clusters()
    found = quadratic_analysis(z, pattern, np.zeros_like(song))
    assert found is not None
    assert found.right_in_folds is None
