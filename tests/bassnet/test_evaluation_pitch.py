"""Pitch accuracies against mir_eval, and by hand."""

import mir_eval
import numpy as np
import pytest

from tonedeaf.bassnet.evaluation_intervals import Metric, SongBootstrap
from tonedeaf.bassnet.evaluation_pitch import cents_between, is_right_chroma, is_right_pitch, pitch_metrics


def judge(f0: np.ndarray, voiced: np.ndarray, reference: np.ndarray) -> dict[str, Metric]:
    frames = len(f0)
    return pitch_metrics(
        f0,
        voiced,
        reference,
        song=np.zeros(frames, int),
        frame=np.arange(frames),
        bootstrap=SongBootstrap([max(frames, 1)], replicates=50),
    )


def test_accuracies_are_those_of_mir_eval():
    generator, frames = np.random.default_rng(0), 4000
    reference = np.where(generator.random(frames) < 0.8, 40 * 2 ** generator.uniform(0, 2, frames), 0.0)
    base = np.where(reference > 0, reference, 55.0)
    error = generator.choice([0.0, 1200.0, -1200.0, 700.0, 2400.0], frames) + generator.normal(0, 40, frames)
    f0 = base * 2 ** (error / 1200)
    voiced = generator.random(frames) < 0.7
    found = judge(f0, voiced, reference)
    # mir_eval's convention: a frequency below 0 is a guess in a frame that is called unvoiced.
    times = np.arange(frames) / 100
    theirs = mir_eval.melody.evaluate(times, reference, times, np.where(voiced, f0, -f0))
    for ours, name in {
        "raw_pitch_accuracy": "Raw Pitch Accuracy",
        "raw_chroma_accuracy": "Raw Chroma Accuracy",
        "overall_accuracy": "Overall Accuracy",
        "voicing_recall": "Voicing Recall",
        "voicing_false_alarm": "Voicing False Alarm",
    }.items():
        assert found[ours]["value"] == pytest.approx(theirs[name], abs=1e-12), name
    octaves = theirs["Raw Chroma Accuracy"] - theirs["Raw Pitch Accuracy"]
    assert found["octave_errors"]["value"] == pytest.approx(octaves, abs=1e-12)
    sounds = reference > 0
    size = np.abs(mir_eval.melody.hz2cents(f0[sounds]) - mir_eval.melody.hz2cents(reference[sounds]))
    np.testing.assert_allclose(np.abs(cents_between(f0[sounds], reference[sounds])), size, atol=1e-9)
    for name, share in (("median_cents", 0.5), ("percentile_90_cents", 0.9)):
        assert found[name]["value"] == pytest.approx(np.quantile(size, share, method="inverted_cdf"))
    assert found["raw_pitch_accuracy"]["n"] == sounds.sum()
    assert found["voicing_false_alarm"]["n"] == (~sounds).sum()


@pytest.mark.parametrize(
    ("cents", "pitch", "chroma"),
    [
        (0.0, True, True),
        (49.9, True, True),
        (-49.9, True, True),
        (50.0, False, False),
        (1200.0, False, True),
        (-1249.0, False, True),
        (2440.0, False, True),
        (600.0, False, False),
        (-1151.0, False, True),
        (-1149.0, False, False),
    ],
)
def test_what_counts_as_right(cents: float, pitch: bool, chroma: bool):
    assert is_right_pitch(np.array([cents]))[0] == pitch
    assert is_right_chroma(np.array([cents]))[0] == chroma


def test_a_bass_that_never_plays_has_no_pitch_accuracy_but_a_voicing_one():
    found = judge(np.full(100, 55.0), np.arange(100) < 25, np.zeros(100))
    nothing = {"value": None, "low": None, "high": None, "n": 0, "songs": 0, "of_songs": [[0.0, 0.0]]}
    assert found["raw_pitch_accuracy"] == nothing
    assert found["median_cents"]["value"] is None
    assert found["overall_accuracy"]["value"] == 0.75
    assert found["voicing_false_alarm"]["value"] == 0.25


def test_what_is_no_pitch_is_refused():
    with pytest.raises(ValueError, match="predicted f0 must be positive"):
        judge(np.zeros(3), np.ones(3, bool), np.full(3, 55.0))
    with pytest.raises(ValueError, match="true f0 must be finite and not negative"):
        judge(np.full(3, 55.0), np.ones(3, bool), np.array([55.0, np.nan, 0.0]))
