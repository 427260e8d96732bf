"""Decoding: pitches between bins, thresholds that are best, peaks that are peaks."""

import numpy as np
import pytest
import torch

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.decoding import decode_f0, onset_threshold, pick_onsets, refined_f0, voicing_threshold
from tonedeaf.bassnet.tracks import Track

SEMITONES = CqtConfig(bins_per_octave=12)
THIRDS = CqtConfig(bins_per_octave=36)


def one_distribution(cqt: CqtConfig, **at: float) -> np.ndarray:
    row = np.zeros((1, cqt.bins))
    for place, weight in at.items():
        row[0, int(place.removeprefix("b"))] = weight
    return row


@pytest.mark.parametrize("cqt", [SEMITONES, THIRDS])
def test_a_bin_alone_is_its_center_frequency(cqt: CqtConfig):
    found = refined_f0(np.eye(cqt.bins), cqt)
    np.testing.assert_allclose(found, 27.5 * 2 ** (np.arange(cqt.bins) / cqt.bins_per_octave), rtol=1e-12)


@pytest.mark.parametrize("cqt", [SEMITONES, THIRDS])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.5, 0.8])
def test_a_pitch_between_two_bins_comes_back_exactly(cqt: CqtConfig, share: float):
    row = np.zeros((1, cqt.bins))
    row[0, 30], row[0, 31] = 1 - share, share
    expected = 27.5 * 2 ** ((30 + share) / cqt.bins_per_octave)
    assert 1200 * np.log2(refined_f0(row, cqt)[0] / expected) == pytest.approx(0, abs=1e-9)


def test_a_blurred_pitch_is_found_better_than_the_grid_would():
    """A bump of one semitone around 20 pitches between bins: within 1 cent, where the grid errs by up to 16.7."""
    places = 60 + np.linspace(-0.5, 0.5, 20)
    bumps = np.exp(-0.5 * ((np.arange(THIRDS.bins) - places[:, None]) / 0.8) ** 2)
    cents = 1200 / 36 * (36 * np.log2(refined_f0(bumps, THIRDS) / 27.5) - places)
    assert np.abs(cents).max() < 1


def test_another_note_does_not_pull():
    """Two likely notes an octave apart: the likelier one, not something between."""
    row = one_distribution(THIRDS, b40=0.55, b76=0.45)
    assert refined_f0(row, THIRDS)[0] == pytest.approx(27.5 * 2 ** (40 / 36), rel=1e-12)


def test_ends_of_the_range_and_silence():
    lowest, highest = one_distribution(THIRDS, b0=1.0), one_distribution(THIRDS, b263=1.0)
    assert refined_f0(lowest, THIRDS)[0] == 27.5
    assert refined_f0(highest, THIRDS)[0] == pytest.approx(27.5 * 2 ** (263 / 36))
    assert refined_f0(np.zeros((1, 264)), THIRDS)[0] == 27.5
    with pytest.raises(ValueError, match="36 bins per octave are 264 bins, got 88"):
        refined_f0(np.zeros((1, 88)), THIRDS)


def test_a_frame_at_the_threshold_is_voiced():
    track = Track(torch.zeros(3, 88), torch.eye(88)[[24, 36, 48]], torch.tensor([0.25, 0.5, 0.75]), torch.zeros(3))
    f0, voiced = decode_f0(track, SEMITONES, threshold=0.5)
    np.testing.assert_allclose(f0, [110.0, 220.0, 440.0], rtol=1e-12)
    assert voiced.tolist() == [False, True, True]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_the_voicing_threshold_is_the_best_of_all(share: float):
    generator = np.random.default_rng(0)
    voiced = generator.random(500) < share
    level = np.round(np.where(voiced, 0.6, 0.35) + 0.15 * generator.normal(size=500), 2)

    def told_rightly(threshold: float) -> int:
        return int(((level >= threshold) == voiced).sum())

    found = voicing_threshold(level, voiced)
    assert told_rightly(found) == max(told_rightly(threshold) for threshold in np.linspace(-0.5, 1.5, 4001))
    assert told_rightly(found) > max(voiced.sum(), (~voiced).sum()), "better than to call all frames alike"


def test_voicing_thresholds_by_hand():
    assert voicing_threshold(np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True])) == pytest.approx(0.4)
    assert voicing_threshold(np.array([0.1, 0.9]), np.array([True, True])) == 0.0
    assert voicing_threshold(np.array([0.1, 1.0]), np.array([False, False])) > 1
    constant = voicing_threshold(np.full(4, 0.3), np.array([True, False, True, False]))
    assert constant == 0.0, "equal levels cannot be told apart"
    with pytest.raises(ValueError, match="at least one frame"):
        voicing_threshold(np.empty(0), np.empty(0, bool))


def test_peaks_are_found_where_they_are():
    curve = np.zeros(400)
    for frame in (0, 50, 120, 399):
        curve[frame] = 0.9
    curve[49] = curve[51] = 0.5
    curve[200] = 0.3  # too small
    curve[[300, 303]] = 0.7, 0.8  # too near to the larger one
    np.testing.assert_allclose(pick_onsets(curve, threshold=0.4), [0, 0.5, 1.2, 3.03, 3.99])
    assert pick_onsets(np.zeros(100), threshold=0.4).size == 0
    assert pick_onsets(np.empty(0), threshold=0.4).size == 0


def test_a_plateau_is_one_onset_in_its_middle():
    curve = np.zeros(100)
    curve[40:45] = 0.6
    np.testing.assert_allclose(pick_onsets(curve, threshold=0.5), [0.42])


def test_onsets_are_at_least_50_ms_apart():
    curve = np.random.default_rng(0).random(5000).round(1)
    assert np.diff(pick_onsets(curve, threshold=0.2)).min() > 0.05


def test_the_onset_threshold_keeps_the_true_peaks():
    generator = np.random.default_rng(0)
    curve = 0.2 * generator.random(3000)
    true = np.arange(50, 3000, 60)
    curve[true] = 0.35 + 0.1 * generator.random(true.size)
    found = onset_threshold([curve], [true / 100])
    assert 0.2 <= found <= 0.35
    np.testing.assert_allclose(pick_onsets(curve, threshold=found), true / 100)
