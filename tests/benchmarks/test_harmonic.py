"""Harmonic tones of one envelope."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.benchmarks.harmonic import Harmonic, unit_power


@pytest.mark.parametrize(("rate", "duration"), [(44100, 0.5), (16000, 2.0)])
def test_target_and_prediction_are_the_tones_they_say(
    tone: Callable[..., NDArray[np.float64]], rate: int, duration: float
):
    task = Harmonic(sample_rate=rate, duration=duration)
    trials = task.trials(7, 0, 8)
    sides = (
        (task.render_target(trials), trials.target, trials.drawn["target_phase"]),
        (
            task.render_prediction(trials, trials.prediction),
            trials.prediction,
            trials.drawn["prediction_phase"][:, 0],
        ),
    )
    for index in range(8):
        pitches = [float(where["pitch"][index]) for _, where, _ in sides]
        top = 2 ** (max(*pitches, pitches[1] + (600 if pitches[1] > pitches[0] else -600)) / 1200)
        heard = np.arange(1, 21)
        heard = heard[heard * top < rate / 2]  # the same in both, whatever their own f0
        for signals, where, phases in sides:
            f0, amplitude = 2 ** (float(where["pitch"][index]) / 1200), 10 ** (float(where["level"][index]) / 25)
            expected = amplitude * tone(f0, heard, 1 / heard, phases[index, : len(heard)], task.samples, rate)
            np.testing.assert_allclose(signals[index].numpy(), expected, atol=1e-9)


def test_f0_is_uniform_from_30_to_1000_hz():
    pitch = torch.cat(
        [Harmonic().trials(0, 0, 2000).target["pitch"], Harmonic().trials(0, 0, 2000).prediction["pitch"]]
    )
    low, high = (1200 * np.log2(f) for f in (30, 1000))
    places = (pitch - low) / (high - low)
    assert places.min() >= 0
    assert places.max() <= 1
    # the largest gap between the empirical and the uniform distribution: 2.2/√4000 is exceeded once in 10,000
    steps = torch.arange(1, 4001) / 4000
    assert float((places.sort().values - steps).abs().max()) < 2.2 / 4000**0.5


def test_beyond_the_trials_own_pitch_no_partial_is_folded_and_the_power_stays():
    task = Harmonic(sample_rate=16000, duration=1.0)
    trials = task.trials(0, 0, 6)
    high = {**trials.prediction, "pitch": torch.full((6,), 1200 * np.log2(3001.0), dtype=torch.float64)}
    signals = task.render_prediction(trials, high)
    levels = 25 * (2 * signals.square().mean(-1)).sqrt().log10()
    torch.testing.assert_close(levels, trials.prediction["level"], rtol=0, atol=0.05)
    spectrum = torch.fft.rfft(signals).abs()
    heard = spectrum[:, [3001, 6002]].square().sum(-1) / spectrum.square().sum(-1)
    torch.testing.assert_close(heard, torch.ones_like(heard), rtol=0, atol=1e-9)


def test_unit_power_of_nothing_is_nothing():
    assert torch.equal(unit_power(torch.zeros(2, 3)), torch.zeros(2, 3))
