"""HARD's log mel distance against librosa, at its own sample rate and from others."""

import librosa
import numpy as np
import pytest
import torch

from tonedeaf.losses import make

OWN_RATE = 22050


def tones(rate: float, seconds: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of harmonics that fade in and out, so that no edge rings when they are resampled."""
    time = np.arange(round(seconds * rate)) / rate
    fade = np.sin(np.pi * time / seconds) ** 2
    pair = (fade * sum(np.sin(2 * np.pi * f0 * k * time + k) / k for k in range(1, 9)) for f0 in (220.0, 261.6))
    prediction, target = (torch.from_numpy(0.2 * signal)[None] for signal in pair)
    return prediction, target


def noise() -> tuple[torch.Tensor, torch.Tensor]:
    """It fades by 120 dB, so that some of it is under the floor of the logarithm."""
    both = 0.3 * np.random.RandomState(0).randn(2, 1, 6000) * 10 ** np.linspace(0, -6, 6000)
    return torch.from_numpy(both[0]), torch.from_numpy(0.5 * both[1])


def log_mel(signal: torch.Tensor) -> np.ndarray:
    """What the authors' ``MelSpecEncoder`` computes, by librosa: frames that fit into what they are given."""
    transform = librosa.stft(signal[0].numpy(), n_fft=2048, hop_length=512, center=False, dtype=np.complex128)
    mel = librosa.filters.mel(sr=OWN_RATE, n_fft=2048, n_mels=128, dtype=np.float64) @ np.abs(transform)
    return np.log(mel.clip(1e-5))


def test_formula_on_librosas_mel_spectrogram():
    ours, theirs = (log_mel(signal) for signal in noise())
    expected = np.abs(ours - theirs)
    # torchaudio computes the filters in float32.
    assert float(make("hard_mel", sample_rate=OWN_RATE)(*noise())) == pytest.approx(expected.mean(), rel=1e-5)
    papers = make("hard_mel[average=false]", sample_rate=OWN_RATE)
    assert float(papers(*noise())) == pytest.approx(expected.sum(), rel=1e-5)


def test_number_is_that_of_the_authors_front_end():
    """``MelSpecEncoder`` of WuYiming6526/HARD-DAFx2023 and ℓ1; it mirrors 768 samples at each edge first."""
    prediction, target = (torch.nn.functional.pad(signal, (768, 768), mode="reflect") for signal in noise())
    found = make("hard_mel", sample_rate=OWN_RATE)(prediction, target)
    assert float(found) == pytest.approx(0.6034072637557983, rel=1e-6)


@pytest.mark.parametrize("rate", [44100, 48000, 16000])
def test_other_sample_rates_give_about_the_same_number(rate: int):
    """Below 8 kHz, where the resampler changes nothing; above the filters hold silence in both signals, or ripple."""
    expected = make("hard_mel", sample_rate=OWN_RATE).represent(tones(OWN_RATE)[0])
    found = make("hard_mel", sample_rate=rate).represent(tones(rate)[0])
    frames = min(expected.shape[1], found.shape[1])
    loud = expected[:, :frames] > np.log(0.01)
    assert loud.sum() > 100
    torch.testing.assert_close(found[:, :frames][loud], expected[:, :frames][loud], rtol=0, atol=0.02)


def test_what_is_told_of_its_sample_rate():
    distance = make("hard_mel", sample_rate=44100)
    assert distance.native_sample_rate == OWN_RATE
    assert distance.sample_rate == 44100
    assert distance.min_samples == 4095
    with pytest.raises(ValueError, match="at least 4095 samples, got 4094"):
        distance(torch.zeros(1, 4094), torch.zeros(1, 4094))


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        ("hard_mel", 44100.5, "whole sample rates in Hz, got 44100.5 and 22050"),
        ("hard_mel[padding=same]", 44100, "must be one of valid, reflect, constant, end, got 'same'"),
        ("hard_mel[norm=l0]", 44100, "must be one of l1, l2, l2_squared, got 'l0'"),
    ],
)
def test_bad_parameters(text: str, rate: float, message: str):
    with pytest.raises(ValueError, match=message):
        make(text, sample_rate=rate)
