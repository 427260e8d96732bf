"""Recordings: mono at 16 kHz whatever they were, and one line for what cannot be used."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonedeaf.bassnet.recording import Recording, clipped_share, read_recording


def sine(sample_rate: int, *, frequency: float = 110.0, amplitude: float = 0.5, seconds: float = 2.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_any_rate_becomes_16_khz(tmp_path: Path, sample_rate: int, suffix: str):
    path = tmp_path / f"bass.{suffix}"
    soundfile.write(path, sine(sample_rate), sample_rate)
    heard = read_recording(path).at()
    assert len(heard) == 40000
    assert heard.dtype == np.float32
    assert heard[1000:-1000] == pytest.approx(sine(16000)[1000:-1000], abs=2e-3)


def test_channels_are_averaged(tmp_path: Path):
    left, right = sine(16000), sine(16000, frequency=200)
    soundfile.write(tmp_path / "bass.wav", np.stack((left, right), axis=1), 16000, subtype="FLOAT")
    assert read_recording(tmp_path / "bass.wav").at() == pytest.approx((left + right) / 2, abs=1e-6)


def test_another_rate_than_16_khz_can_be_asked_for():
    there = Recording(sine(16000).astype(np.float32), 16000).at(44100)
    assert len(there) == round(2.5 * 44100)
    assert there[2000:-2000] == pytest.approx(sine(44100)[2000:-2000], abs=2e-3)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (np.zeros(40000), "is silent: its peak is below -80 dB"),
        (sine(16000, seconds=1.5), r"is too short: 1\.50 s, at least 2 s are needed"),
        (np.zeros(0), r"is too short: 0\.00 s"),
        (np.clip(sine(16000, amplitude=1.5), -1, 1), r"is clipped: \d+\.\d % of its samples are cut off at full scale"),
        (np.where(np.arange(40000) == 7, np.nan, sine(16000)), "holds samples that are not finite numbers"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, signal: np.ndarray, message: str):
    soundfile.write(tmp_path / "bass.wav", signal, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=rf"bass\.wav {message}") as raised:
        read_recording(tmp_path / "bass.wav")
    assert "\n" not in str(raised.value)


def test_silence_can_be_allowed(tmp_path: Path):
    soundfile.write(tmp_path / "vocals.wav", np.zeros(40000), 16000)
    assert not read_recording(tmp_path / "vocals.wav", silence_allowed=True).signal.any()


def test_what_is_no_audio_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "bass.wav").write_bytes(b"RIFF and so on")
    with pytest.raises(ValueError, match=r"bass\.wav cannot be decoded: "):
        read_recording(tmp_path / "bass.wav")
    with pytest.raises(ValueError, match=r"nowhere\.wav cannot be decoded: "):
        read_recording(tmp_path / "nowhere.wav")
    soundfile.write(tmp_path / "cut.flac", sine(16000), 16000)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "cut.flac").read_bytes()[:30])
    with pytest.raises(ValueError, match=r"cut\.flac (cannot be decoded|is too short)"):
        read_recording(tmp_path / "cut.flac")


def test_one_clipped_channel_is_enough(tmp_path: Path):
    channels = np.stack((sine(16000), np.clip(sine(16000, amplitude=2), -1, 1)), axis=1)
    soundfile.write(tmp_path / "bass.wav", channels, 16000)
    with pytest.raises(ValueError, match="is clipped"):
        read_recording(tmp_path / "bass.wav")


@pytest.mark.parametrize("frequency", [27.5, 41.2, 110.0, 1000.0])
@pytest.mark.parametrize("sample_rate", [16000, 44100, 96000])
def test_a_full_scale_sine_is_not_clipped(frequency: float, sample_rate: int):
    """Not even one of 16 bits, whose crest is a run of equal samples."""
    quantised = np.round(sine(sample_rate, frequency=frequency, amplitude=1.0) * 32767) / 32768
    assert clipped_share(quantised.astype(np.float32)) == 0


def test_the_clipped_share_is_that_of_the_plateaus():
    """Half of a sine of amplitude √2 lies above 1."""
    clipped = np.clip(sine(44100, frequency=100.0, amplitude=np.sqrt(2)), -1, 1).astype(np.float32)
    assert clipped_share(clipped) == pytest.approx(0.5, abs=0.01)
    assert clipped_share(0.9 * clipped) == 0  # turned down afterwards, it may as well be a synthesiser's square wave
