"""Tones that sway and die away."""

import numpy as np
import pytest
import scipy.stats
import torch

from tonedeaf.benchmarks.vibrato import Vibrato


def test_vibrato_and_decay_are_drawn_apart():
    drawn = Vibrato().trials(0, 0, 2000).drawn
    places = [drawn[f"{role}_vibrato"].numpy() for role in ("target", "prediction")]
    places += [np.log10(drawn[f"{role}_decay"].numpy() / 0.2) for role in ("target", "prediction")]
    for values in places:
        assert scipy.stats.kstest(values, "uniform").pvalue > 1e-3
    assert np.abs(np.corrcoef(places) - np.eye(4)).max() < 0.09


@pytest.mark.parametrize("rate", [44100, 16000])
def test_a_target_is_the_tone_it_says(rate: int):
    """The phase by Gauss-Legendre integration of the frequency from sample to sample, which is exact to 1e-15 here."""
    task = Vibrato(sample_rate=rate)
    trials = task.trials(0, 0, 8)
    drawn, time = trials.drawn, np.arange(task.samples) / rate
    nodes, weights = np.polynomial.legendre.leggauss(5)
    between = (time[:-1, None] + (nodes + 1) / 2 / rate) if len(time) > 1 else time[:, None]
    for index, signal in enumerate(task.render_target(trials).numpy()):
        pitches = [float(where["pitch"][index]) for where in (trials.target, trials.prediction)]
        top = 2 ** ((max(*pitches, pitches[1] + (600 if pitches[1] > pitches[0] else -600)) + 50) / 1200)
        heard = int((np.arange(1, 21) * top < rate / 2).sum())
        sway = np.sin(2 * np.pi * (5 * between + float(drawn["target_vibrato"][index])))
        steps = (2 ** (50 / 1200 * sway) * weights).sum(1) / 2 / rate
        cycles = 2 ** (pitches[0] / 1200) * np.concatenate(([0], np.cumsum(steps)))
        number = np.arange(1, heard + 1)
        phases = drawn["target_phase"][index, :heard].numpy()
        wave = drawn["target_envelope"][index, :heard].numpy() @ np.cos(
            2 * np.pi * (number[:, None] * cycles + phases[:, None])
        )
        wave *= np.exp(-time / float(drawn["target_decay"][index]))
        wave *= 10 ** (float(trials.target["level"][index]) / 25) / np.sqrt(2 * (wave**2).mean())
        np.testing.assert_allclose(signal, wave, atol=1e-9)


def test_level_is_exactly_that_of_the_rms_wherever_the_pitch():
    task = Vibrato(duration=0.2)
    trials = task.trials(0, 0, 8)
    for pitch in (trials.prediction["pitch"], trials.prediction["pitch"] + 600):
        signals = task.render_prediction(trials, {**trials.prediction, "pitch": pitch})
        level = 25 * (2 * signals.square().mean(-1)).sqrt().log10()
        torch.testing.assert_close(level, trials.prediction["level"], rtol=0, atol=1e-9)
