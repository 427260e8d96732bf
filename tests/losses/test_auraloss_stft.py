"""STFT losses of auraloss, item by item: auraloss's own value, without its bugs."""

import math
from typing import Any

import auraloss
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make


def _signals(batch: int = 1, samples: int = 6000) -> tuple[Tensor, Tensor]:
    """Two tones in noise, float32 because auraloss's windows are."""
    noise = 0.05 * torch.randn(2, batch, samples, generator=torch.Generator().manual_seed(0))
    time = torch.arange(samples) / 44100
    return 0.4 * torch.sin(2 * math.pi * 452 * time) + noise[0], 0.5 * torch.sin(2 * math.pi * 440 * time) + noise[1]


def _auraloss(loss: torch.nn.Module, prediction: Tensor, target: Tensor) -> float:
    return loss(prediction.unsqueeze(1), target.unsqueeze(1)).item()


STFT, MEL = auraloss.freq.STFTLoss, auraloss.freq.MelSTFTLoss


@pytest.mark.parametrize(
    ("text", "library", "parameters"),
    [
        ("auraloss_stft", STFT, {}),
        (
            "auraloss_stft[n_fft=512;hop_length=50;win_length=240]",
            STFT,
            {"fft_size": 512, "hop_size": 50, "win_length": 240},
        ),
        ("auraloss_stft[window=kaiser:12]", STFT, {"window": "kaiser_window"}),
        ("auraloss_stft[w_sc=0;w_log_mag=0;w_lin_mag=2]", STFT, {"w_sc": 0, "w_log_mag": 0, "w_lin_mag": 2}),
        ("auraloss_stft[norm=l2_squared;w_lin_mag=1]", STFT, {"mag_distance": "L2", "w_lin_mag": 1}),
        ("auraloss_stft[scale_invariance=true]", STFT, {"scale_invariance": True}),
        ("auraloss_stft[prefilter=a_weighting]", STFT, {"perceptual_weighting": True, "sample_rate": 44100}),
        ("auraloss_mel_stft", MEL, {"sample_rate": 44100}),
        (
            "auraloss_mel_stft[n_mels=64;n_fft=2048;win_length=2048]",
            MEL,
            {"sample_rate": 44100, "n_mels": 64, "fft_size": 2048, "win_length": 2048},
        ),
    ],
)
def test_value_of_one_item_is_auralosss(text: str, library: type[torch.nn.Module], parameters: dict[str, Any]):
    prediction, target = _signals()
    expected = _auraloss(library(**parameters), prediction, target)
    assert make(text)(prediction, target).item() == pytest.approx(expected, rel=1e-5)
    in_double = make(text)(prediction.double(), target.double()).item()
    assert in_double == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "golden"),
    # auraloss 0.4.0 with torch 2.13 on the signals of test_golden_values, in float32.
    [
        ("auraloss_stft", 1.7463340759277344),
        ("auraloss_stft[prefilter=a_weighting]", 2.053577423095703),
        ("auraloss_mel_stft", 2.8564658164978027),
    ],
)
def test_golden_values(text: str, golden: float):
    time = torch.arange(8192, dtype=torch.float64) / 44100
    prediction, target = (a * torch.sin(2 * math.pi * f * time).unsqueeze(0) for a, f in ((0.4, 880), (0.5, 440)))
    assert make(text)(prediction.float(), target.float()).item() == pytest.approx(golden, rel=1e-4)


def test_a_loud_neighbour_changes_nothing():
    prediction, target = _signals(batch=2)
    loud = torch.tensor([[1.0], [1000.0]])
    alone = make("auraloss_stft")(prediction[:1], target[:1])
    beside = make("auraloss_stft")(loud * prediction, loud * target)[:1]
    torch.testing.assert_close(beside, alone, rtol=1e-6, atol=0)
    # auraloss: what the first item does hardly matters beside a loud one.
    convergence = STFT(w_log_mag=0)
    quiet_is_wrong = loud * torch.stack([prediction[0], target[1]])
    assert _auraloss(convergence, quiet_is_wrong, loud * target) < 1e-3
    assert make("auraloss_stft[w_log_mag=0]")(quiet_is_wrong, loud * target)[0] > 0.1


def test_scale_invariance_holds_for_a_batch():
    prediction, target = _signals(batch=3)
    distance = make("auraloss_stft[scale_invariance=true]")
    expected = torch.cat([distance(prediction[i : i + 1], target[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(distance(prediction, target), expected, rtol=1e-6, atol=0)
    # The floor of the magnitudes does not scale with the signal: hence not exactly.
    levels = torch.tensor([[0.5], [1.0], [2.0]])
    torch.testing.assert_close(distance(prediction, levels * target), expected, rtol=1e-3, atol=0)
    with pytest.raises(RuntimeError, match="must match the size"):
        _auraloss(STFT(scale_invariance=True), prediction, target)


def test_empty_mel_filters_are_counted_and_harmless():
    prediction, target = _signals()
    with pytest.warns(UserWarning, match="1 of 128 mel filters"):
        distance = make("auraloss_mel_stft[n_fft=512;win_length=512]")
    assert distance(prediction, target).isfinite().all()


@pytest.mark.parametrize("name", ["auraloss_stft", "auraloss_mrstft", "auraloss_random_mrstft[seed=3]"])
def test_gradient_is_the_derivative(name: str):
    """Steps of 1e-8: the logarithm of a bin near 0 is too curved for the conformance check's 1e-6."""
    distance = make(name)
    noise = torch.randn(3, 2, max(3000, distance.min_samples), generator=torch.Generator().manual_seed(0)).double()
    prediction, target, direction = 0.1 * noise[0], 0.1 * noise[1], noise[2]
    prediction.requires_grad_()
    (gradient,) = torch.autograd.grad(distance(prediction, target).sum(), prediction)
    with torch.no_grad():
        ahead, behind = (distance(prediction + step * direction, target) for step in (1e-8, -1e-8))
    torch.testing.assert_close((gradient * direction).sum(-1), (ahead - behind) / 2e-8, rtol=1e-5, atol=0)


@pytest.mark.parametrize("padding", ["reflect", "valid", "constant"])
def test_padding_is_a_parameter(padding: str):
    prediction, target = _signals()
    distance = make(f"auraloss_stft[padding={padding}]")
    frames = {"reflect": 1 + 6000 // 256, "constant": 1 + 6000 // 256, "valid": 1 + (6000 - 1024) // 256}
    assert distance.represent(target).shape == (1, frames[padding], 513)
    assert distance(prediction, target).isfinite().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auraloss_stft[w_sc=-1]", "w_sc must be at least 0, got -1"),
        ("auraloss_stft[w_lin_mag=inf]", "w_lin_mag must be at least 0, got inf"),
        ("auraloss_stft[eps=0]", r"eps must be positive \(power\), got 0"),
        ("auraloss_stft[hop_length=0]", "hop_length must be at least 1 sample, got 0"),
        ("auraloss_stft[win_length=2048]", "win_length must be between 2 and n_fft = 1024 samples, got 2048"),
        ("auraloss_stft[window=kaiser]", "window 'kaiser' is not one that scipy.signal.get_window knows"),
        ("auraloss_stft[window=kaiser:x]", "window 'kaiser:x' is not one"),
        ("auraloss_stft[window=hann:3]", "window 'hann:3' is not one"),
        ("auraloss_stft[prefilter=b_weighting]", "prefilter of auraloss_stft cannot be 'b_weighting'"),
        ("auraloss_mel_stft[n_mels=0]", "n_mels must be at least 1, got 0"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)
