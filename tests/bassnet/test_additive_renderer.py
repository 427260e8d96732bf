"""The additive synthesiser, and the labels of what it plays."""

from functools import cache

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from tonedeaf.bassnet.additive_renderer import AdditiveRenderer, Timbre, bass_timbre, program_timbre
from tonedeaf.bassnet.dataset import Song
from tonedeaf.bassnet.harmonic_projection import projected_harmonics
from tonedeaf.bassnet.rendering import Recipe, Sound, make_recipe, render_song
from tonedeaf.bassnet.songs import Score, compose_song, song_generator
from tonedeaf.bassnet.truth import frequency

RENDERER = AdditiveRenderer()


def recipe(dataset: str = "A1", seconds: float = 8.0) -> Recipe:
    return make_recipe(dataset, songs=12, seed=0, seconds=seconds, renderer=RENDERER)


@cache
def song(dataset: str = "A1", index: int = 0) -> Song:
    return render_song(recipe(dataset), RENDERER, index)[0]


def score_of(dataset: str = "A1", index: int = 0) -> Score:
    return compose_song(dataset, seed=0, index=index, seconds=8.0)


def sound_of(dataset: str = "A1", index: int = 0) -> Sound:
    generator = song_generator(dataset, seed=0, index=index, stream=1)
    return RENDERER.render(score_of(dataset, index), generator)


def test_a_note_is_the_sum_of_its_partials():
    timbre = bass_timbre(np.random.default_rng(0))
    time = np.arange(4000) / 16000
    numbers = np.arange(1, 21)
    amplitudes = timbre.fades(4000)[:, None] * timbre.amplitudes(time)
    angles = 2 * np.pi * (87.3 * np.outer(time, numbers) + timbre.phases)
    assert timbre.note(87.3, 4000) == pytest.approx((amplitudes * np.cos(angles)).sum(axis=1), abs=1e-12)


def test_a_note_fades_in_and_out_within_itself():
    """So that the labels hold exactly: nothing sounds where no note is held."""
    timbre = bass_timbre(np.random.default_rng(0))
    fades = timbre.fades(4000)
    assert fades[0] == 0
    assert fades[-1] < 1e-4
    assert np.all(fades[80 : 4000 - 240] == 1)  # 5 ms and 15 ms
    assert np.all(np.diff(fades[:81]) > 0)


def test_no_partial_lies_above_half_the_sample_rate():
    flat = Timbre(np.ones(24), np.zeros(24), decay=0, damping=0, attack=0.005, release=0.005)
    spectrum = np.abs(np.fft.rfft(flat.note(440.0, 16000) * np.hanning(16000)))
    peaks, _ = scipy.signal.find_peaks(spectrum, height=spectrum.max() / 2)
    assert peaks.tolist() == [440 * number for number in range(1, 18)]  # 1 Hz a bin; 18·440 > 7600


