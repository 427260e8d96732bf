"""Sums of partials: against the formula, written out in numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tonedeaf.benchmarks.signals import harmonics_along, partials

SAMPLES = [1, 2, 3, 100, 22050]


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _formula(cycles: NDArray[np.float64], amplitudes: Tensor, phases: Tensor) -> NDArray[np.float64]:
    """Of cycles ``(batch, partials, samples)``."""
    waves = np.cos(2 * np.pi * (cycles + phases.numpy()[..., None]))
    return (amplitudes.numpy()[..., None] * waves).sum(1)


@pytest.mark.parametrize("samples", [*SAMPLES, 88200])
def test_partials_are_the_formula(samples: int):
    frequencies, amplitudes, phases = 0.5 * _drawn(3, 20), _drawn(3, 20, seed=1), _drawn(3, 20, seed=2)
    expected = _formula(frequencies.numpy()[..., None] * np.arange(float(samples)), amplitudes, phases)
    found = partials(frequencies, amplitudes, phases, samples)
    # 88,200 samples are 44,100 cycles: numpy's own angle is then off by 4e-11
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def test_one_spectrum_does_for_all():
    frequencies, amplitudes, phases = 0.5 * _drawn(3, 5), _drawn(1, 5, seed=1), _drawn(3, 5, seed=2)
    each = partials(frequencies, amplitudes.expand(3, -1), phases, 50)
    torch.testing.assert_close(partials(frequencies, amplitudes, phases, 50), each, rtol=0, atol=0)


def test_derivatives_of_partials_are_central_differences():
    arguments = [_drawn(2, 4, seed=seed).requires_grad_() for seed in range(3)]
    assert torch.autograd.gradcheck(lambda f, a, p: partials(0.5 * f, a, p, 50), arguments)


@pytest.mark.parametrize("samples", SAMPLES)
def test_harmonics_follow_any_fundamental(samples: int):
    cycles = torch.cumsum(0.02 * _drawn(3, samples), dim=-1)  # as uneven as can be
    amplitudes, phases = _drawn(3, 20, seed=1), _drawn(3, 20, seed=2)
    number = np.arange(1.0, 21.0)[:, None]
    expected = _formula(number * cycles.numpy()[:, None], amplitudes, phases)
    np.testing.assert_allclose(harmonics_along(cycles, amplitudes, phases).numpy(), expected, atol=1e-9)


def test_harmonics_of_a_steady_fundamental_are_partials():
    frequency, amplitudes, phases = 0.02 * _drawn(3, 1), _drawn(3, 20, seed=1), _drawn(3, 20, seed=2)
    steady = partials(frequency * torch.arange(1, 21), amplitudes, phases, 3000)
    cycles = frequency * torch.arange(3000)
    torch.testing.assert_close(harmonics_along(cycles, amplitudes, phases), steady, rtol=0, atol=1e-9)


def test_derivatives_of_harmonics_are_central_differences():
    amplitudes, phases = _drawn(2, 6, seed=1), _drawn(2, 6, seed=2)
    cycles = (3 * _drawn(2, 20)).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: harmonics_along(c, amplitudes, phases), [cycles])
