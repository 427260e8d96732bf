"""What every task of the ladder promises."""

import math

import pytest
import torch
from torch import Tensor

from tonedeaf.benchmarks import TASKS, Task, Trials
from tonedeaf.benchmarks.task import BLOCK
from tonedeaf.benchmarks.tone import ToneTask
from tonedeaf.harnesses.tasks import make_task

LADDER = (
    "sines",
    "sines_noise",
    "harmonic",
    "harmonic_timbre",
    "missing_fundamental",
    "odd_emphasis",
    "inharmonic",
    "harmonic_noise",
    "vibrato",
    "bass_notes",
    "in_mix",
    "tilt",
)
RATES = (16000.0, 44100.0)
PITCH = ("pitch_analytic", "pitch_30_cents", "pitch_600_cents")
LEVEL = ("level_analytic", "level_2_db", "level_10_db")


def _task(name: str, **parameters: float | str) -> ToneTask:
    task = make_task(name, {"duration": 0.1, **parameters}).task
    if task.unavailable:
        pytest.skip(task.unavailable)
    assert isinstance(task, ToneTask)
    return task


def _columns_of(trials: Trials) -> list[Tensor]:
    return [values for group in (trials.target, trials.prediction, trials.drawn) for values in group.values()]


def _render(task: Task, trials: Trials) -> Tensor:
    """All signals of a ranking: target, prediction, and its perturbed versions."""
    signals = [task.render_target(trials), task.render_prediction(trials, trials.prediction)]
    take = 0
    for axis in task.axes:
        away = (trials.prediction[axis.name] - trials.target[axis.name]).sign()
        for step in axis.steps:
            take += 1
            moved = {**trials.prediction, axis.name: trials.prediction[axis.name] + step * away}
            signals.append(task.render_prediction(trials, moved, take))
    return torch.stack(signals)


def test_the_ladder_is_the_table_of_tasks():
    assert tuple(TASKS) == LADDER


@pytest.mark.parametrize("name", LADDER)
def test_columns_versions_and_durations_are_the_designs(name: str):
    task = make_task(name, {}).task
    expected = {
        "bass_notes": (*PITCH[1:], *LEVEL[1:]),
        "tilt": (*PITCH, "tilt_analytic", "tilt_1_db", "tilt_6_db"),
    }
    assert task.columns == expected.get(name, (*PITCH, *LEVEL))
    assert (task.name, task.version, task.duration) == (name, 1, 0.5)


@pytest.mark.parametrize("name", LADDER)
@pytest.mark.parametrize("rate", RATES)
def test_signals_are_finite_float64_and_of_the_length_asked(name: str, rate: float):
    task = _task(name, sample_rate=rate)
    signals = _render(task, task.trials(0, 0, 8))
    assert signals.shape == (2 + task.takes - 1, 8, round(0.1 * rate))
    assert signals.dtype == torch.float64
    assert torch.isfinite(signals).all()
    assert (signals.square().mean(-1) > 0).all()


@pytest.mark.parametrize("name", LADDER)
def test_trials_do_not_depend_on_how_many_are_asked_for(name: str):
    task = _task(name)
    everything = _columns_of(task.trials(3, 0, BLOCK + 4))
    for start, stop in ((0, 1), (5, 9), (BLOCK - 2, BLOCK + 3)):
        part = _columns_of(task.trials(3, start, stop))
        assert all(torch.equal(ours, theirs[start:stop]) for ours, theirs in zip(part, everything, strict=True))
    other = task.trials(4, 0, 5)
    assert not torch.equal(other.prediction["pitch"], task.trials(3, 0, 5).prediction["pitch"])