@pytest.mark.parametrize("dataset", ["A1", "A4"])
def test_harmonics_are_exact(dataset: str):
    """Against least squares on the stored audio, on frames well inside a note: that errs by less than 0.1 dB."""
    score, made = score_of(dataset), song(dataset)
    truth = made.labels.harmonics
    assert truth is not None
    fitted = projected_harmonics(score, made.bass.astype(np.float64), detuning=made.about.detuning)
    inner = np.zeros(len(truth), bool)
    for note in score.bass.notes:
        start, end = score.sample(note.start), score.sample(note.end)
        # The frame of 512 samples each way, away from the fades of 80 and 240 samples.
        inner[-(-(start + 592) // 160) : (end - 752) // 160 + 1] = True
    assert inner.sum() > 100
    heard = truth[inner] > 1e-3 * truth[inner].max(axis=1, keepdims=True)
    error = 20 * np.log10(fitted[inner][heard] / truth[inner][heard])
    assert np.abs(error).max() < 0.1


def test_harmonics_resynthesise_the_bass():
    """The sum of the squares of the amplitudes is twice the power, where a frame holds whole periods."""
    made = song()
    truth = made.labels.harmonics
    assert truth is not None
    frame = int(np.flatnonzero(made.labels.onset)[4]) + 12
    period = 16000 / made.labels.f0[frame]
    around = made.bass[160 * frame - round(3 * period) : 160 * frame + round(3 * period)]
    assert 2 * np.square(around).mean() == pytest.approx(np.square(truth[frame]).sum(), rel=0.02)


def test_f0_is_that_of_the_midi_notes_detuned():
    score, made = score_of(), song()
    for note in score.bass.notes:
        middle = (score.sample(note.start) + score.sample(note.end)) // 320
        wanted = 440 * 2 ** ((note.key - 69 + made.about.detuning / 100) / 12)
        assert made.labels.f0[middle] == pytest.approx(wanted, rel=1e-6)


def test_frames_have_a_fundamental_where_a_note_is_held():
    """The centre of frame k is sample 160·k."""
    for dataset in ("A1", "A4"):
        score, made = score_of(dataset, 1), song(dataset, 1)
        held = np.zeros(len(made.bass) + 160, bool)
        for note in score.bass.notes:
            held[score.sample(note.start) : score.sample(note.end)] = True
        assert np.array_equal(made.labels.f0 > 0, held[::160][: len(made.labels)])


def test_onsets_are_on_the_nearest_frame():
    score, made = score_of(), song()
    times = np.array(made.about.onsets)
    frames = np.flatnonzero(made.labels.onset)
    assert len(frames) == len(times) == len(score.bass.notes)
    assert np.abs(frames / 100 - times).max() <= 0.005 + 1e-9
    assert set(np.unique(made.labels.onset)) == {0, 1}


def test_bars_patterns_and_chords_per_frame():
    made = song("A4", 2)
    starts = [bar.start for bar in made.about.bars]
    for frame in range(0, len(made.labels), 7):
        number = max(position for position, start in enumerate(starts) if start <= frame / 100 + 1e-4)
        bar = made.about.bars[number]
        labels = made.labels
        found = labels.bar[frame], labels.pattern[frame], labels.chord_root[frame], labels.chord_quality[frame]
        assert found == (number, bar.pattern, bar.chord_root, bar.chord_quality)


def test_songs_are_detuned_by_up_to_50_cents():
    shortest = compose_song("A1", seed=0, index=0, seconds=1.0)
    detunings = [RENDERER.render(shortest, np.random.default_rng(seed)).detuning for seed in range(40)]
    assert -50 <= min(detunings) < -40
    assert 40 < max(detunings) <= 50


def test_mix_and_bass_are_detuned_alike():
    """By the second partial of the root in the mix's first chord, over its first bar."""
    score, sound = score_of("A3", 1), sound_of("A3", 1)
    bar = score.sample(880)
    spectrum = np.abs(np.fft.rfft(sound.mix[:bar] * np.hanning(bar), 2**20))
    there = 2 * frequency(score.bars[0].chord.root, sound.detuning) * 2**20 / 16000
    window = slice(int(there * 0.985), int(there * 1.015))
    found = window.start + int(spectrum[window].argmax())
    assert abs(sound.detuning) > 10
    assert 1200 * np.log2(found / there) == pytest.approx(0, abs=3)


def test_audio_is_stored_at_full_scale_and_says_by_which_gain():
    sound, made = sound_of(), song()
    for stored, rendered, gain in (
        (made.mix, sound.mix, made.about.mix_gain),
        (made.bass, sound.bass, made.about.bass_gain),
    ):
        assert np.abs(stored).max() == 1 - 2**-15
        assert stored == pytest.approx(gain * rendered, abs=2**-16 + 1e-9)
    assert sound.harmonics is not None
    assert made.labels.harmonics == pytest.approx(made.about.bass_gain * sound.harmonics, rel=1e-6)


def centroid(signal: NDArray[np.float64]) -> float:
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float((np.fft.rfftfreq(len(signal), 1 / 16000) * spectrum).sum() / spectrum.sum())


@pytest.mark.parametrize("key", [48, 55, 60, 67])
def test_organ_and_guitar_differ_in_timbre(key: int):
    """In A3 the pattern can be inferred from nothing else: spectrum and envelope tell them apart at every pitch."""
    organ, guitar = (program_timbre(program, 1.0).note(frequency(key, 0), 4800) for program in (16, 24))
    spectra = [np.abs(np.fft.rfft(note * np.hanning(4800))) for note in (organ, guitar)]
    likeness = float(spectra[0] @ spectra[1] / (np.linalg.norm(spectra[0]) * np.linalg.norm(spectra[1])))
    assert likeness < 0.9
    assert abs(np.log2(centroid(organ) / centroid(guitar))) > 0.25
    halves = [np.sqrt(np.square(note[3200:4400]).mean() / np.square(note[200:1400]).mean()) for note in (organ, guitar)]
    assert halves[0] == pytest.approx(1, abs=0.05)  # the organ holds
    assert halves[1] < 0.5  # the guitar decays


def test_a_song_is_a_function_of_recipe_and_index():
    again = render_song(recipe(), RENDERER, 0)[0]
    assert np.array_equal(song().mix, again.mix)
    assert np.array_equal(song().bass, again.bass)
    other = render_song(recipe(), RENDERER, 1)[0]
    assert len(other.bass) != len(song().bass) or not np.array_equal(song().bass, other.bass)
