"""Stiff strings."""

from collections.abc import Callable

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from tonedeaf.benchmarks.inharmonic import Inharmonic


def test_stiffness_is_log_uniform_and_drawn_apart():
    drawn = Inharmonic().trials(0, 0, 2000).drawn
    places = [(np.log10(drawn[f"{role}_inharmonicity"].numpy()) + 5) / 2 for role in ("target", "prediction")]
    for values in places:
        assert scipy.stats.kstest(values, "uniform").pvalue > 1e-3
    assert abs(np.asarray(np.corrcoef(places))[0, 1]) < 0.09


def test_partials_are_those_of_a_stiff_string(tone: Callable[..., NDArray[np.float64]]):
    """And both sides have the same partials: those that the stiffer one keeps below half the rate."""
    rate = 16000
    task = Inharmonic(sample_rate=rate)
    trials = task.trials(0, 0, 12)
    drawn = trials.drawn
    number = np.arange(1, 21)
    for index in range(12):
        pitches = [float(where["pitch"][index]) for where in (trials.target, trials.prediction)]
        top = 2 ** (max(*pitches, pitches[1] + (600 if pitches[1] > pitches[0] else -600)) / 1200)
        stiffness = [float(drawn[f"{role}_inharmonicity"][index]) for role in ("target", "prediction")]
        heard = number[number * np.sqrt(1 + max(stiffness) * number**2) * top < rate / 2]
        for b, where, signals, phases in (
            (stiffness[0], trials.target, task.render_target(trials), drawn["target_phase"]),
            (
                stiffness[1],
                trials.prediction,
                task.render_prediction(trials, trials.prediction),
                drawn["prediction_phase"][:, 0],
            ),
        ):
            f0, amplitude = 2 ** (float(where["pitch"][index]) / 1200), 10 ** (float(where["level"][index]) / 25)
            ratios = heard * np.sqrt(1 + b * heard**2)
            expected = amplitude * tone(f0, ratios, 1 / heard, phases[index, : len(heard)], task.samples, rate)
            np.testing.assert_allclose(signals[index].numpy(), expected, atol=1e-9)
