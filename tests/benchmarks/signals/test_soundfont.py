"""Notes from a sound font: pure functions of their arguments, and what is said where something is missing."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tonedeaf.benchmarks.signals import soundfont
from tonedeaf.benchmarks.signals.soundfont import SoundFont, find_sound_font, missing, render_note

needs_a_sound_font = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


def _note(font: SoundFont, program: int, key: int, bend: int = 0, samples: int = 4000) -> NDArray[np.float32]:
    return render_note(font, program=program, key=key, bend=bend, sample_rate=16000, samples=samples)


@needs_a_sound_font
def test_a_note_does_not_depend_on_what_was_rendered_before():
    font = find_sound_font()
    notes = [(33, 30, 100), (38, 60, -2048), (32, 24, 2048), (39, 45, 0)]
    first = [_note(font, *note) for note in notes]
    soundfont.render_note.cache_clear()
    again = [_note(font, *note) for note in reversed(notes)][::-1]
    soundfont.render_note.cache_clear()
    soundfont._synth.cache_clear()  # pyright: ignore[reportPrivateUsage]
    (fresh,) = [_note(font, *notes[2])]
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(first, again, strict=True))
    assert np.array_equal(first[2], fresh)


@needs_a_sound_font
def test_a_longer_note_begins_like_a_shorter_one():
    font = find_sound_font()
    assert np.array_equal(_note(font, 33, 40, samples=8000)[:4000], _note(font, 33, 40))


@needs_a_sound_font
@pytest.mark.parametrize(("bend", "cents"), [(8191, 200), (2048, 50), (-2048, -50)])
def test_a_bend_is_200_cents_in_8192(bend: int, cents: float):
    """By the strongest partial's phase advance over 0.5 s of a synthetic bass (program 38), which is steady."""
    font = find_sound_font()
    straight, bent = (_strongest(_note(font, 38, 48, bend, samples=24000)) for bend in (0, bend))
    assert 1200 * np.log2(bent / straight) == pytest.approx(cents, abs=1.0)


def _strongest(note: NDArray[np.float32]) -> float:
    """The frequency of the strongest bin of an 8-fold zero-padded spectrum, by a parabola through its logarithm."""
    spectrum = np.log(np.abs(np.fft.rfft(note[4000:] * np.hanning(len(note) - 4000), 2**18)) + 1e-9)
    top = int(spectrum.argmax())
    left, middle, right = spectrum[top - 1 : top + 2]
    return top + 0.5 * (left - right) / (left - 2 * middle + right)


@needs_a_sound_font
def test_a_note_is_rendered_once_and_cannot_be_changed():
    font = find_sound_font()
    note = _note(font, 34, 41)
    assert _note(font, 34, 41) is note
    with pytest.raises(ValueError, match="read-only"):
        note[0] = 1


@needs_a_sound_font
def test_a_sound_font_is_known_by_its_digest(tmp_path: Path):
    font = find_sound_font()
    copy = tmp_path / "copy.sf2"
    copy.write_bytes(font.path.read_bytes())
    assert find_sound_font(str(copy)).sha256 == font.sha256
    assert np.array_equal(_note(find_sound_font(str(copy)), 33, 30), _note(font, 33, 30))


@needs_a_sound_font
def test_what_is_no_sound_font_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"sound_font must be 'auto' or the path of an .sf2 file, got 'nowhere.sf2'"):
        find_sound_font("nowhere.sf2")
    (tmp_path / "text.sf2").write_text("no sounds")
    with pytest.raises(ValueError, match=r"text\.sf2 is not a sound font$"):
        find_sound_font(str(tmp_path / "text.sf2"))
    (tmp_path / "sound.sf2").write_bytes(b"RIFF\x04\0\0\0WAVE")
    with pytest.raises(ValueError, match=r"sound\.sf2 is not a sound font$"):
        find_sound_font(str(tmp_path / "sound.sf2"))
    (tmp_path / "empty.sf2").write_bytes(b"RIFF\x04\0\0\0sfbk")
    with pytest.raises(ValueError, match=r"empty\.sf2 is not a sound font that tinysoundfont reads"):
        _note(find_sound_font(str(tmp_path / "empty.sf2")), 33, 30)


def _without(package: str) -> Callable[[str], object]:
    found = importlib.util.find_spec
    return lambda name: None if name == package else found(name)


@pytest.mark.parametrize(
    ("package", "command"),
    [("tinysoundfont", "pip install --no-deps tinysoundfont"), ("pretty_midi", "pip install pretty_midi")],
)
def test_what_is_missing_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, package: str, command: str):
    monkeypatch.setattr(soundfont, "DEBIAN_SOUND_FONT", Path("nowhere.sf2"))
    monkeypatch.setattr(importlib.util, "find_spec", _without(package))
    assert command in missing()
    with pytest.raises(ImportError, match=command):
        find_sound_font()


@needs_a_sound_font
def test_debians_sound_font_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    debians = tmp_path / "FluidR3_GM.sf2"
    debians.write_bytes(b"RIFF\x04\0\0\0sfbk")
    monkeypatch.setattr(soundfont, "DEBIAN_SOUND_FONT", debians)
    assert find_sound_font().path == debians
