"""Transport between posteriors: intervals in octaves, against POT."""

import math

import numpy as np
import ot  # pyright: ignore[reportMissingTypeStubs]
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make


def a_tone(f0: float, rate: float = 44100) -> Tensor:
    return 0.3 * torch.sin(2 * math.pi * f0 * torch.arange(22050, dtype=torch.float64) / rate).unsqueeze(0)


@pytest.mark.parametrize("name", ["crepe_posterior", "crepe_posterior[order=2]", "pesto_posterior"])
def test_number_is_that_of_optimal_transport(name: str):
    distance = make(name)
    ours, theirs = (distance.represent(a_tone(f0)) for f0 in (220.0, 250.0))
    steps_an_octave = 60 if name.startswith("crepe") else 36
    places = np.arange(ours.shape[-1]) / steps_an_octave
    order = 2 if "order=2" in name else 1
    expected = np.mean(
        [
            ot.wasserstein_1d(places, places, a, b, p=order)
            for a, b in zip(ours[0].numpy(), theirs[0].numpy(), strict=True)
        ]
    )
    assert float(distance.compare(ours, theirs)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("name", "tolerance"), [("crepe_posterior", 0.1), ("pesto_posterior", 0.03)])
def test_two_pitches_are_their_interval_apart(name: str, tolerance: float):
    for interval in (0.5, 1.0, 1.5):
        found = float(make(name)(a_tone(150 * 2**interval), a_tone(150)))
        assert found == pytest.approx(interval, abs=tolerance)


@pytest.mark.parametrize("name", ["crepe_posterior", "pesto_posterior"])
def test_posteriors_are_distributions(name: str):
    for signal in (a_tone(220), torch.zeros(1, 22050, dtype=torch.float64)):
        posterior = make(name).represent(signal)
        assert (posterior >= 0).all()
        torch.testing.assert_close(posterior.sum(-1), torch.ones_like(posterior[..., 0]))


def test_bad_parameters():
    with pytest.raises(ValueError, match="order of crepe_posterior must be one of 1, 2, got '3'"):
        make("crepe_posterior[order=3]")
