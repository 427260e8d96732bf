"""Sounds for a page: what was encoded is what is heard, and equal samples give equal bytes."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tonedeaf.results.sound import data_uri, excerpt, mp3

RATE = 44100
TIME = np.arange(RATE // 2) / RATE


def frequency(samples: NDArray[np.float64]) -> float:
    """Of the strongest partial, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(spectrum.argmax()) * RATE / (8 * len(samples))


@pytest.mark.parametrize("hertz", [40.0, 440.0, 4000.0])
def test_a_tone_keeps_its_pitch_and_level(hertz: float):
    samples = 0.5 * np.sin(2 * np.pi * hertz * TIME)
    found, rate = soundfile.read(io.BytesIO(mp3(samples, RATE)))
    heard = np.asarray(found, dtype=np.float64)
    middle = heard[2000:-2000]
    assert rate == RATE
    assert abs(1200 * np.log2(frequency(middle) / hertz)) < 30  # half a bin of the padded transform at 40 Hz
    assert np.sqrt(2 * (middle**2).mean()) == pytest.approx(0.5, rel=0.05)


def test_equal_samples_give_equal_bytes():
    samples = 0.1 * np.random.default_rng(0).normal(size=RATE // 4)
    assert mp3(samples, RATE) == mp3(samples.copy(), RATE)
    assert data_uri(b"abc") == "data:audio/mpeg;base64,YWJj"


def test_an_odd_sample_rate_is_refused():
    with pytest.raises(ValueError, match=r"one that MP3 has, .* got 44099"):
        mp3(np.zeros(100), 44099)


def test_an_excerpt_is_mono_and_short(tmp_path: Path):
    stereo = np.stack([np.sin(2 * np.pi * 440 * TIME), np.zeros_like(TIME)], axis=1)
    soundfile.write(tmp_path / "a.flac", stereo, RATE)
    heard, _ = soundfile.read(io.BytesIO(excerpt(tmp_path / "a.flac", 0.25)))
    assert heard.ndim == 1
    assert len(heard) / RATE == pytest.approx(0.25, abs=0.06)  # whole frames of 26 ms
    assert np.abs(heard[3000:-3000]).max() == pytest.approx(0.5, rel=0.05)


def test_what_is_no_sound_is_named(tmp_path: Path):
    (tmp_path / "a.wav").write_text("not a sound")
    with pytest.raises(ValueError, match=r"a\.wav: no sound that can be read"):
        excerpt(tmp_path / "a.wav", 1.0)
