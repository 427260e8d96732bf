"""The renderers: a song is the same whenever it is rendered, sounds as its labels say, and what is wrong is said."""

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tonedeaf.bassnet import fluidsynth_renderer, renderers, tinysoundfont_renderer
from tonedeaf.bassnet.dataset import Song
from tonedeaf.bassnet.descriptors import crepe_f0
from tonedeaf.bassnet.harmonic_projection import harmonic_amplitudes
from tonedeaf.bassnet.renderers import make_renderer
from tonedeaf.bassnet.rendering import make_recipe, render_song
from tonedeaf.bassnet.sound_fonts import PLAYED_RATE, heard, licence
from tonedeaf.benchmarks.signals import soundfont


def needs(name: str) -> pytest.MarkDecorator:
    reason = renderers.missing(name)
    return pytest.mark.skipif(bool(reason), reason=reason or "there is one")


ALL = [pytest.param(name, marks=needs(name)) for name in renderers.NAMES]
SAMPLED = [pytest.param(name, marks=needs(name)) for name in renderers.NAMES if name != "additive"]
SONG = {"A1": 0, "A4": 1}


def render(name: str, dataset: str, index: int, seconds: float = 4.0) -> Song:
    renderer = make_renderer(name)
    return render_song(make_recipe(dataset, songs=9, seed=0, seconds=seconds, renderer=renderer), renderer, index)[0]


@cache
def song(name: str, dataset: str = "A1") -> Song:
    return render(name, dataset, SONG[dataset])


@pytest.mark.parametrize("name", SAMPLED)
def test_a_song_does_not_depend_on_what_was_rendered_before(name: str):
    first = song(name)
    render(name, "A3", 2)
    again = render(name, "A1", SONG["A1"])
    for one, other in ((first.mix, again.mix), (first.bass, again.bass)):
        assert np.array_equal(one, other)
    assert np.array_equal(first.labels.level, again.labels.level)


@pytest.mark.parametrize("dataset", ["A1", "A4"])
@pytest.mark.parametrize("name", ALL)
def test_the_fundamental_is_crepes(name: str, dataset: str):
    """Within 20 cents on at least 95 % of the voiced frames above 32 Hz: CREPE's smaller network on 4 s of bass.

    Voiced is what both hold for voiced. Frames at the ends of a note, where CREPE's window of 64 ms holds the next note
    as well, are among the 5 %.
    """
    made = song(name, dataset)
    found, confidence = crepe_f0(made.bass, "tiny")
    voiced = (made.labels.f0 > 32) & (confidence >= 0.5)
    assert voiced.sum() > 0.9 * (made.labels.f0 > 0).sum()
    cents = 1200 * np.log2(found[voiced] / made.labels.f0[voiced])
    assert np.mean(np.abs(cents) <= 20) >= 0.95
    assert abs(np.median(cents)) < 10


def rises(signal: NDArray[np.float32], times: Sequence[float]) -> list[float]:
    """How long after each time, within 50 ms of it, the power of 5 ms rises the most over that of the 5 ms before."""
    found: list[float] = []
    for time in times:
        steps = np.arange(round(16000 * time) - 800, round(16000 * time) + 800, 16)
        power = [np.square(signal[step - 80 : step + 80]).reshape(2, 80).mean(axis=1) + 1e-5 for step in steps]
        rise = np.array([after / before for before, after in power])
        found.append(int(steps[rise.argmax()]) / 16000 - time)
    return found


@pytest.mark.parametrize("name", ALL)
def test_notes_start_at_their_onsets(name: str):
    """Not before, and not later than a sampled string's own attack takes: 20 ms, but for one in ten."""
    made = song(name)
    late = rises(made.bass, [onset for onset in made.about.onsets if 0.1 < onset < len(made.bass) / 16000 - 0.1])
    assert len(late) > 5
    assert min(late) > -0.005
    assert np.quantile(late, 0.9) < (0.005 if name == "additive" else 0.02)


@pytest.mark.parametrize("name", ALL)
def test_mix_and_bass_are_as_long_as_the_song_and_at_full_scale(name: str):
    made = song(name)
    assert made.about.tempo is not None
    assert len(made.mix) == len(made.bass) == round(len(made.about.bars) * 240 / made.about.tempo * 16000)
    assert np.abs(made.mix).max() == np.abs(made.bass).max() == 1 - 2**-15


@pytest.mark.parametrize("name", SAMPLED)
def test_the_mix_is_without_the_bass(name: str):
    """A bar of A4's pattern 5 has bass on its first beat only; A1 has it on each: mixes of both must not know."""
    made = song(name)
    f0 = made.labels.f0
    frame = int(np.flatnonzero(f0)[10])
    stretch = made.mix[160 * frame : 160 * frame + 3200].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(stretch * np.hanning(3200), 2**16))
    at = round(float(f0[frame]) * 2**16 / 16000)
    # Under the lowest note of the chord (130 Hz or more) there is the kick, but no peak at the bass's fundamental.
    neighbours = np.concatenate((spectrum[at - 400 : at - 150], spectrum[at + 150 : at + 400]))
    assert spectrum[at - 40 : at + 40].max() < 4 * neighbours.max()


