"""A tone under a triad."""

from collections.abc import Callable

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray

from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre
from tonedeaf.benchmarks.in_mix import InMix


def test_the_triad_is_major_or_minor_and_one_to_two_octaves_above():
    cents = InMix().trials(0, 0, 2000).drawn["triad_cents"].numpy()
    assert scipy.stats.kstest((cents[:, 0] - 1200) / 1200, "uniform").pvalue > 1e-3
    thirds, fifths = (cents[:, 1:] - cents[:, :1]).T.round(9)
    assert set(thirds) == {300.0, 400.0}
    assert abs((thirds == 400).mean() - 0.5) < 0.05
    assert set(fifths) == {700.0}


def test_f0_is_low():
    pitch = InMix().trials(0, 0, 1000).target["pitch"]
    assert 2 ** (float(pitch.min()) / 1200) < 32
    assert 220 < 2 ** (float(pitch.max()) / 1200) <= 250


def test_the_triad_is_6_db_below_the_tone_and_the_prediction_is_alone(tone: Callable[..., NDArray[np.float64]]):
    rate = 16000
    task, alone = InMix(sample_rate=rate, duration=1.0), HarmonicTimbre(sample_rate=rate, duration=1.0, fmax=250)
    trials = task.trials(0, 0, 8)
    drawn = trials.drawn
    triads = task.render_target(trials) - alone.render_target(trials)
    for index, triad in enumerate(triads.numpy()):
        expected = np.zeros(rate)
        amplitude = 10 ** (float(trials.target["level"][index]) / 25)
        for note in range(3):
            f0 = 2 ** ((float(trials.target["pitch"][index]) + float(drawn["triad_cents"][index, note])) / 1200)
            number = np.arange(1, 1 + min(20, int(np.ceil(rate / 2 / f0)) - 1))
            envelope, phases = (drawn[f"triad_{what}"][index, note, : len(number)] for what in ("envelope", "phase"))
            # a third of the triad's power each
            expected += 10 ** (-6 / 20) / 3**0.5 * amplitude * tone(f0, number, envelope, phases, rate, rate)
        np.testing.assert_allclose(triad, expected, atol=1e-9)
        # notes of a triad share partials, which beat
        assert abs(10 * np.log10((triad**2).mean() / (amplitude**2 / 2)) + 6) < 1
    assert torch.equal(
        task.render_prediction(trials, trials.prediction), alone.render_prediction(trials, trials.prediction)
    )
