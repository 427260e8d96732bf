"""The task ``sines``: what it draws, and that it draws the same whatever the batch."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from tonedeaf.benchmarks.signals import cosine
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.benchmarks.task import BLOCK


def test_columns_are_the_papers():
    assert Sines().columns == (
        "pitch_analytic",
        "pitch_30_cents",
        "pitch_600_cents",
        "level_analytic",
        "level_2_db",
        "level_10_db",
    )


def test_pitch_and_level_are_uniform_and_independent():
    trials = Sines().trials(0, 0, 4000)
    low, high = (1200 * math.log2(f) for f in (30, 4000))
    drawn = [(values["pitch"].numpy() - low) / (high - low) for values in (trials.target, trials.prediction)] + [
        1 + values["level"].numpy() / 25 for values in (trials.target, trials.prediction)
    ]
    for values in drawn:
        assert scipy.stats.kstest(values, "uniform").pvalue > 1e-3
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.06  # 4 standard errors of 1/√4000


def test_level_is_25_log10_of_the_amplitude():
    task = Sines(duration=0.1)
    trials = task.trials(0, 0, 20)
    amplitude = task.render_target(trials).square().mean(-1).mul(2).sqrt()
    # the mean over part of a period: 0.1 s hold 3 periods at least
    torch.testing.assert_close(25 * amplitude.log10(), trials.target["level"], rtol=0, atol=0.6)
    usual = Sines(duration=0.1, level_slope=20)
    ratio = usual.render_target(trials).abs().amax(-1).log10() / task.render_target(trials).abs().amax(-1).log10()
    torch.testing.assert_close(ratio, torch.full_like(ratio, 25 / 20), rtol=1e-2, atol=0)


def test_a_target_is_the_cosine_it_says():
    task = Sines(sample_rate=16000, duration=2.0)
    trials = task.trials(7, 0, 16)
    time = np.arange(32000) / 16000
    for index, signal in enumerate(task.render_target(trials).numpy()):
        frequency = 2 ** (float(trials.target["pitch"][index]) / 1200)
        amplitude = 10 ** (float(trials.target["level"][index]) / 25)
        phase = 2 * np.pi * float(trials.drawn["target_phase"][index])
        np.testing.assert_allclose(signal, amplitude * np.cos(2 * np.pi * frequency * time + phase), atol=1e-9)


def test_trials_do_not_depend_on_how_many_are_asked_for():
    task = Sines()
    everything = task.trials(3, 0, 3 * BLOCK)
    for start, stop in ((0, 1), (5, 9), (BLOCK - 2, BLOCK + 3), (2 * BLOCK, 3 * BLOCK)):
        part, expected = task.trials(3, start, stop), everything[start:stop]
        assert len(part) == stop - start
        for ours, theirs in (
            (part.target, expected.target),
            (part.prediction, expected.prediction),
            (part.drawn, expected.drawn),
        ):
            for name, values in ours.items():
                assert torch.equal(values, theirs[name])


def test_signals_do_not_depend_on_the_batch():
    task = Sines()
    trials = task.trials(0, 0, 12)
    together = task.render_prediction(trials, trials.prediction)
    alone = torch.cat([task.render_prediction(trials[i : i + 1], trials[i : i + 1].prediction) for i in range(12)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: compares its signals with the CPU's")
def test_signals_do_not_depend_on_the_device():
    task = Sines(duration=4.0)
    trials = task.trials(0, 0, 12)
    there = task.render_target(trials.to(torch.device("cuda"))).cpu()
    torch.testing.assert_close(there, task.render_target(trials), rtol=0, atol=1e-6)


def test_seeds_differ():
    assert not torch.equal(Sines().trials(0, 0, 9).target["pitch"], Sines().trials(1, 0, 9).target["pitch"])


def test_trials_are_what_they_always_were():
    """A change here changes every published number: raise the task's version with it."""
    trials = Sines().trials(0, 0, 1)
    found = [trials.target["pitch"], trials.target["level"], trials.prediction["pitch"], trials.prediction["level"]]
    expected = [9072.177246209883, -5.581264049725753, 6154.031236177582, -19.415789300666958]
    torch.testing.assert_close(torch.cat(found), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-9)


def test_a_perturbed_sine_keeps_its_phase_or_draws_its_own():
    for task, same in ((Sines(perturbed_phase="shared"), True), (Sines(perturbed_phase="new"), False)):
        trials = task.trials(0, 0, 4)
        first, second = (task.render_prediction(trials, trials.prediction, take) for take in (0, 1))
        assert torch.equal(first, second) == same


def test_float32_phase_is_the_slip_it_stands_for():
    exact, slip = (Sines(duration=4.0, phase_dtype=dtype) for dtype in ("float64", "float32"))
    trials = exact.trials(0, 0, 50)
    difference = (exact.render_target(trials) - slip.render_target(trials)).abs().amax()
    assert 1e-4 < difference < 0.05


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sample_rate": 8000}, "sample_rate must be at least 11314 Hz .* got 8000"),
        ({"sample_rate": 0}, "sample_rate must be positive"),
        ({"duration": 0}, "duration must be positive"),
        ({"duration": math.inf}, "duration must be positive"),
        ({"fmin": 0}, "0 < fmin < fmax"),
        ({"fmin": 5000}, "got 5000 and 4000"),
        ({"lowest_level": 0}, "lowest_level must be below 0"),
        ({"level_slope": 0}, "level_slope must be positive"),
        ({"perturbed_phase": "old"}, "must be one of shared, new, got 'old'"),
        ({"phase_dtype": "float16"}, "must be one of float64, float32, got 'float16'"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        Sines(**parameters)  # pyright: ignore[reportArgumentType]


def test_an_empty_range_of_trials_is_refused():
    with pytest.raises(ValueError, match="0 <= start < stop"):
        Sines().trials(0, 5, 5)


@pytest.mark.parametrize("samples", [1, 2, 3, 100, 101, 22050])
def test_cosine_is_numpys(samples: int):
    frequency = torch.tensor([0.0, 0.01, 0.1234, 0.4999], dtype=torch.float64)
    phase = torch.tensor([0.0, 0.25, 0.7, 0.1], dtype=torch.float64)
    expected = np.cos(2 * np.pi * (np.outer(frequency, np.arange(samples)) + phase.numpy()[:, None]))
    np.testing.assert_allclose(cosine(frequency, phase, samples).numpy(), expected, atol=1e-10)


def test_cosine_is_accurate_for_minutes():
    samples = 5 * 60 * 44100
    found = cosine(torch.tensor([0.1], dtype=torch.float64), torch.zeros(1, dtype=torch.float64), samples)[0, -5:]
    exact = [math.cos(2 * math.pi * ((n % 10) / 10)) for n in range(samples - 5, samples)]
    np.testing.assert_allclose(found.numpy(), exact, atol=1e-8)


def test_cosines_derivatives_are_central_differences():
    def fifty_samples(frequency: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
        return cosine(frequency, phase, 50)

    frequency = torch.tensor([0.013, 0.31], dtype=torch.float64, requires_grad=True)
    phase = torch.tensor([0.2, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(fifty_samples, (frequency, phase))
