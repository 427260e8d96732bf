"""The A-weighting pre-filter, against auraloss's and against the curve."""

import math

import pytest
import torch
from auraloss.perceptual import FIRFilter

from tonedeaf.losses.a_weighting import AWeighting


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100, 48000])
def test_filter_is_auralosss(sample_rate: int):
    signal = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    expected, _ = FIRFilter("aw", fs=sample_rate)(signal.unsqueeze(1), signal.unsqueeze(1))
    found = AWeighting(sample_rate=sample_rate)(signal)
    torch.testing.assert_close(found, expected.squeeze(1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("frequency", "gain"),
    # IEC 61672-1:2013, Table 3. 101 taps follow it to 1 dB from some 300 Hz on.
    [(500, -3.2), (1000, 0.0), (2000, 1.2), (4000, 1.0), (8000, -1.1)],
)
def test_gain_is_the_standards(frequency: int, gain: float):
    time = torch.arange(44100, dtype=torch.float64) / 44100
    tone = torch.sin(2 * math.pi * frequency * time).unsqueeze(0)
    middle = AWeighting(sample_rate=44100)(tone)[:, 1000:-1000]
    assert 20 * math.log10(middle.std().item() / tone.std().item()) == pytest.approx(gain, abs=1.0)


def test_the_length_stays_and_float64_is_exact():
    signal = torch.zeros(1, 201, dtype=torch.float64)
    signal[0, 100] = 1
    taps = AWeighting(sample_rate=44100)(signal)
    assert taps.shape == signal.shape
    torch.testing.assert_close(taps, taps.flip(-1), rtol=0, atol=1e-12)  # linear phase
