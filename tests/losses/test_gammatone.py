"""Gammatone distances, against nnAudio."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from nnAudio.features.gammatone import Gammatonegram
from scipy.signal import freqz, gammatone
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.gammatone import Gammatone


def _noise(samples: int) -> Tensor:
    return 0.3 * torch.randn(2, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("sample_rate", "power"), [(44100, 2.0), (16000, 1.0)])
def test_representation_is_nnaudios(sample_rate: int, power: float):
    ours = make(f"gammatone[power={power}]", sample_rate=sample_rate)
    assert isinstance(ours, Gammatone)
    reference = Gammatonegram(sr=sample_rate, power=power, center=False, verbose=False)
    expected = reference(_noise(6000)).transpose(1, 2)
    # nnAudio's transform multiplies by sines and cosines in float32: its smallest bands have few digits
    torch.testing.assert_close(
        ours.represent(_noise(6000)), expected, rtol=1e-3, atol=1e-5 * expected.abs().max().item()
    )


def test_a_row_is_the_response_of_scipys_gammatone_filter():
    """Shape and place of the peak; SciPy's filter sets its bandwidth a little differently: 10 % of the peak."""
    ours = make("gammatone[fmin=100]", sample_rate=16000)
    assert isinstance(ours, Gammatone)
    filters = ours._filters(torch.zeros(1, dtype=torch.float64)).T.numpy()  # pyright: ignore[reportPrivateUsage]
    width = 9.26449 * 24.7
    centre = (8000 + width) * ((100 + width) / (8000 + width)) ** (34 / 64) - width
    row = filters[64 - 34]
    _, response = freqz(*gammatone(centre, "iir", fs=16000), worN=np.arange(1025) * 16000 / 2048, fs=16000)
    np.testing.assert_allclose(row / row.max(), np.abs(response) / np.abs(response).max(), atol=0.1)


def test_golden_value():
    """By nnAudio 0.3.4's Gammatonegram (``center=False``, float32) and NumPy's mean."""
    time = torch.arange(8192, dtype=torch.float64) / 44100
    signals = [0.5 * torch.sin(2 * math.pi * f * time).unsqueeze(0) for f in (450, 440)]
    assert make("gammatone")(*signals).item() == pytest.approx(0.2729579347658098, rel=1e-4)


def test_gradient_of_magnitudes_at_silence_is_finite_where_nnaudios_is_not():
    silence = torch.zeros(1, 4096, requires_grad=True)
    reference = Gammatonegram(sr=44100, power=1.0, center=False, verbose=False)
    assert torch.autograd.grad(reference(silence).sum(), silence)[0].isnan().any()
    ours = make("gammatone[power=1]")(silence, _noise(4096)[:1])
    assert (torch.autograd.grad(ours.sum(), silence)[0] == 0).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_bins": 0}, "n_bins must be at least 1, got 0"),
        ({"fmin": 500.0, "fmax": 400.0}, "got 500 and 400"),
        ({"fmax": 23000.0}, "fmax <= 22050 Hz"),
        ({"log_offset": 0.0}, "log_offset must be positive, or none, got 0"),
        ({"n_fft": 1}, "n_fft must be at least 2"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Gammatone(**parameters)
