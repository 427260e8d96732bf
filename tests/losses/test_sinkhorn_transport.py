"""The Sinkhorn divergence is the one of POT's plans, and grows with the interval and the delay."""

import math
from typing import Any

import numpy as np
import ot
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tonedeaf.losses.sinkhorn_transport import SinkhornTransport, sinkhorn_divergence

_RATE = 16000
_EPSILON = 0.16
_ROWS = 0.3 * torch.arange(4, dtype=torch.float64)
_COLUMNS = 0.5 * torch.arange(6, dtype=torch.float64)


def _square_distances(places: Tensor) -> Tensor:
    return (places[:, None] - places) ** 2


def _measures() -> Tensor:
    """Two measures on a 4 × 6 grid: ``(2, 1, 4, 6)``."""
    masses = torch.rand(2, 1, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 4
    return masses / masses.sum((-2, -1), keepdim=True)


def _pot(a: NDArray[np.float64], b: NDArray[np.float64], cost: NDArray[np.float64]) -> float:
    """``min ⟨π, c⟩ + ε KL(π | a ⊗ b)`` from POT's plan."""
    plan = np.asarray(ot.sinkhorn(a, b, cost, _EPSILON, method="sinkhorn_log", numItermax=20000, stopThr=1e-13))
    return float((plan * cost).sum() + _EPSILON * (plan * np.log(plan / np.outer(a, b))).sum())


def _divergence(prediction: Tensor, target: Tensor, iterations: int) -> Tensor:
    costs = _square_distances(_ROWS), _square_distances(_COLUMNS)
    return sinkhorn_divergence(prediction, target, costs, epsilon=_EPSILON, iterations=iterations)


def test_divergence_is_pots():
    prediction, target = _measures()
    points = np.stack(np.meshgrid(_ROWS.numpy(), _COLUMNS.numpy(), indexing="ij"), -1).reshape(-1, 2)
    a, b = prediction.numpy().ravel(), target.numpy().ravel()
    cost = np.asarray(ot.dist(points, points))
    expected = _pot(a, b, cost) - _pot(a, a, cost) / 2 - _pot(b, b, cost) / 2
    assert _divergence(prediction, target, 3000).item() == pytest.approx(expected, rel=1e-7)
    # geomloss 0.3.1, twice SamplesLoss("sinkhorn", p=2, blur=0.4/√2, scaling=0.99), which stops a little early itself
    assert _divergence(prediction, target, 3000).item() == pytest.approx(0.2359553, rel=2e-3)


def test_divergence_tends_to_the_squared_wasserstein_distance():
    prediction, target = _measures()
    points = np.stack(np.meshgrid(_ROWS.numpy(), _COLUMNS.numpy(), indexing="ij"), -1).reshape(-1, 2)
    exact: Any = ot.emd2(prediction.numpy().ravel(), target.numpy().ravel(), ot.dist(points, points))
    costs = _square_distances(_ROWS), _square_distances(_COLUMNS)
    found = sinkhorn_divergence(prediction, target, costs, epsilon=0.003, iterations=3000)
    assert found.item() == pytest.approx(float(exact), rel=2e-2)


@pytest.mark.parametrize("iterations", [1, 2, 20])
def test_divergence_is_exactly_zero_at_equality(iterations: int):
    prediction, _ = _measures()
    assert _divergence(prediction, prediction.clone(), iterations).item() == 0


def test_gradient_is_the_derivative_at_few_iterations():
    prediction, target = _measures()
    assert torch.autograd.gradcheck(lambda free: _divergence(free, target, 4), prediction.requires_grad_(), atol=1e-6)


def test_empty_grid_lines_have_a_finite_gradient():
    prediction, target = _measures()
    prediction[..., 2] = target[..., 2] = 0
    leaf = prediction.requires_grad_()
    (gradient,) = torch.autograd.grad(_divergence(leaf, target, 20).sum(), leaf)
    assert gradient.isfinite().all()


def _note(frequency: float, *, start: float = 0.0, amplitude: float = 0.5) -> Tensor:
    """A short bump of a tone."""
    time = torch.arange(16000, dtype=torch.float64) / _RATE
    envelope = torch.exp(-(((time - 0.3 - start) / 0.05) ** 2))
    return (amplitude * envelope * torch.sin(2 * math.pi * frequency * time)).unsqueeze(0)


def test_distance_is_the_divergence_of_the_measures():
    distance = SinkhornTransport(sample_rate=_RATE, octaves_per_second=3, blur=0.3, iterations=9, level_weight=0)
    noise = 0.1 * torch.randn(1, 16000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (ours, _), (theirs, _) = distance.measure(_note(440)), distance.measure(noise)
    places = distance.measure.times(ours.shape[1]), distance.measure.octaves
    time, octave = (_square_distances(torch.as_tensor(axis)) for axis in places)
    expected = sinkhorn_divergence(ours, theirs, (time, octave), epsilon=0.3**2, iterations=9)
    assert distance(_note(440), noise).item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("octaves", [0.5, 1.0, 3.0])
def test_a_higher_note_costs_the_square_of_its_interval(octaves: float):
    distance = SinkhornTransport(sample_rate=_RATE, level_weight=0)
    assert distance(_note(440 * 2**octaves), _note(440)).item() == pytest.approx(octaves**2, rel=0.01)


def test_a_later_note_costs_the_square_of_its_delay():
    distance = SinkhornTransport(sample_rate=_RATE, octaves_per_second=4, level_weight=0)
    assert distance(_note(440, start=0.25), _note(440)).item() == pytest.approx(1, rel=0.01)


def test_level_counts_once():
    note = _note(440)
    assert SinkhornTransport(sample_rate=_RATE, level_weight=0)(0.5 * note, note).item() < 1e-3
    found = SinkhornTransport(sample_rate=_RATE, level_weight=0.25)(0.5 * note, note).item()
    assert found == pytest.approx(0.25 * 20 * math.log10(2), rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"blur": 0.0}, "blur must be positive .octaves., got 0"),
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"level_weight": -1.0}, "level_weight must be at least 0 .squared octaves per dB., got -1"),
        ({"time_step": -1.0}, "time_step must be positive .seconds., or none, got -1"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        SinkhornTransport(**parameters)  # pyright: ignore[reportArgumentType]
