"""OpenL3's input, against the packages' code in NumPy and librosa."""

import librosa
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.losses.openl3_front_end import InputRepresentation, Kapre, OpenL3FrontEnd, seconds_of

_RATE = 48000


def _second() -> NDArray[np.float64]:
    time = np.arange(_RATE) / _RATE
    noise = np.random.default_rng(0).standard_normal(_RATE)
    sound = 0.4 * np.sin(2 * np.pi * 330 * time) * np.exp(-3 * time) + 0.002 * noise
    return np.where(time < 0.8, sound, 0)


def _spectrogram(signal: NDArray[np.float64], n_fft: int) -> NDArray[np.float64]:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    starts = range(0, len(signal) - n_fft + 1, 242)
    return np.abs(np.fft.rfft([signal[start : start + n_fft] * window for start in starts])).T


def _decibels(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """kapre_v0_1_4_magnitude_to_decibel of openl3: 10·lg of the *magnitude*, under its maximum, −80 dB at least."""
    logarithm = 10 * np.log10(np.maximum(spectrum, 1e-10))
    return np.maximum(logarithm - logarithm.max(), -80)


def _published(signal: NDArray[np.float64], representation: str, kapre: str) -> NDArray[np.float64]:
    if representation == "linear":
        return _decibels(_spectrogram(signal, 512))  # 257 × 197
    bands = int(representation.removeprefix("mel"))
    margin = max(2048 - _RATE % 242, 0)
    trained = kapre == "0.1.4"
    before = margin // 2 if trained else 0
    spectrogram = _spectrogram(np.pad(signal, (before, margin - before)), 2048)
    filters = librosa.filters.mel(sr=_RATE, n_fft=2048, n_mels=bands, fmin=0, fmax=_RATE / 2, htk=trained)
    return _decibels(np.sqrt(filters @ spectrogram**2) if trained else filters @ spectrogram)


@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")  # librosa's, of 256 mels
@pytest.mark.parametrize("kapre", ["0.1.4", "0.3"])
@pytest.mark.parametrize(
    ("representation", "shape"), [("linear", (257, 197)), ("mel128", (128, 199)), ("mel256", (256, 199))]
)
def test_spectrogram_is_the_published_one(representation: InputRepresentation, shape: tuple[int, int], kapre: Kapre):
    signal = _second()
    expected = _published(signal, representation, kapre)
    front_end = OpenL3FrontEnd(input_representation=representation, kapre=kapre)
    found = front_end(torch.as_tensor(signal)[None])[0]
    assert found.shape == shape
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)  # dB
    assert found.max() == 0
    assert found.min() == -80


def test_silence_and_its_derivative_are_finite():
    front_end = OpenL3FrontEnd(input_representation="mel128", kapre="0.1.4")
    silence = torch.zeros(1, _RATE, requires_grad=True)
    found = front_end(silence)
    assert (found == 0).all()
    (slope,) = torch.autograd.grad(found.sum(), silence)
    assert slope.isfinite().all()


@pytest.mark.parametrize(
    ("samples", "center", "windows"),
    [(1, True, 1), (24000, True, 1), (24001, True, 2), (48000, True, 6), (48000, False, 1), (52801, False, 3)],
)
def test_seconds_are_those_of_the_package(samples: int, center: bool, windows: int):
    signal = torch.arange(1.0, samples + 1)
    found = seconds_of(signal[None], hop_length=4800, center=center)[0]
    assert found.shape == (windows, 48000)
    # _center_audio and _pad_audio of openl3/core.py
    audio = np.pad(signal.numpy(), (24000 if center else 0, 0))
    short = 48000 - len(audio)
    audio = np.pad(audio, (0, short if short > 0 else -(len(audio) - 48000) % 4800))
    for number in range(windows):
        np.testing.assert_array_equal(found[number].numpy(), audio[number * 4800 : number * 4800 + 48000])


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="input_representation must be one of linear, mel128, mel256, got 'mel64'"):
        OpenL3FrontEnd(input_representation="mel64", kapre="0.3")  # pyright: ignore[reportArgumentType]
