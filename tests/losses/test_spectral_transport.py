"""Spectral transport is Torres, Peeters & Richard's, with their code as the oracle."""

import math
from typing import Any

import numpy as np
import ot
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import get_window
from torch import Tensor

from tonedeaf.losses.spectral_transport import BalancedSpectralTransport, SpectralTransport

_RATE = 16000


def _tone(frequency: float, amplitude: float) -> Tensor:
    time = torch.arange(8000, dtype=torch.float64) / _RATE
    octave = 0.3 * torch.sin(2 * math.pi * 2 * frequency * time + 1)
    return amplitude * (torch.sin(2 * math.pi * frequency * time) + octave)


def _signals() -> tuple[Tensor, Tensor]:
    prediction = torch.stack([_tone(440, 0.5), _tone(130, 0.2)])
    target = torch.stack([_tone(554.365, 0.3), _tone(990, 0.4)])
    return prediction, target


@pytest.mark.parametrize(
    ("cls", "golden"),
    [
        # the package sot-loss 0.1.5 in float64 on these signals, target first, mean over frames: Wasserstein1DLoss(
        # fft_size=2048, hop_length=256, sample_rate=16000, window="flattop", square_magnitude=True, p=2, reduce=False,
        # balanced=False, quantile_lowpass=True) and (…, balanced=True)
        (SpectralTransport, [0.000828086201, 0.561164315]),
        (BalancedSpectralTransport, [0.00025891876, 0.0144286102]),
    ],
)
def test_transport_is_the_authors(cls: type[SpectralTransport], golden: list[float]):
    distance = cls(sample_rate=_RATE, padding="reflect", mss_weight=0)
    assert distance(*_signals()).tolist() == pytest.approx(golden, rel=1e-6)
    single = [signal.float() for signal in _signals()]
    assert distance(*single).tolist() == pytest.approx(golden, rel=1e-4)


def _power(signal: Tensor) -> NDArray[np.float64]:
    frames = signal.numpy()[np.arange(0, 8000 - 2048 + 1, 256)[:, None] + np.arange(2048)]
    return np.abs(np.fft.rfft(get_window("flattop", 2048) * frames)).T ** 2


def test_balanced_transport_is_pots():
    prediction, target = (signals[0] for signals in _signals())
    positions = np.linspace(0, 1, 1025)[:, None].repeat(24, 1)
    ours, theirs = (power / power.sum(0) for power in (_power(prediction), _power(target)))
    expected: Any = ot.wasserstein_1d(positions, positions, ours, theirs, p=2)
    distance = BalancedSpectralTransport(sample_rate=_RATE, padding="valid", mss_weight=0)
    assert distance(prediction[None], target[None]).item() == pytest.approx(expected.mean(), rel=1e-6)


def test_multi_scale_term_is_the_authors():
    prediction, target = _signals()
    expected = torch.zeros(2, dtype=torch.float64)
    for n in (2048, 1024, 512, 256, 128, 64):  # MSSLoss(mag_weight=1, loss_type="L1"), frames padded at the end
        short = n + (n // 4) * (-(-8000 // (n // 4)) - 1) - 8000
        magnitudes = [
            torch.stft(
                torch.nn.functional.pad(signal, (0, short)),
                n_fft=n,
                hop_length=n // 4,
                window=torch.hann_window(n, dtype=torch.float64),
                center=False,
                normalized=True,
                return_complex=True,
            ).abs()
            for signal in (prediction, target)
        ]
        expected += 0.05 * (magnitudes[0] - magnitudes[1]).abs().mean((-2, -1))
    for cls in (SpectralTransport, BalancedSpectralTransport):
        with_term, without = cls(sample_rate=_RATE), cls(sample_rate=_RATE, mss_weight=0)
        found = with_term(prediction, target) - without(prediction, target)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_two_tones_cost_the_square_of_their_interval():
    distance = BalancedSpectralTransport(sample_rate=_RATE, mss_weight=0, padding="valid")
    tones = [torch.sin(2 * math.pi * f / _RATE * torch.arange(4000, dtype=torch.float64))[None] for f in (1000, 3000)]
    assert distance(*tones).item() == pytest.approx((2000 / 8000) ** 2, rel=1e-3)


def test_a_small_interval_survives_float32():
    time = torch.arange(4000, dtype=torch.float64)
    tones = [torch.sin(2 * math.pi * f / _RATE * time)[None] for f in (440, 440.5)]
    distance = BalancedSpectralTransport(sample_rate=_RATE, mss_weight=0, padding="valid")
    single = distance(*(tone.float() for tone in tones)).item()
    assert single == pytest.approx(distance(*tones).item(), rel=1e-4)


def test_only_the_cutoff_sees_level():
    tone = _tone(440, 0.5)[None]
    balanced, cutoff = (
        cls(sample_rate=_RATE, mss_weight=0, padding="valid") for cls in (BalancedSpectralTransport, SpectralTransport)
    )
    assert balanced(0.5 * tone, tone).item() < 1e-9
    # three quarters of the power are missing: they are what is moved to half the sample rate
    assert cutoff(0.5 * tone, tone).item() > 0.5
    assert cutoff(2 * tone, tone).item() < 0.01


def test_silence_has_a_finite_gradient_and_no_distance():
    # the root of W₂² would not have, nor spectra divided by a silent frame's sum
    silence = torch.zeros(1, 4000, requires_grad=True)
    for cls in (SpectralTransport, BalancedSpectralTransport):
        found = cls(sample_rate=_RATE)(silence, silence.detach())
        (gradient,) = torch.autograd.grad(found.sum(), silence)
        assert found.item() == 0
        assert gradient.isfinite().all()


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="mss_weight must be at least 0, got -1"):
        SpectralTransport(mss_weight=-1)
    with pytest.raises(ValueError, match="n_ffts must name at least one"):
        SpectralTransport(n_ffts=())
    with pytest.raises(ValueError, match="hop_length must be at least 1 sample, got 0"):
        SpectralTransport(hop_length=0)
