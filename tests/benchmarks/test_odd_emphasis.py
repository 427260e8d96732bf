"""Tones of odd partials, with a weak fundamental."""

import math

import torch
from torch import Tensor

from tonedeaf.benchmarks import Trials
from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre
from tonedeaf.benchmarks.odd_emphasis import OddEmphasis

GAINS = torch.tensor([0.2, 0.05] + 9 * [1.0, 0.05], dtype=torch.float64)


def _amplitudes(task: HarmonicTimbre, trials: Trials) -> Tensor:
    """Of the partials of targets and predictions of 200 Hz and 1 s: each partial has a bin of its own."""
    signals = torch.cat((task.render_target(trials), task.render_prediction(trials, trials.prediction)))
    return torch.fft.rfft(signals).abs()[:, 200:4001:200]


def test_even_partials_and_the_fundamental_are_weak_on_both_sides_and_the_power_stays():
    task, full = OddEmphasis(duration=1.0), HarmonicTimbre(duration=1.0)
    drawn = task.trials(0, 0, 8)
    pitch = torch.full((8,), 1200 * math.log2(200), dtype=torch.float64)
    trials = Trials({**drawn.target, "pitch": pitch}, {**drawn.prediction, "pitch": pitch}, drawn.drawn)
    ours, expected = _amplitudes(task, trials), _amplitudes(full, trials) * GAINS
    # both have the power of a sine of the same level
    expected = expected * (ours.square().sum(-1) / expected.square().sum(-1)).sqrt().unsqueeze(-1)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-6)
    full_power = _amplitudes(full, trials).square().sum(-1)
    torch.testing.assert_close(ours.square().sum(-1), full_power, rtol=1e-9, atol=0)
