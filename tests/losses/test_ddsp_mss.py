"""DDSP's multi-scale spectral loss against its authors' code (its number) and its formula on librosa's transform."""

import librosa
import numpy as np
import pytest
import torch

from tonedeaf.losses import make
from tonedeaf.losses.ddsp_mss import DdspMss

RATE = 44100
SIZES = (2048, 1024, 512, 256, 128, 64)


def signals(samples: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    """Two tones in noise, from a generator whose numbers NumPy has frozen."""
    noise = np.random.RandomState(0).randn(2, samples)
    time = np.arange(samples) / RATE
    prediction = 0.5 * np.sin(2 * np.pi * 220 * time) + 0.05 * noise[0]
    target = 0.4 * np.sin(2 * np.pi * 233 * time + 0.3) + 0.1 * noise[1]
    return torch.from_numpy(prediction)[None], torch.from_numpy(target)[None]


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        ("ddsp_mss", 10.665172576904297),
        ("ddsp_mss[logmag_weight=0]", 5.187378883361816),
        ("ddsp_mss[mag_weight=0]", 5.477794647216797),
    ],
)
def test_number_is_that_of_the_authors_code(text: str, theirs: float):
    """``ddsp.losses.SpectralLoss`` of the package ddsp 0.2.4 on TensorFlow 2.21, which computes in float32."""
    assert float(make(text)(*signals())) == pytest.approx(theirs, rel=5e-7)


@pytest.mark.parametrize("samples", [5999, 6000, 6144])
@pytest.mark.parametrize("padding", ["end", "valid"])
def test_formula_on_librosas_transform(padding: str, samples: int):
    def magnitude(signal: torch.Tensor, size: int) -> np.ndarray:
        hop, values = size // 4, signal[0].numpy()
        if padding == "end":
            frames = -(-samples // hop)
            values = np.pad(values, (0, (frames - 1) * hop + size - samples))
        return np.abs(librosa.stft(values, n_fft=size, hop_length=hop, center=False, dtype=np.complex128))

    pair = signals(samples)
    expected = 0.0
    for size in SIZES:
        ours, theirs = (magnitude(signal, size) for signal in pair)
        expected += 2 * np.abs(ours - theirs).mean() + 3 * np.abs(np.log((ours + 1e-3) / (theirs + 1e-3))).mean()
    distance = DdspMss(sample_rate=RATE, mag_weight=2, logmag_weight=3, eps=1e-3, padding=padding)  # pyright: ignore[reportArgumentType]
    assert float(distance(*pair)) == pytest.approx(expected, rel=1e-9)


def test_signals_shorter_than_every_window_are_measured():
    distance = make("ddsp_mss")
    assert distance.min_samples == 1
    assert float(distance(torch.ones(1, 20), torch.zeros(1, 20))) > 0
    assert make("ddsp_mss[padding=valid]").min_samples == 2048


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ddsp_mss[mag_weight=0;logmag_weight=0]", "one of them positive, got 0.0 and 0.0"),
        ("ddsp_mss[mag_weight=-1]", "must be at least 0.*got -1.0 and 1.0"),
        ("ddsp_mss[eps=0]", "eps must be positive, got 0.0"),
        ("ddsp_mss[n_ffts=1]", "n_fft must be at least 2 samples, got 1"),
        ("ddsp_mss[padding=start]", "must be one of valid, reflect, constant, end, got 'start'"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)


def test_no_window_lengths():
    with pytest.raises(ValueError, match="at least one window length"):
        DdspMss(n_ffts=())
