"""Signal-to-noise distances, against auraloss's ratios."""

import math

import auraloss
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make

NAMES = ("snr", "si_sdr", "sd_sdr")


def _sound(seed: int, samples: int = 1000) -> Tensor:
    noise = torch.randn(3, samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 0.3 * noise + 0.05


@pytest.mark.parametrize("zero_mean", [True, False])
@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("snr", auraloss.time.SNRLoss),
        ("si_sdr", auraloss.time.SISDRLoss),
        ("sd_sdr", auraloss.time.SDSDRLoss),
    ],
)
def test_value_is_that_of_auralosss_ratio(name: str, library: type[torch.nn.Module], zero_mean: bool):
    target = _sound(0)
    prediction = 0.7 * target + 0.5 * _sound(1)
    decibels = -library(zero_mean=zero_mean, eps=1e-12, reduction="none")(prediction, target)
    expected = 10 * torch.log10(1 + 10 ** (-decibels / 10))
    found = make(f"{name}[zero_mean={zero_mean}]")(prediction, target)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        # The prediction is half the target plus an orthogonal sound of half its energy:
        ("snr", 10 * math.log10(1 + 0.75)),  # ‖e‖² = 0.25 + 0.5, ‖s‖² = 1
        ("si_sdr", 10 * math.log10(1 + 2)),  # ‖e‖² = 0.5, ‖s‖² = 0.25
        ("sd_sdr", 10 * math.log10(1 + 3)),  # ‖e‖² = 0.25 + 0.5, ‖s‖² = 0.25
    ],
)
def test_golden_values_in_closed_form(name: str, golden: float):
    time = 2 * math.pi * torch.arange(1000, dtype=torch.float64) / 1000
    target, other = torch.sin(5 * time).unsqueeze(0), torch.sin(9 * time).unsqueeze(0)
    assert make(name)(0.5 * target + math.sqrt(0.5) * other, target).item() == pytest.approx(golden, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-2, 0.5, 3.0, -1.0])
def test_si_sdr_is_blind_to_level_and_polarity(scale: float):
    target, prediction = _sound(0), _sound(0) + 0.3 * _sound(1)
    distance = make("si_sdr")
    torch.testing.assert_close(distance(scale * prediction, target), distance(prediction, target), rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_better_ratio_is_a_smaller_distance(name: str):
    target, noise = _sound(0), _sound(1)
    distances = torch.stack([make(name)(target + level * noise, target) for level in (0, 1e-4, 0.01, 0.1, 1, 10)])
    assert (distances[0] == 0).all()
    assert (distances.diff(dim=0) > 0).all()


@pytest.mark.parametrize("name", ["si_sdr", "sd_sdr"])
def test_silence_is_far_from_a_sound(name: str):
    """With auraloss's constants a silent prediction has the best SI-SDR there is."""
    target = _sound(0)
    silence = torch.zeros_like(target)
    distance = make(name)
    assert (distance(silence, target) > 50).all()
    assert (distance(silence, target) > distance(_sound(1), target)).all()
    assert (distance(silence, silence) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_never_above_its_ceiling_nor_infinite(name: str):
    time = torch.arange(1000, dtype=torch.float32)
    a, b = (torch.sin(2 * math.pi * k * time / 1000).unsqueeze(0) for k in (5, 9))
    for prediction, target in ((a, b), (1000 * a, b), (a, torch.zeros_like(b))):
        prediction.requires_grad_()
        found = make(name)(prediction, target)
        (gradient,) = torch.autograd.grad(found.sum(), prediction)
        assert found.isfinite().all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("eps", [0, -1e-8, math.inf])
def test_bad_parameters(name: str, eps: float):
    with pytest.raises(ValueError, match=rf"eps must be positive \(energy\), got {eps}"):
        make(f"{name}[eps={eps}]")
