"""Harmonic amplitudes: errors that were put in come out."""

import numpy as np
import pytest

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.evaluation_harmonics import harmonic_errors, resolved_harmonics, typical_timbre

CQT = CqtConfig(bins_per_octave=36)


def test_the_design_says_20_harmonics_and_8_for_the_tiny_preset():
    assert resolved_harmonics(CqtConfig(bins_per_octave=36)) == 20
    assert resolved_harmonics(CqtConfig(bins_per_octave=12)) == 8


def test_equal_amplitudes_are_at_distance_0_and_a_gain_costs_its_decibels():
    true = np.random.default_rng(0).uniform(0.01, 1, (50, 20))
    f0 = np.full(50, 55.0)
    assert harmonic_errors(true, true, f0, CQT).distances().max() == 0
    louder = harmonic_errors(2 * true, true, f0, CQT)
    np.testing.assert_allclose(louder.distances(), 20 * np.log10(2), rtol=1e-12)
    np.testing.assert_allclose(louder.level_free().distances(), 0, atol=1e-12)
    assert all(each["value"] == pytest.approx(20 * np.log10(2)) for each in louder.of_each_harmonic())


def test_by_hand():
    """Errors of +6 and −2 dB: root mean square √20; without their mean of 2, ±4."""
    true = np.array([[0.1, 0.1]])
    predicted = true * 10 ** (np.array([[6.0, -2.0]]) / 20)
    found = harmonic_errors(predicted, true, np.array([100.0]), CQT)
    assert found.distances()[0] == pytest.approx(np.sqrt(20))
    assert found.level_free().distances()[0] == pytest.approx(4)
    assert [each["value"] for each in found.of_each_harmonic()] == pytest.approx([6, 2])
    assert [each["n"] for each in found.of_each_harmonic()] == [1, 1]


def test_harmonics_above_the_top_bin_or_too_weak_do_not_count():
    true = np.ones((3, 20))
    true[1, 4] = 0.9e-3  # −60.9 dB
    true[2, 4] = 1.1e-3  # −59.2 dB
    top = 27.5 * 2 ** (263 / 36)
    found = harmonic_errors(true, true, np.array([top / 10, 55.0, 55.0]), CQT)
    assert found.counts[0].sum() == 10
    assert not found.counts[1, 4]
    assert found.counts[2].all()


def test_strength_is_judged_by_what_lies_below_the_top_bin():
    """A strong partial that the representation does not reach must not silence the others."""
    true = np.full((1, 20), 1e-4)
    true[0, 19] = 1.0
    found = harmonic_errors(true, true, np.array([300.0]), CQT)
    assert found.counts[0, :14].all()
    assert not found.counts[0, 14:].any()


def test_a_missing_or_infinite_harmonic_costs_80_decibels():
    true = np.ones((1, 4))
    predicted = np.array([[1.0, 0.0, 1e-9, np.inf]])
    found = harmonic_errors(predicted, true, np.array([55.0]), CQT)
    np.testing.assert_allclose(found.decibels, [[0, -80, -80, 80]])


def test_silence_does_not_count():
    true = np.array([[0.5, 0.2], [0.5, 0.2], [0.0, 0.0], [0.3, 0.0]])
    found = harmonic_errors(true, true, np.array([0.0, 55.0, 55.0, 55.0]), CQT)
    assert found.frames().tolist() == [False, True, False, True]
    assert found.level_free().frames().tolist() == [False, True, False, False], "a single harmonic has no shape"
    assert found.of_each_harmonic()[1] == {"harmonic": 2, "value": 0.0, "n": 1}
    silent = harmonic_errors(true * 0, true * 0, np.full(4, 55.0), CQT)
    assert silent.distances().size == 0
    assert silent.of_each_harmonic()[0] == {"harmonic": 1, "value": None, "n": 0}


def test_more_predicted_harmonics_than_true_ones_are_refused():
    with pytest.raises(ValueError, match="2 frames of 3 harmonics need as many true ones"):
        harmonic_errors(np.ones((2, 3)), np.ones((2, 2)), np.full(2, 55.0), CQT)


def test_the_typical_timbre_is_the_median_over_songs_whatever_their_length_and_level():
    def song(frames: int, *decibels: float) -> tuple[np.ndarray, np.ndarray]:
        return np.full(frames, 55.0), np.tile(10 ** (np.array(decibels) / 20), (frames, 1))

    songs = [song(1000, 0, -10), song(3, -20, -40), song(5, 3, -27)]  # re the strongest: -10, -20, -30
    silent = (np.zeros(4), np.ones((4, 2)))
    for some in (songs, [*songs, silent], [*songs, song(7, 0, -300)]):
        found = typical_timbre(some)
        assert found is not None
        assert 20 * np.log10(found) == pytest.approx([0, -20]), "what cannot be heard does not count"
    nowhere = typical_timbre([song(2, 0, -300)])
    assert nowhere is not None
    assert 20 * np.log10(nowhere) == pytest.approx([0, -60])
    assert typical_timbre([silent]) is typical_timbre([]) is None
    assert typical_timbre([(np.full(2, 55.0), np.zeros((2, 2)))]) is None, "notes that are held, and silent"
