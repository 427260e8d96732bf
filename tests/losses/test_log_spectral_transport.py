"""Transport on log2 frequency is POT's, frame by frame; its level term is a difference in dB."""

import math

import numpy as np
import ot
import pytest
import torch
from scipy.signal import get_window
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.log_spectral_transport import LogSpectralTransport

_RATE = 16000


def _tone(frequency: float, amplitude: float = 0.5, samples: int = 6000) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / _RATE
    return amplitude * torch.sin(2 * math.pi * frequency * time + 1).unsqueeze(0)


def _noise(seed: int) -> Tensor:
    return torch.randn(1, 6000, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pot(prediction: Tensor, target: Tensor, n_fft: int, hop: int, level_weight: float) -> float:
    """The formula, frame by frame in NumPy, with POT's Wasserstein distance."""
    window = get_window("hann", n_fft)
    octaves = np.log2(np.arange(1, n_fft // 2 + 1) * _RATE / n_fft)
    floor = 1e-8 * (n_fft / 4) ** 2
    total, frames = 0.0, 0
    for start in range(0, prediction.shape[-1] - n_fft + 1, hop):
        powers = [
            np.abs(np.fft.rfft(window * signal[0].numpy()[start : start + n_fft]))[1:] ** 2 + floor / (n_fft // 2)
            for signal in (prediction, target)
        ]
        shares = [power / power.sum() for power in powers]
        levels = [10 * math.log10(power.sum()) for power in powers]
        moved = ot.wasserstein_1d(octaves[:, None], octaves[:, None], shares[0][:, None], shares[1][:, None], p=1)
        total += float(moved[0]) + level_weight * abs(levels[0] - levels[1])
        frames += 1
    return total / frames


@pytest.mark.parametrize("level_weight", [0.0, 0.1])
@pytest.mark.parametrize("n_fft", [256, 2048])
@pytest.mark.parametrize(
    ("prediction", "target"),
    [
        (_noise(0), _noise(1)),
        (_tone(440), _tone(466.16, 0.1)),
        (_tone(100) + _tone(3000, 0.1), 0.1 * _noise(2)),
        (_tone(440), torch.zeros(1, 6000, dtype=torch.float64)),
    ],
    ids=["noise", "tones", "tones and noise", "silence"],
)
def test_distance_is_pots(prediction: Tensor, target: Tensor, n_fft: int, level_weight: float):
    distance = LogSpectralTransport(sample_rate=_RATE, n_fft=n_fft, level_weight=level_weight)
    expected = _pot(prediction, target, n_fft, n_fft // 4, level_weight)
    assert distance(prediction, target).item() == pytest.approx(expected, rel=1e-9)


def test_without_level_weight_it_is_blind_to_level():
    tone = _tone(440)
    blind = LogSpectralTransport(sample_rate=_RATE, level_weight=0)
    assert blind(0.1 * tone, tone).item() < 1e-4  # the floor at −80 dB is what is left
    assert blind(tone, _tone(466.16)).item() > 0.05
    assert LogSpectralTransport(sample_rate=_RATE)(0.1 * tone, tone).item() == pytest.approx(0.1 * 20, rel=1e-3)


@pytest.mark.parametrize("octaves", [0.5, 1, 2, 3])
def test_two_tones_cost_their_interval_in_octaves(octaves: float):
    distance = LogSpectralTransport(sample_rate=_RATE, level_weight=0)
    found = distance(_tone(600), _tone(600 * 2**octaves)).item()
    assert found == pytest.approx(octaves, abs=0.01)


@pytest.mark.parametrize("weight", [-0.1, math.nan])
def test_bad_level_weight_is_named(weight: float):
    with pytest.raises(ValueError, match=f"level_weight must be at least 0 .octaves per dB., got {weight}"):
        LogSpectralTransport(level_weight=weight)


def test_too_short_a_signal_is_named():
    with pytest.raises(ValueError, match="at least 2048 samples, got 2047"):
        make("log_spectral_transport")(torch.zeros(1, 2047), torch.zeros(1, 2047))
