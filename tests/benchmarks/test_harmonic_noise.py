"""Harmonic tones whose targets are noisy."""

import torch

from tonedeaf.benchmarks.harmonic_noise import HarmonicNoise
from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre


def test_the_targets_signal_to_noise_ratio_is_10_db():
    task, quiet = HarmonicNoise(duration=1.0), HarmonicTimbre(duration=1.0)
    trials = task.trials(0, 0, 8)
    clean = quiet.render_target(trials)
    noise = task.render_target(trials) - clean
    nominal = 10 ** (trials.target["level"] / 25) / 2**0.5
    ratio = 20 * (nominal / noise.square().mean(-1).sqrt()).log10()
    # the deviation of 44,100 normal numbers, to 5 standard errors
    torch.testing.assert_close(ratio, torch.full_like(ratio, 10.0), rtol=0, atol=0.15)
    assert len({round(float(first), 9) for first in noise[:, 0] / nominal}) == 8


def test_the_prediction_is_clean():
    task, quiet = HarmonicNoise(), HarmonicTimbre()
    trials = task.trials(0, 0, 4)
    assert torch.equal(
        task.render_prediction(trials, trials.prediction), quiet.render_prediction(trials, trials.prediction)
    )
