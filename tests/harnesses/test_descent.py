"""Descent: where it leads on distances whose shape is known."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from typing_extensions import override

from tonedeaf.benchmarks.sines import Sines
from tonedeaf.harnesses import descent
from tonedeaf.harnesses.answers import SkippedError
from tonedeaf.harnesses.descent import Paths, kept_steps, measure
from tonedeaf.harnesses.ranking import NonFiniteError
from tonedeaf.harnesses.resources import Resources, opened
from tonedeaf.losses import RepresentationDistance, make

TASK = Sines(duration=0.05)


@pytest.fixture(scope="module")
def resources() -> Iterator[Resources]:
    with opened("cpu", "64MiB") as found:
        yield found


@pytest.fixture(autouse=True)
def _quick_tuning(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """A sixteenth of the time."""
    monkeypatch.setattr(descent, "TUNING_TRIALS", 1)


class _Energy(RepresentationDistance):
    """The difference of levels: deaf to pitch, but for the ripple of part of a period."""

    scale = 1.0

    @override
    def represent(self, signal: Tensor) -> Tensor:
        return 12.5 * signal.square().mean(-1).log10()

    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return self.scale * (prediction - target).square()


class _TinyEnergy(_Energy):
    scale = 2.0**-30


class _Flat(_Energy):
    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return 0 * prediction + 1


class _Broken(_Energy):
    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().compare(prediction, target).sqrt() * torch.nan


class _NoGradient(_Energy):
    differentiable = False


def test_transport_leads_home_and_a_spectrogram_does_not(resources: Resources, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(descent, "RATES", (0.1,))
    task = Sines(duration=0.15, fmin=60)
    found = {
        name: measure(make(name), task, seed=0, trials=6, steps=220, resources=resources).metrics
        for name in ("log_spectral_transport", "spectrogram")
    }
    assert found["log_spectral_transport"]["reached"]["value"] >= 0.95
    assert found["log_spectral_transport"]["median_steps"] < 150
    assert found["spectrogram"]["reached"]["value"] <= 0.7


def test_a_distance_of_level_finds_level_alone(resources: Resources, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(descent, "RATES", (0.1,))
    table = measure(_Energy(), TASK, seed=0, trials=12, steps=300, resources=resources).table
    assert table is not None
    # below a few hundred Hz, 0.05 s hold no whole number of periods, and the energy ripples
    assert (np.abs(table["db"].to_numpy()) < 1).mean() > 0.9
    assert (np.abs(table["cents"].to_numpy()) > 50).mean() > 0.8


def test_the_scale_of_a_distance_does_not_matter(resources: Resources):
    """Scaled by a power of two, in floating point, every step is the same."""
    tables = [
        measure(distance, TASK, seed=0, trials=3, steps=20, resources=resources).table
        for distance in (_Energy(), _TinyEnergy())
    ]
    assert tables[0] is not None
    assert tables[1] is not None
    np.testing.assert_allclose(tables[0]["db"], tables[1]["db"], rtol=1e-9, atol=1e-9)


def test_trials_do_not_touch_each_other(resources: Resources):
    together = measure(_Energy(), TASK, seed=0, trials=5, steps=20, resources=resources).table
    with opened("cpu", "1B") as tight:  # a trial at a time
        alone = measure(_Energy(), TASK, seed=0, trials=5, steps=20, resources=tight).table
    assert together is not None
    assert alone is not None
    # Adam's first steps divide small numbers by small ones: what float32 leaves grows
    np.testing.assert_allclose(together["db"], alone["db"], atol=1e-3)


def test_the_rate_is_the_one_that_reaches_most_on_trials_of_its_own(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
):
    """Steps of 0.001 dB lead nowhere, and the trials that are reported follow the others' choice."""
    monkeypatch.setattr(descent, "RATES", (0.001, 0.2))
    transport = make("log_spectral_transport")
    metrics = measure(transport, Sines(duration=0.15), seed=0, trials=1, steps=60, resources=resources).metrics
    assert metrics["learning_rate"] == 0.2
    assert set(metrics["tuning"]) == {"0.001", "0.2"}


