"""The Descript Audio Codec's mel loss against its authors' code (its number) and its formula on librosa."""

import librosa
import numpy as np
import pytest
import torch

from tonedeaf.losses import make
from tonedeaf.losses.dac_mel import DacMel
from tonedeaf.losses.mel import MelFilterBank

RATE = 44100
SIZES = (32, 64, 128, 256, 512, 1024, 2048)
FILTERS = (5, 10, 20, 40, 80, 160, 320)


def signals(samples: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    """Two tones in noise, from a generator whose numbers NumPy has frozen."""
    noise = np.random.RandomState(0).randn(2, samples)
    time = np.arange(samples) / RATE
    prediction = 0.5 * np.sin(2 * np.pi * 220 * time) + 0.05 * noise[0]
    target = 0.4 * np.sin(2 * np.pi * 233 * time + 0.3) + 0.1 * noise[1]
    return torch.from_numpy(prediction)[None], torch.from_numpy(target)[None]


@pytest.mark.parametrize(
    ("text", "theirs"),
    [("dac_mel", 2.137284994125366), ("dac_mel[mag_weight=1;log_weight=0]", 0.21279048919677734)],
)
def test_number_is_that_of_the_authors_code(text: str, theirs: float):
    """``MelSpectrogramLoss`` of descript-audio-codec 1.0.0 with ``conf/base.yml``, on descript-audiotools 0.7.2."""
    assert float(make(text)(*signals())) == pytest.approx(theirs, rel=5e-7)


@pytest.mark.parametrize("rate", [16000, 24000, 44100])
def test_formula_on_librosas_mel_spectrogram(rate: int):
    def mel(signal: torch.Tensor, size: int, filters: int) -> np.ndarray:
        transform = librosa.stft(
            signal[0].numpy(), n_fft=size, hop_length=size // 4, pad_mode="reflect", dtype=np.complex128
        )
        return librosa.filters.mel(sr=rate, n_fft=size, n_mels=filters, dtype=np.float64) @ np.abs(transform)

    def log(values: np.ndarray) -> np.ndarray:
        return np.log10(values.clip(1e-5))

    pair = signals()
    expected = 0.0
    for size, filters in zip(SIZES, FILTERS, strict=True):
        ours, theirs = (mel(signal, size, filters) for signal in pair)
        expected += np.abs(log(ours) - log(theirs)).mean() + 0.5 * np.abs(ours - theirs).mean()
    # torchaudio computes the filters in float32.
    assert float(make("dac_mel[mag_weight=0.5]", sample_rate=rate)(*pair)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("rate", "size", "filters"), [(22050, 2048, 128), (44100, 2048, 320), (16000, 512, 40)])
@pytest.mark.parametrize("equal_area", [True, False])
def test_slaneys_filters_are_librosas(rate: int, size: int, filters: int, equal_area: bool):
    bank = MelFilterBank(
        bins=size // 2 + 1,
        sample_rate=rate,
        n_mels=filters,
        fmin=0,
        fmax=rate / 2,
        scale="slaney",
        equal_area=equal_area,
    )
    norm = "slaney" if equal_area else None
    expected = librosa.filters.mel(sr=rate, n_fft=size, n_mels=filters, norm=norm, dtype=np.float64)
    found = bank(torch.eye(size // 2 + 1, dtype=torch.float64)[None])[0].T.numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * expected.max())


def test_empty_filters_are_counted():
    with pytest.warns(UserWarning, match="Empty filters detected"):
        theirs = librosa.filters.mel(sr=RATE, n_fft=64, n_mels=40)
    empty = int((theirs.max(-1) == 0).sum())
    with pytest.warns(UserWarning, match=f"^{empty} of 40 mel filters hold no frequency bin"):
        make("dac_mel[n_ffts=64;n_mels=40]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dac_mel[n_mels=5,10]", "n_ffts and n_mels must be as many, at least one, got 7 and 2 numbers"),
        ("dac_mel[clamp_eps=0]", "clamp_eps must be positive, got 0.0"),
        ("dac_mel[log_weight=0]", "one of them positive, got 0.0 and 0.0"),
        ("dac_mel[mag_weight=-1]", "must be at least 0.*got -1.0 and 1.0"),
        ("dac_mel[fmin=9000;fmax=8000]", "0 <= fmin < fmax <= 22050 Hz .*got 9000 and 8000"),
        ("dac_mel[n_ffts=64;n_mels=0]", "n_mels must be at least 1, got 0"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)


def test_no_scales():
    with pytest.raises(ValueError, match="at least one, got 0 and 0"):
        DacMel(n_ffts=(), n_mels=())
