"""The spectral distances of Table 1 against code that others wrote: torchaudio, librosa, scipy, auraloss.

Tolerance: relative 1e-4 as the suite promises; in float64 most agree to 1e-9, and are held to it.
"""

import warnings

import auraloss
import librosa
import numpy as np
import pytest
import scipy.fft
import torch
from torch import Tensor

from tonedeaf.losses import AudioDistance, make
from tonedeaf.losses.mel import Mel, Mfcc
from tonedeaf.losses.spectral_centroid import Log2SpectralCentroid
from tonedeaf.losses.spectrogram import Spectrogram
from tonedeaf.losses.torchaudio_import import import_torchaudio

RATE = 44100


def _signals(kind: str) -> tuple[Tensor, Tensor]:
    if kind == "noise":
        noise = torch.randn(2, 2, 8192, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
        return noise[0], noise[1]
    time = torch.arange(8192, dtype=torch.float64) / RATE
    tones = [0.5 * torch.cos(2 * torch.pi * f * time + f) for f in (110.0, 1234.5, 117.0, 900.1)]
    both = torch.stack(tones).view(2, 2, -1)
    return both[0], both[1]


@pytest.fixture(params=["noise", "sines"])
def signals(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    return _signals(request.param)


@pytest.fixture(params=["valid", "reflect"])
def padding(request: pytest.FixtureRequest) -> str:
    return request.param


def _exactly(padding: str) -> dict[str, object]:
    """For torchaudio: its own window is in float32."""
    return {"center": padding == "reflect", "wkwargs": {"dtype": torch.float64}}


def _make(text: str) -> AudioDistance:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty mel filters: they have a test of their own
        return make(text, sample_rate=RATE)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_spectrogram_is_torchaudios(signals: tuple[Tensor, Tensor], padding: str, power: float):
    distance = _make(f"spectrogram[padding={padding};power={power}]")
    assert isinstance(distance, Spectrogram)
    theirs = import_torchaudio().transforms.Spectrogram(2048, hop_length=512, power=power, **_exactly(padding))
    expected = theirs(signals[0])
    torch.testing.assert_close(distance.represent(signals[0]).mT, expected, rtol=1e-9, atol=1e-9)
    difference = (expected - theirs(signals[1])).abs().mean((-1, -2))
    torch.testing.assert_close(distance(*signals), difference, rtol=1e-9, atol=0)


def test_log_spectrogram_is_the_papers_formula_on_librosas_transform(signals: tuple[Tensor, Tensor]):
    def log_power(signal: Tensor) -> np.ndarray:
        transform = librosa.stft(signal.numpy(), n_fft=2048, hop_length=512, center=False, dtype=np.complex128)
        return np.log(np.abs(transform) ** 2 + 1e-4)

    expected = np.sqrt(((log_power(signals[0]) - log_power(signals[1])) ** 2).sum((-1, -2)))
    ours = _make("log_spectrogram[average=false]")(*signals)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-9)


def test_mel_is_torchaudios(signals: tuple[Tensor, Tensor], padding: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = import_torchaudio().transforms.MelSpectrogram(
            RATE, n_fft=1024, hop_length=512, n_mels=1024, f_min=30, f_max=4000, **_exactly(padding)
        )
    distance = _make(f"mel[padding={padding}]")
    assert isinstance(distance, Mel)
    expected = theirs.double()(signals[0])
    # torchaudio computes its filter bank in float32, and so does ours with it
    torch.testing.assert_close(distance.represent(signals[0]).mT, expected, rtol=1e-9, atol=1e-9)


def test_mel_filters_are_librosas():
    distance = _make("mel[n_mels=64;n_fft=4096]")
    assert isinstance(distance, Mel)
    power = torch.eye(2049, dtype=torch.float64).unsqueeze(0)  # one bin at a time shows the whole bank
    expected = librosa.filters.mel(sr=RATE, n_fft=4096, n_mels=64, fmin=30, fmax=4000, htk=True, norm=None)
    # both libraries round to float32, at edges that differ in the last digit
    np.testing.assert_allclose(distance.filters(power)[0].mT.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("text", ["mfcc", "mfcc[dct_norm=ortho;n_mfcc=40]"])
def test_mfcc_is_torchaudios_item_by_item(signals: tuple[Tensor, Tensor], padding: str, text: str):
    separator = ";" if text.endswith("]") else "["
    distance = _make(f"{text.removesuffix(']')}{separator}padding={padding}]")
    assert isinstance(distance, Mfcc)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = (
            import_torchaudio()
            .transforms.MFCC(
                RATE,
                n_mfcc=40 if "40" in text else 128,
                norm="ortho" if "ortho" in text else None,
                melkwargs={
                    "n_fft": 1024,
                    "hop_length": 512,
                    "n_mels": 128,
                    "f_min": 30,
                    "f_max": 4000,
                    **_exactly(padding),
                },
            )
            .double()
        )
    # one item at a time: torchaudio's top_db looks at the whole batch
    expected = torch.stack([theirs(item) for item in signals[0]])
    # its DCT matrix is float32
    torch.testing.assert_close(distance.represent(signals[0]).mT, expected, rtol=1e-5, atol=1e-3)


def test_mfcc_is_scipys_dct_of_librosas_decibels(signals: tuple[Tensor, Tensor]):
    distance = _make("mfcc[n_mels=40;n_mfcc=13;n_fft=4096]")
    assert isinstance(distance, Mfcc)
    for item, ours in zip(signals[0].numpy(), distance.represent(signals[0]).numpy(), strict=True):
        power = librosa.feature.melspectrogram(
            y=item,
            sr=RATE,
            n_fft=4096,
            hop_length=2048,
            n_mels=40,
            fmin=30,
            fmax=4000,
            htk=True,
            norm=None,
            center=False,
        )
        decibels = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=80)
        expected = scipy.fft.dct(decibels, axis=0)[:13].T
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-2)  # coefficients reach 1e3; banks are float32


def test_mfcc_of_a_quiet_item_does_not_depend_on_a_loud_one():
    quiet = 1e-6 * _signals("noise")[0]
    beside = torch.cat([quiet[:1], 1e6 * quiet[1:]])
    distance = _make("mfcc")
    assert isinstance(distance, Mfcc)
    torch.testing.assert_close(distance.represent(beside)[0], distance.represent(quiet)[0], rtol=1e-12, atol=0)


def test_centroid_is_librosas(signals: tuple[Tensor, Tensor]):
    distance = _make("log2_spectral_centroid")
    assert isinstance(distance, Log2SpectralCentroid)
    for item, ours in zip(signals[0].numpy(), distance.represent(signals[0]).numpy(), strict=True):
        expected = librosa.feature.spectral_centroid(y=item, sr=RATE, n_fft=2048, hop_length=512, center=False)
        np.testing.assert_allclose(2**ours, expected[0], rtol=1e-4)  # the floor that silence needs


@pytest.mark.parametrize("log", [False, True])
def test_multi_scale_is_the_sum_of_single_scales(signals: tuple[Tensor, Tensor], log: bool):
    prefix = "log_" if log else ""
    total = _make(f"{prefix}mss")(*signals)
    parts = [_make(f"{prefix}spectrogram[n_fft={n}]")(*signals) for n in (2048, 1024, 512, 256, 128, 64)]
    torch.testing.assert_close(total, torch.stack(parts).sum(0), rtol=1e-12, atol=0)


def test_a_linear_term_is_auralosss(signals: tuple[Tensor, Tensor]):
    theirs = auraloss.freq.STFTLoss(
        fft_size=1024, hop_size=256, win_length=1024, w_sc=0, w_log_mag=0, w_lin_mag=1, eps=0
    )
    ours = _make("spectrogram[n_fft=1024;power=1;padding=reflect]")(*signals)
    for index in range(2):
        expected = theirs(signals[0][index].view(1, 1, -1), signals[1][index].view(1, 1, -1))
        torch.testing.assert_close(ours[index], expected, rtol=1e-6, atol=0)


def test_empty_mel_filters_are_counted():
    with pytest.warns(UserWarning, match="840 of 1024 mel filters hold no frequency bin"):
        make("mel", sample_rate=RATE)
