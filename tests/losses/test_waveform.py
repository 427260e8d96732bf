"""Distances between waveforms, against auraloss, torch and closed forms."""

import math

import auraloss
import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make


def _signals(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    noise = torch.randn(2, 3, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (0.3 * noise[0] + 0.02).to(dtype), (0.1 * noise[1]).to(dtype)


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("l1_waveform", torch.nn.L1Loss(reduction="none")),
        ("l2_waveform[norm=l2_squared]", torch.nn.MSELoss(reduction="none")),
        ("esr", auraloss.time.ESRLoss(reduction="none")),
        ("dc", auraloss.time.DCLoss(reduction="none")),
        ("log_cosh", auraloss.time.LogCoshLoss(reduction="none", eps=0)),
        ("log_cosh[a=5]", auraloss.time.LogCoshLoss(a=5, reduction="none", eps=0)),
    ],
)
def test_value_is_the_librarys(name: str, oracle: torch.nn.Module):
    prediction, target = _signals()
    expected = oracle(prediction, target)
    expected = expected if expected.ndim == 1 else expected.mean(-1)
    torch.testing.assert_close(make(name)(prediction, target), expected, rtol=1e-9, atol=0)


def test_l2_is_the_root_mean_square():
    prediction, target = _signals()
    expected = np.sqrt(np.mean((prediction - target).numpy() ** 2, axis=-1))
    np.testing.assert_allclose(make("l2_waveform")(prediction, target), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("l1_waveform", 0.5),
        ("l2_waveform", 0.5),
        ("esr", 1.0),  # ‖x/2‖² / ‖x/2‖²
        ("dc", 1.0),  # (x/2)² / (x/2)²
        ("log_cosh", 0.12011450695827752),  # ln cosh ½
    ],
)
def test_golden_values_in_closed_form(name: str, golden: float):
    x = torch.ones(1, 100, dtype=torch.float64)
    assert make(name)(x, 0.5 * x).item() == pytest.approx(golden, rel=1e-6)


@pytest.mark.parametrize("error", [50.0, 100.0, 1e4, 1e30])
def test_log_cosh_does_not_overflow(error: float):
    prediction, target = torch.full((1, 10), error, requires_grad=True), torch.zeros(1, 10)
    distance = make("log_cosh")(prediction, target)
    distance.sum().backward()
    assert distance.item() == pytest.approx(error - math.log(2), rel=1e-6)
    assert prediction.grad is not None
    torch.testing.assert_close(prediction.grad, torch.full((1, 10), 0.1))
    if error >= 100:
        assert auraloss.time.LogCoshLoss()(prediction, target).isinf()


@pytest.mark.parametrize("error", [1e-6, 1e-3, 0.1, 0.999, 1.001, 3.0])
def test_log_cosh_keeps_its_digits_in_float32(error: float):
    found = make("log_cosh")(torch.full((1, 10), error), torch.zeros(1, 10)).item()
    expected = math.log1p(2 * math.sinh(np.float32(error).item() / 2) ** 2)
    assert found == pytest.approx(expected, rel=1e-6)


def test_dc_is_blind_to_all_but_the_mean():
    _, target = _signals()
    flipped = target.flip(-1)
    assert make("dc")(flipped, target).max() < 1e-20
    assert make("dc")(flipped + 0.1, target).min() > 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l1_waveform[norm=l3]", "norm of l1_waveform must be one of l1, l2, l2_squared, got 'l3'"),
        ("log_cosh[a=0]", "a must be positive, got 0"),
        ("log_cosh[a=nan]", "a must be positive, got nan"),
        ("esr[eps=0]", r"eps must be positive \(energy\), got 0"),
        ("dc[eps=-1]", r"eps must be positive \(power\), got -1"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)