@pytest.mark.parametrize("name", LADDER)
def test_signals_do_not_depend_on_the_batch(name: str):
    task = _task(name)
    trials = task.trials(0, 0, 6)
    alone = torch.cat([_render(task, trials[i : i + 1]) for i in reversed(range(6))], dim=1).flip(1)
    torch.testing.assert_close(_render(task, trials), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", LADDER)
def test_signals_are_those_of_every_device(name: str):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device: compares its signals with the CPU's")
    task = _task(name, duration=0.5)
    trials = task.trials(0, 0, 6)
    theirs = _render(task, trials.to(torch.device("cuda"))).cpu()
    torch.testing.assert_close(theirs, _render(task, trials), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", LADDER)
def test_derivatives_are_central_differences(name: str):
    task = _task(name, duration=0.05)
    trials = task.trials(2, 0, 4)
    weights = torch.randn(4, task.samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def measured(coordinates: dict[str, Tensor]) -> Tensor:
        return (weights * task.render_prediction(trials, coordinates)).sum(-1)

    start = {axis: values.clone().requires_grad_() for axis, values in trials.prediction.items()}
    slopes = torch.autograd.grad(measured(start).sum(), list(start.values()))
    for axis, slope in zip(start, slopes, strict=True):
        step = 1e-4
        ahead, behind = (
            measured({**trials.prediction, axis: trials.prediction[axis] + sign * step}) for sign in (1, -1)
        )
        # absolute: where a slope happens to be small, the difference quotient keeps an error of step²
        torch.testing.assert_close(
            slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-5 * float(slope.abs().max())
        )


@pytest.mark.parametrize("name", [name for name in LADDER if "noise" not in name and name != "in_mix"])
@pytest.mark.parametrize("rate", RATES)
def test_level_is_that_of_a_sine_of_the_same_power(name: str, rate: float):
    """Over 2 s, cross terms between partials (and a sine's broken last period) are below 0.2 dB."""
    task = _task(name, sample_rate=rate, duration=2.0)
    trials = task.trials(0, 0, 12)
    for signal, where in (
        (task.render_target(trials), trials.target),
        (task.render_prediction(trials, trials.prediction), trials.prediction),
    ):
        level = 25 * (2 * signal.square().mean(-1)).sqrt().log10()
        torch.testing.assert_close(level, where["level"], rtol=0, atol=0.2)


@pytest.mark.parametrize("name", LADDER[2:])
@pytest.mark.parametrize("rate", RATES)
def test_a_perturbation_of_pitch_adds_and_removes_no_partial(name: str, rate: float):
    """The derivative with respect to time-independent amplitudes would show it: here, the spectrum that is rendered."""
    task = _task(name, sample_rate=rate)
    trials = task.trials(0, 0, 64)
    away = (trials.prediction["pitch"] - trials.target["pitch"]).sign()
    spectra = [
        task.spectrum(trials, "prediction", {**trials.prediction, "pitch": trials.prediction["pitch"] + step * away})  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
        for step in (0, 30, 600)
    ]
    assert torch.equal(spectra[0], spectra[1])
    assert torch.equal(spectra[0], spectra[2])


@pytest.mark.parametrize("name", LADDER)
def test_new_phases_are_drawn_where_a_suite_asks(name: str):
    shared, new = (_task(name, perturbed_phase=phase) for phase in ("shared", "new"))
    trials = shared.trials(0, 0, 3)
    for task, same in ((shared, True), (new, False)):
        first, second = (task.render_prediction(trials, trials.prediction, take) for take in (0, task.takes - 1))
        assert torch.equal(first, second) == same


@pytest.mark.parametrize("name", LADDER[2:])
def test_a_sample_rate_without_room_for_two_partials_is_refused(name: str):
    least = math.ceil(4 * (250 if name == "in_mix" else 1000) * 2**0.5)
    make_task(name, {"sample_rate": float(least)})
    with pytest.raises(ValueError, match=f"sample_rate must be at least {least} Hz for {name} .* got {least - 1}"):
        make_task(name, {"sample_rate": float(least - 1)})


def test_bad_numbers_of_partials_are_refused():
    with pytest.raises(ValueError, match="n_partials must be at least 2, got 1"):
        make_task("harmonic[n_partials=1]", {})