def test_of_rates_that_reach_as_many_the_one_with_fewer_steps_is_taken(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
):
    """The level is found at 0.1 as it is at 0.2, and more closely, but only after twice as many steps."""
    monkeypatch.setattr(descent, "RATES", (0.1, 0.2))
    steps: dict[float, float] = {}
    for rates in ((0.1,), (0.2,), (0.1, 0.2)):
        monkeypatch.setattr(descent, "RATES", rates)
        transport = make("log_spectral_transport")
        metrics = measure(transport, Sines(duration=0.15), seed=0, trials=1, steps=400, resources=resources).metrics
        assert metrics["reached"]["value"] == 1.0
        assert set(metrics["tuning"].values()) == {1.0}
        steps[metrics["learning_rate"]] = metrics["median_steps"]
        if len(rates) == 2:
            assert metrics["learning_rate"] == 0.2
    assert 1.5 < steps[0.1] / steps[0.2] < 2.5


def test_without_a_gradient_nothing_moves(resources: Resources):
    answer = measure(_Flat(), TASK, seed=0, trials=8, steps=5, resources=resources)
    trials = TASK.trials(0, 0, 8)
    assert answer.table is not None
    assert answer.metrics["reached"]["ties"] == 8
    assert answer.metrics["median_steps"] is None
    offsets = (trials.prediction["pitch"] - trials.target["pitch"]).numpy()
    np.testing.assert_allclose(answer.table["cents"], offsets, atol=1e-6)


def test_paths_stay_in_the_range_and_start_at_the_prediction(resources: Resources):
    table = measure(
        make("log_spectral_transport"), Sines(duration=0.2), seed=3, trials=2, steps=60, resources=resources
    )
    assert table.table is not None
    trials = Sines().trials(3, 0, 2)
    for index, row in enumerate(table.table.iter_rows(named=True)):
        pitch = np.array(row["path_cents"]) + float(trials.target["pitch"][index])
        level = np.array(row["path_db"]) + float(trials.target["level"][index])
        assert pitch[0] == pytest.approx(float(trials.prediction["pitch"][index]))
        assert level[0] == pytest.approx(float(trials.prediction["level"][index]))
        assert 1200 * np.log2(30) - 1e-6 <= pitch.min() <= pitch.max() <= 1200 * np.log2(4000) + 1e-6
        assert -25 - 1e-9 <= level.min() <= level.max() <= 1e-9
        assert row["path_step"] == kept_steps(60)
        assert row["cents"] == pytest.approx(row["path_cents"][-1])


def _paths(cents: list[list[float]], decibels: list[list[float]], on_edge: list[bool]) -> Paths:
    quietest = [one[-1] < -5 for one in decibels]
    return Paths(np.array(cents), np.array(decibels), np.array(quietest), np.array(on_edge))


def test_ends_and_steps_by_hand():
    paths = _paths(
        [[900, 60, 50, 0], [900, 40, 60, 49], [0, 0, 0, 0], [20, 20, 20, 20], [0, 0, 0, -1230], [0, 0, 0, 600]],
        [[5, 0, 1, 1], [0, 0, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0], [0, 0, 0, 9], [0, 0, 0, 9]],
        [False, True, False, False, True, True],
    )
    assert paths.ends() == ["reached", "reached", "level", "reached", "octave", "edge"]
    assert paths.settled() == [2, 3, None, 0, None, None]
    assert paths.unmoved.tolist() == [False, False, True, True, False, False]
    assert _paths([[0, 700]], [[0, 0]], [False]).ends() == ["elsewhere"]
    assert _paths([[0, 700]], [[0, -9]], [True]).ends() == ["quietest"]


@pytest.mark.parametrize("steps", [1, 7, 49, 50, 99, 500, 1234])
def test_kept_steps_are_few_and_even(steps: int):
    kept = kept_steps(steps)
    assert kept[0] == 0
    assert kept[-1] == steps
    assert len(kept) <= 101
    assert len({after - before for before, after in itertools.pairwise(kept[:-1])}) <= 1


def test_what_cannot_be_asked_is_said(resources: Resources):
    with pytest.raises(SkippedError, match="not differentiable"):
        measure(_NoGradient(), TASK, seed=0, trials=1, steps=1, resources=resources)
    with pytest.raises(SkippedError, match="needs at least 2048 samples"):
        measure(make("mss"), Sines(duration=0.01), seed=0, trials=1, steps=1, resources=resources)
    with pytest.raises(NonFiniteError, match=r"the gradient is not finite: step 0 of trial \d+"):
        measure(_Broken(), TASK, seed=0, trials=1, steps=1, resources=resources)
