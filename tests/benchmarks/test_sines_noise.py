"""Sines whose targets are noisy."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from tonedeaf.benchmarks.sines_noise import SinesNoise


def test_only_the_target_has_noise_of_minus_45_dbfs(tone: Callable[..., NDArray[np.float64]]):
    task = SinesNoise(duration=1.0)
    trials = task.trials(0, 0, 8)
    for index, (target, prediction) in enumerate(
        zip(task.render_target(trials), task.render_prediction(trials, trials.prediction), strict=True)
    ):
        sines = []
        for where, phase in (
            (trials.target, trials.drawn["target_phase"][index]),
            (trials.prediction, trials.drawn["prediction_phase"][index, 0]),
        ):
            f0, amplitude = 2 ** (float(where["pitch"][index]) / 1200), 10 ** (float(where["level"][index]) / 25)
            sines.append(amplitude * torch.from_numpy(tone(f0, [1], [1], [float(phase)], task.samples, 44100)))
        noise = target - sines[0]
        # the deviation of 44,100 normal numbers, to 5 standard errors
        assert abs(20 * float(noise.square().mean().sqrt().log10()) + 45) < 0.15
        assert abs(float(torch.corrcoef(torch.stack((noise, sines[0])))[0, 1])) < 0.025
        torch.testing.assert_close(prediction, sines[1], rtol=0, atol=1e-9)
