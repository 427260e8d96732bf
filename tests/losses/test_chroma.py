"""Logarithmic chroma, against librosa."""

import math

import auraloss
import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.chroma import chroma_filters


def _tone(frequency: float, samples: int = 8192) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / 44100
    return 0.5 * torch.sin(2 * math.pi * frequency * time).unsqueeze(0)


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_chroma", "tuning"),
    [(44100, 2048, 12, 0.0), (16000, 1024, 24, 0.0), (22050, 4096, 36, 0.25), (44100, 1025, 12, -0.4)],
)
def test_filters_are_librosas(sample_rate: int, n_fft: int, n_chroma: int, tuning: float):
    expected = librosa.filters.chroma(sr=sample_rate, n_fft=n_fft, n_chroma=n_chroma, tuning=tuning, dtype=np.float64)
    a4 = 440 * 2 ** (tuning / n_chroma)
    found = chroma_filters(n_fft=n_fft, sample_rate=sample_rate, n_chroma=n_chroma, a4=a4)
    np.testing.assert_allclose(found, expected.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_chroma", [12, 24])
def test_value_is_that_of_librosas_pipeline(n_chroma: int):
    rng = np.random.default_rng(0)
    signals = 0.1 * rng.standard_normal((2, 8192))
    chroma = [
        librosa.feature.chroma_stft(
            y=signal, sr=44100, n_fft=2048, hop_length=512, center=False, norm=None, tuning=0.0, n_chroma=n_chroma
        )
        for signal in signals
    ]
    logarithms = [np.log(one + 1e-4) for one in chroma]
    expected = np.sqrt(np.mean((logarithms[0] - logarithms[1]) ** 2))
    found = make(f"log_chroma[n_chroma={n_chroma}]")(*torch.from_numpy(signals).unsqueeze(1)).item()
    assert found == pytest.approx(expected, rel=1e-6)  # librosa's filters are float32


def test_golden_value():
    """By librosa 0.11.0 in float64: stft with center=False, filters.chroma, and NumPy's logarithm."""
    assert make("log_chroma")(_tone(450), _tone(440)).item() == pytest.approx(2.0792175102659787, rel=1e-9)


def test_an_octave_is_nearer_than_a_tritone():
    distance, target = make("log_chroma"), _tone(440)
    octave, tritone = distance(_tone(880), target), distance(_tone(440 * 2**0.5), target)
    assert octave < 0.5 * tritone


def test_the_first_pitch_class_is_c():
    chroma = make("log_chroma").represent(_tone(440 * 2 ** (3 / 12)))
    assert (chroma.argmax(-1) == 0).all()


def test_auralosss_chroma_cannot_be_made():
    with pytest.raises(TypeError, match="ndarray"):
        auraloss.freq.ChromaSTFTLoss(44100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log_chroma[n_chroma=13]", "n_chroma must be a multiple of 12, got 13"),
        ("log_chroma[n_chroma=0]", "n_chroma must be a multiple of 12, got 0"),
        ("log_chroma[a4=0]", r"a4 must be above 0 and at most 22050 Hz \(half the sample rate\), got 0"),
        ("log_chroma[log_offset=0]", "log_offset must be positive, got 0"),
        ("log_chroma[n_fft=1]", "n_fft must be at least 2 samples, got 1"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)
