"""The spectral tilt, in dB per octave."""

from collections.abc import Callable

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray

from tonedeaf.benchmarks.tilt import Tilt


def test_pitch_level_and_tilt_differ_independently():
    trials = Tilt().trials(0, 0, 2000)
    drawn = [side[axis].numpy() for side in (trials.target, trials.prediction) for axis in ("pitch", "level", "tilt")]
    assert np.abs(np.corrcoef(drawn) - np.eye(6)).max() < 0.09
    for side in (trials.target, trials.prediction):
        assert scipy.stats.kstest(side["tilt"].numpy() / 12, "uniform").pvalue > 1e-3


def test_target_and_prediction_are_the_tones_they_say(tone: Callable[..., NDArray[np.float64]]):
    task = Tilt(sample_rate=16000)
    trials = task.trials(0, 0, 8)
    for index in range(8):
        pitches = [float(where["pitch"][index]) for where in (trials.target, trials.prediction)]
        top = 2 ** (max(*pitches, pitches[1] + (600 if pitches[1] > pitches[0] else -600)) / 1200)
        number = np.arange(1, 21)
        number = number[number * top < 8000]
        for where, signals, phases in (
            (trials.target, task.render_target(trials), trials.drawn["target_phase"]),
            (
                trials.prediction,
                task.render_prediction(trials, trials.prediction),
                trials.drawn["prediction_phase"][:, 0],
            ),
        ):
            f0, amplitude = 2 ** (float(where["pitch"][index]) / 1200), 10 ** (float(where["level"][index]) / 25)
            falling = 10 ** (-float(where["tilt"][index]) / 20 * np.log2(number))
            expected = amplitude * tone(f0, number, falling, phases[index, : len(number)], task.samples, 16000)
            np.testing.assert_allclose(signals[index].numpy(), expected, atol=1e-9)


def test_moving_the_tilt_keeps_the_level_and_turns_the_spectrum():
    """Amplitudes of partials 1, 2 and 4, each in a bin of its own: apart by the tilt and by twice the tilt."""
    task = Tilt(sample_rate=16000, duration=1.0)
    trials = task.trials(0, 0, 6)
    pitch = torch.full((6,), 1200 * np.log2(100.0), dtype=torch.float64)
    for tilt in (-6.0, 0.0, 18.0):
        where = {**trials.prediction, "pitch": pitch, "tilt": torch.full((6,), tilt, dtype=torch.float64)}
        signals = task.render_prediction(trials, where)
        partials = 20 * torch.fft.rfft(signals).abs()[:, [100, 200, 400]].log10()
        torch.testing.assert_close(partials[:, 0] - partials[:, 1], torch.full((6,), tilt).double(), rtol=0, atol=1e-6)
        torch.testing.assert_close(
            partials[:, 0] - partials[:, 2], torch.full((6,), 2 * tilt).double(), rtol=0, atol=1e-6
        )
        level = 25 * (2 * signals.square().mean(-1)).sqrt().log10()
        torch.testing.assert_close(level, trials.prediction["level"], rtol=0, atol=1e-9)
