"""The closed form of vibrato: against numerical integration by scipy."""

import math

import pytest
import torch
from scipy.integrate import quad

from tonedeaf.benchmarks.signals import vibrato_time

SAMPLE_RATE = 1000


@pytest.mark.parametrize(("rate", "depth"), [(5.0, 50.0), (7.0, 1200.0), (0.3, 1.0)])
def test_it_is_the_integral(rate: float, depth: float):
    phases = torch.tensor([0.0, 0.3, 0.77], dtype=torch.float64)
    found = vibrato_time(phases, rate=rate, depth=depth, sample_rate=SAMPLE_RATE, samples=701) / SAMPLE_RATE

    def speed(time: float, phase: float) -> float:
        return 2 ** (depth / 1200 * math.sin(2 * math.pi * (rate * time + phase)))

    for phase, times in zip(phases.tolist(), found.tolist(), strict=True):
        for sample in (0, 1, 100, 333, 700):
            expected, _ = quad(speed, 0, sample / SAMPLE_RATE, args=(phase,), epsabs=1e-13, epsrel=1e-13, limit=200)
            assert times[sample] == pytest.approx(expected, abs=1e-12)


def test_without_depth_it_is_time():
    phases = torch.tensor([0.1, 0.6], dtype=torch.float64)
    found = vibrato_time(phases, rate=5.0, depth=0.0, sample_rate=SAMPLE_RATE, samples=9)
    assert torch.equal(found, torch.arange(9).double().expand(2, -1))
