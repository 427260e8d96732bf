"""Onsets: the pooled F-measure against mir_eval's."""

import mir_eval
import numpy as np
import pytest

from tonedeaf.bassnet.evaluation_onsets import match_onsets, pooled_f_measure


def test_one_song_has_the_f_measure_of_mir_eval():
    generator = np.random.default_rng(0)
    for _ in range(20):
        true = np.sort(generator.uniform(0, 20, 60))
        predicted = np.sort(np.concatenate([true[::2] + generator.normal(0, 0.04, 30), generator.uniform(0, 20, 20)]))
        match = match_onsets(predicted, true)
        f_measure, precision, recall = mir_eval.onset.f_measure(true, predicted)
        assert match.f_measure == pytest.approx(f_measure, abs=1e-12)
        assert match.true_is_hit.mean() == pytest.approx(recall, abs=1e-12)
        assert match.predicted_is_hit.mean() == pytest.approx(precision, abs=1e-12)


def test_counts_are_pooled_over_songs():
    """1 of 1 and 0 of 3 onsets: pooled 2·1/(1 + 1 + 3 + 1), not the mean of 1 and 0."""
    matches = [match_onsets(np.array([1.0]), np.array([1.0])), match_onsets(np.array([9.0]), np.array([1.0, 2.0, 3.0]))]
    assert pooled_f_measure(matches) == pytest.approx(2 / 6)
    assert pooled_f_measure([]) == 0


@pytest.mark.parametrize(("predicted", "true"), [([], []), ([1.0], []), ([], [1.0])])
def test_no_onsets_are_no_hits(predicted: list[float], true: list[float]):
    match = match_onsets(np.array(predicted), np.array(true))
    assert match.f_measure == 0
    assert not match.true_is_hit.any()