@pytest.mark.parametrize("name", SAMPLED)
def test_harmonics_of_samples_are_fitted(name: str):
    made = song(name)
    harmonics = made.labels.harmonics
    assert harmonics is not None
    assert not harmonics[made.labels.f0 == 0].any()
    frame = int(np.flatnonzero(made.labels.onset)[3]) + 10
    stretch = made.bass[160 * frame - 512 : 160 * frame + 512].astype(np.float64)
    fitted = harmonic_amplitudes(stretch[None], float(made.labels.f0[frame]))[0]
    assert harmonics[frame] == pytest.approx(fitted, rel=0.02, abs=1e-4)
    # What the 20 partials do not explain of a plucked string is 20 dB below it.
    power = np.square(stretch).mean()
    assert np.square(harmonics[frame]).sum() / 2 == pytest.approx(power, rel=0.2)


def test_a_partial_above_half_the_sample_rate_has_amplitude_0():
    time = np.arange(1024) / 16000
    signal = 0.3 * np.cos(2 * np.pi * 900 * time) + 0.1 * np.sin(2 * np.pi * 8 * 900 * time)
    found = harmonic_amplitudes(signal[None], 900.0)[0]
    assert found == pytest.approx([0.3] + [0] * 6 + [0.1] + [0] * 12, abs=1e-6)


@pytest.mark.parametrize("name", SAMPLED)
def test_nothing_folds_back(name: str):
    """A click and tones at 48 kHz: those above 8 kHz are 90 dB down, those below 7 kHz are kept."""
    del name
    time = np.arange(48000) / PLAYED_RATE
    for frequency, gain in ((100, 1), (7000, 1), (8000, 0), (9000, 0), (16500, 0), (23000, 0)):
        tone = np.sin(2 * np.pi * frequency * time).astype(np.float32)
        played = np.stack((tone, tone), axis=1)
        inner = heard(played, 16000)[200:-200]
        assert np.abs(inner).max() == pytest.approx(gain, abs=5e-3 if gain else 4e-5)


def test_what_is_heard_is_not_late():
    played = np.zeros((48000, 2), np.float32)
    played[3 * 5000] = 1
    assert heard(played, 16000).argmax() == 5000


@pytest.mark.parametrize("name", SAMPLED)
def test_the_identity_names_the_sound_font_its_digest_and_its_licence(name: str):
    renderer = make_renderer(name)
    font = soundfont.sound_font_file()
    assert renderer.identity.name == name
    assert renderer.identity.version[0].isdigit()
    assert (renderer.identity.sound_font, renderer.identity.sound_font_sha256) == (font.path.name, font.sha256)
    assert renderer.identity.licence == {"FluidR3_GM.sf2": "MIT", "TimGM6mb.sf2": "GPL-2.0-only"}[font.path.name]


def font_with(information: bytes) -> bytes:
    chunk = b"LIST" + (4 + len(information)).to_bytes(4, "little") + b"INFO" + information
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"sfbk" + chunk


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        (b"INAM\x07\0\0\0My own\0\0ICOP\x06\0\0\0CC0-1\0", "CC0-1"),
        (b"INAM\x0c\0\0\0Fluid R3 GM\0", "MIT"),
        (b"INAM\x07\0\0\0My own\0\0", "unknown"),
        (b"", "unknown"),
    ],
)
def test_the_licence_is_the_sound_fonts_own_word(tmp_path: Path, information: bytes, expected: str):
    path = tmp_path / "own.sf2"
    path.write_bytes(font_with(information))
    assert licence(path) == expected


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("size", [12, 100_000])
def test_a_sound_font_that_cannot_be_played_is_refused(name: str, tmp_path: Path, size: int):
    path = tmp_path / "cut.sf2"
    path.write_bytes(soundfont.sound_font_file().path.read_bytes()[:size])
    renderer = make_renderer(name, str(path))
    recipe = make_recipe("A1", songs=1, seed=0, seconds=2.0, renderer=renderer)
    with pytest.raises(ValueError, match=r"cut\.sf2") as raised:
        render_song(recipe, renderer, 0)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", SAMPLED)
def test_what_is_no_sound_font_is_refused_before_anything_is_rendered(name: str, tmp_path: Path):
    (tmp_path / "text.sf2").write_text("no sounds at all")
    with pytest.raises(ValueError, match=r"text\.sf2 is not a sound font$"):
        make_renderer(name, str(tmp_path / "text.sf2"))
    with pytest.raises(ValueError, match=r"must be 'auto' or the path of an \.sf2 file, got 'nowhere\.sf2'"):
        make_renderer(name, "nowhere.sf2")


def test_a_renderer_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="one of auto, fluidsynth, tinysoundfont, additive, got 'moog'"):
        make_renderer("moog")
    with pytest.raises(ValueError, match=r"the additive renderer plays no sound font, got 'my\.sf2'"):
        make_renderer("additive", "my.sf2")


def test_auto_takes_what_there_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert fluidsynth_renderer.missing() == "there is no command fluidsynth: apt-get install fluidsynth"
    with pytest.raises(ImportError, match="apt-get install fluidsynth"):
        make_renderer("fluidsynth")
    if not tinysoundfont_renderer.missing() and not renderers.missing("tinysoundfont"):
        assert make_renderer().identity.name == "tinysoundfont"
    monkeypatch.setattr(tinysoundfont_renderer, "missing", lambda: "tinysoundfont is not installed")
    assert make_renderer().identity.name == "additive"
