"""Tones whose timbres differ."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import torch
from numpy.typing import NDArray

from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre


def test_envelopes_are_tilted_times_random_gains_drawn_apart():
    drawn = HarmonicTimbre().trials(0, 0, 2000).drawn
    for role in ("target", "prediction"):
        envelope = drawn[f"{role}_envelope"].numpy()
        assert scipy.stats.kstest(envelope[:, 0] - 0.25, "uniform").pvalue > 1e-3  # partial 1: the gain alone
        # the exponent is the slope on log h, but for the gains' own: log U(0.25, 1.25) has a deviation of 0.45
        log_h = np.log(np.arange(1, 21))
        slopes = np.polyfit(log_h, np.log(envelope).T, 1)[0]
        assert abs(slopes.mean() + 1) < 0.05
        noise = 0.45 / np.sqrt(((log_h - log_h.mean()) ** 2).sum())
        assert slopes.std() == pytest.approx(np.hypot(2 / np.sqrt(12), noise), abs=0.03)
    target, prediction = drawn["target_envelope"], drawn["prediction_envelope"]
    assert abs(np.corrcoef(target[:, 0], prediction[:, 0])[0, 1]) < 0.09
    assert abs(np.corrcoef(target[:, 9], prediction[:, 9])[0, 1]) < 0.09


@pytest.mark.parametrize("rate", [44100, 16000])
def test_target_and_prediction_are_the_tones_they_say(tone: Callable[..., NDArray[np.float64]], rate: int):
    task = HarmonicTimbre(sample_rate=rate)
    trials = task.trials(1, 0, 8)
    drawn = trials.drawn
    for index in range(8):
        pitches = [float(where["pitch"][index]) for where in (trials.target, trials.prediction)]
        top = 2 ** (max(*pitches, pitches[1] + (600 if pitches[1] > pitches[0] else -600)) / 1200)
        heard = int((np.arange(1, 21) * top < rate / 2).sum())
        for role, where, signals, phases in (
            ("target", trials.target, task.render_target(trials), drawn["target_phase"]),
            (
                "prediction",
                trials.prediction,
                task.render_prediction(trials, trials.prediction),
                drawn["prediction_phase"][:, 0],
            ),
        ):
            f0, amplitude = 2 ** (float(where["pitch"][index]) / 1200), 10 ** (float(where["level"][index]) / 25)
            envelope = drawn[f"{role}_envelope"][index, :heard].numpy()
            number = np.arange(1, heard + 1)
            expected = amplitude * tone(f0, number, envelope, phases[index, :heard], task.samples, rate)
            np.testing.assert_allclose(signals[index].numpy(), expected, atol=1e-9)


def test_timbres_differ_between_target_and_prediction():
    drawn = HarmonicTimbre().trials(0, 0, 4).drawn
    assert not torch.equal(drawn["target_envelope"], drawn["prediction_envelope"])
