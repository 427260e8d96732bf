"""The level of a track, against librosa's ``stft`` and ``power_to_db``."""

import librosa
import numpy as np
import pytest

from tonedeaf.bassnet.labels import frame_count
from tonedeaf.bassnet.level import absolute_level, frame_power, level_db, minmax_level, sine_power


@pytest.fixture
def decaying_noise() -> np.ndarray:
    generator = np.random.default_rng(0)
    return (generator.standard_normal(20003) * np.exp(-np.arange(20003) / 3000)).astype(np.float32)


def librosa_power(signal: np.ndarray) -> np.ndarray:
    return np.square(np.abs(librosa.stft(signal, n_fft=2048, hop_length=160))).mean(axis=0)


@pytest.mark.parametrize("samples", [2048, 16000, 16159, 20003])
def test_the_power_is_librosas_mean_over_the_bins(decaying_noise: np.ndarray, samples: int):
    signal = decaying_noise[:samples]
    power = frame_power(signal)
    assert len(power) == frame_count(samples) == samples // 160 + 1
    assert power == pytest.approx(librosa_power(signal), rel=1e-4)  # single precision


def test_minmax_is_librosas_db_between_the_tracks_extremes(decaying_noise: np.ndarray):
    db = librosa.power_to_db(librosa_power(decaying_noise))
    level, (lowest, highest) = minmax_level(frame_power(decaying_noise))
    assert (lowest, highest) == (pytest.approx(db.min(), abs=1e-3), pytest.approx(db.max(), abs=1e-3))
    assert level == pytest.approx((db - db.min()) / (db.max() - db.min()), abs=1e-4)
    assert (level.min(), level.max()) == (0, 1)


def test_minmax_ends_80_db_below_the_maximum():
    signal = np.concatenate((np.ones(8000), np.zeros(8000))).astype(np.float32)
    _, (lowest, highest) = minmax_level(frame_power(signal))
    assert highest - lowest == pytest.approx(80)


def test_minmax_of_silence_is_0():
    level, (lowest, highest) = minmax_level(frame_power(np.zeros(5000, np.float32)))
    assert not level.any()
    assert lowest == highest == -100


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 1.0), (0.1, 0.75), (1e-2, 0.5), (1e-4, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("frequency", [55.0, 440.0, 3000.0])
def test_a_full_scale_sine_has_level_1_and_80_db_below_it_is_0(amplitude: float, level: float, frequency: float):
    signal = (amplitude * np.sin(2 * np.pi * frequency * np.arange(16000) / 16000)).astype(np.float32)
    inner = slice(10, -10)  # frames that the edges do not reach
    # 0.05 dB: the two bins at DC and Nyquist are counted once, and a low sine leaks into its mirror image.
    assert absolute_level(frame_power(signal))[inner] == pytest.approx(level, abs=0.05 / 80)


def test_louder_than_a_full_scale_sine_is_clipped():
    square = np.sign(np.sin(2 * np.pi * 441 * np.arange(16000) / 16000)).astype(np.float32)
    assert absolute_level(frame_power(square)).max() == 1


def test_the_level_in_db_is_the_inverse():
    power = sine_power() * 10 ** (np.linspace(-80, 0, 9) / 10)
    assert level_db(absolute_level(power)) == pytest.approx(np.linspace(-80, 0, 9), abs=1e-4)
