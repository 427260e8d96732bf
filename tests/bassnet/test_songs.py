"""The songs of A1 to A4, read back from their MIDI files: every number of the specification."""

import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import mido
import numpy as np
import pretty_midi
import pytest

from tonedeaf.bassnet.midi import score_midi
from tonedeaf.bassnet.songs import Score, compose_song

DATASETS = ("A1", "A2", "A3", "A4")
INDICES = range(12)
MAJOR, MINOR, DIMINISHED = (4, 7), (3, 7), (3, 6)
SCALES = ({0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10})
ORGAN, GUITAR = 16, 24
GROUPS = {*range(8), *range(16, 32), *range(48, 56)}


@cache
def score(dataset: str, index: int, seconds: float = 60.0, seed: int = 0) -> Score:
    return compose_song(dataset, seed=seed, index=index, seconds=seconds)


@dataclass(frozen=True)
class Heard:
    """A MIDI file in beats, as a program that knows nothing of ours reads it."""

    tempo: float
    bass: dict[int, list[tuple[float, float, int, int]]]
    """Per bar: (beat in the bar, beats, key, velocity)."""
    chords: dict[int, dict[int, list[tuple[float, float, int, int]]]]
    """Per program and bar, likewise."""
    drums: dict[int, list[tuple[float, int]]]
    """Per bar: (beat in the bar, key)."""
    names: list[tuple[str, int]]


@cache
def heard(dataset: str, index: int) -> Heard:
    file = pretty_midi.PrettyMIDI(io.BytesIO(score_midi(score(dataset, index))))
    (tempo,) = file.get_tempo_changes()[1]
    bass: dict[int, list[tuple[float, float, int, int]]] = defaultdict(list)
    chords: dict[int, dict[int, list[tuple[float, float, int, int]]]] = defaultdict(lambda: defaultdict(list))
    drums: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for part in file.instruments:
        for note in part.notes:
            beat = round(note.start * tempo / 60, 4)
            bar = int(beat // 4)
            what = (beat - 4 * bar, round((note.end - note.start) * tempo / 60, 3), note.pitch, note.velocity)
            if part.is_drum:
                drums[bar].append((what[0], note.pitch))
            elif part.name == "bass":
                bass[bar].append(what)
            else:
                chords[part.program][bar].append(what)
    return Heard(tempo, bass, chords, drums, [(part.name, part.program) for part in file.instruments])


def triad(of_bar: Sequence[tuple[float, float, int, int]]) -> tuple[int, tuple[int, int]]:
    """The root and the two intervals of the chord in a bar, which must be one chord on every quarter."""
    by_beat: dict[float, list[int]] = defaultdict(list)
    for beat, _, key, _ in of_bar:
        by_beat[beat].append(key)
    assert sorted(by_beat) == [0.0, 1.0, 2.0, 3.0]
    (keys,) = {tuple(sorted(keys)) for keys in by_beat.values()}
    root, third, fifth = keys
    return root, (third - root, fifth - root)


def chord_of_bar(song: Heard, bar: int) -> tuple[int, tuple[int, int], set[int]]:
    """Root, intervals and programs of the chord in a bar."""
    programs = {program for program, bars in song.chords.items() if bar in bars}
    ((root, intervals),) = {triad(song.chords[program][bar]) for program in programs}
    return root, intervals, programs


def scale_of(song: Heard) -> set[int]:
    """The pitch classes of one of the 24 diatonic scales that hold all the song's chords."""
    used = {key % 12 for bars in song.chords.values() for notes in bars.values() for _, _, key, _ in notes}
    return next(
        {(tonic + step) % 12 for step in scale}
        for tonic in range(12)
        for scale in SCALES
        if used <= {(tonic + step) % 12 for step in scale}
    )


def degrees(root: int, scale: set[int]) -> list[int]:
    """Semitones from the root up along the scale: degrees 1, 2, …, 7."""
    return [step for step in range(12) if (root + step) % 12 in scale]


def expected(dataset: str, pattern: int, quality: tuple[int, int], programs: set[int]) -> list[tuple[float, int]]:
    """(beat, degree) of the bass in a bar, as the paper says it (section 5.1.1 to 5.1.4)."""
    quarters: dict[tuple[str, int], list[int]] = {
        ("A1", 0): [1, 1, 1, 1],
        ("A1", 1): [3, 3, 3, 3],
        ("A1", 2): [5, 5, 5, 5],
        ("A2", 0): [5] * 4 if quality == MAJOR else [1] * 4,
        ("A2", 1): [1] * 4 if quality == MAJOR else [5] * 4,
        ("A3", 0): [1] * 4 if programs == {GUITAR} else [5] * 4,
        ("A3", 1): [5] * 4 if programs == {GUITAR} else [1] * 4,
        ("A4", 0): [1, 5, 1, 5],
        ("A4", 1): [5, 1, 5, 1],
        ("A4", 2): [1, 3, 5, 3],
    }
    if (dataset, pattern) == ("A4", 3):
        return [(eighth / 2, degree) for eighth, degree in enumerate([1, 2, 3, 4, 5, 4, 3, 2])]
    if (dataset, pattern) == ("A4", 4):
        return [(0.0, 1)]
    return list(enumerate(quarters[dataset, pattern]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_bass_plays_the_pattern_of_each_bar(dataset: str):
    """Register included: degree 1 is the root − 12, and every note lies in [root − 12, root − 1]."""
    played: Counter[int] = Counter()
    for index in INDICES:
        song = heard(dataset, index)
        for bar, what in enumerate(score(dataset, index).bars):
            root, quality, programs = chord_of_bar(song, bar)
            steps = degrees(root, scale_of(song))
            assert (steps[2], steps[4]) == quality
            want = [
                (beat, root - 12 + steps[degree - 1])
                for beat, degree in expected(dataset, what.pattern, quality, programs)
            ]
            assert [(beat, key) for beat, _, key, _ in song.bass[bar]] == want
            assert all(root - 12 <= key <= root - 1 for _, _, key, _ in song.bass[bar])
            played[what.pattern] += 1
    assert set(played) == set(range({"A1": 3, "A2": 2, "A3": 2, "A4": 5}[dataset]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_notes_have_one_velocity_and_a_gate_of_nine_tenths(dataset: str):
    for index in INDICES:
        song = heard(dataset, index)
        assert len({velocity for notes in song.bass.values() for *_, velocity in notes}) == 1
        for bar, notes in song.bass.items():
            pattern = score(dataset, index).bars[bar].pattern
            beats = 0.5 if (dataset, pattern) == ("A4", 3) else 1.0
            assert [length for _, length, _, _ in notes] == pytest.approx([0.9 * beats] * len(notes), abs=1e-3)


@pytest.mark.parametrize("dataset", DATASETS)
def test_chords_are_diatonic_triads_in_root_position(dataset: str):
    roots: set[int] = set()
    for index in INDICES:
        song = heard(dataset, index)
        scale = scale_of(song)
        for bar in range(len(score(dataset, index).bars)):
            root, quality, _ = chord_of_bar(song, bar)
            assert 48 <= root <= 60
            assert quality in {MAJOR, MINOR, DIMINISHED}
            assert {root % 12, (root + quality[0]) % 12, (root + quality[1]) % 12} <= scale
            roots.add(root)
    assert roots == set(range(48, 61))


@pytest.mark.parametrize("dataset", DATASETS)
def test_tempi_whole_bars_and_about_a_minute(dataset: str):
    tempi = [heard(dataset, index).tempo for index in INDICES]
    assert all(100 <= tempo <= 200 for tempo in tempi)
    assert np.ptp(tempi) > 50
    for index, tempo in zip(INDICES, tempi, strict=True):
        song = score(dataset, index)
        bar = 240 / tempo
        assert tempo == pytest.approx(song.tempo, rel=1e-6)
        assert abs(len(song.bars) * bar - 60) <= bar / 2 + 1e-6
        assert song.samples == pytest.approx(len(song.bars) * bar * 16000, abs=1)


@pytest.mark.parametrize("dataset", DATASETS)
def test_drums(dataset: str):
    """Kick on beats 1 and 3, snare on 2 and 4, closed hat on eighths; A4: kick also on the second eighth of beat 3."""
    kicks = {0.0, 2.0, 2.5} if dataset == "A4" else {0.0, 2.0}
    for index in INDICES:
        song = heard(dataset, index)
        assert sorted(song.drums) == list(range(len(score(dataset, index).bars)))
        for hits in song.drums.values():
            of_key: dict[int, list[float]] = defaultdict(list)
            for beat, key in hits:
                of_key[key].append(beat)
            assert {key: set(beats) for key, beats in of_key.items()} == {
                36: kicks,
                38: {1.0, 3.0},
                42: {eighth / 2 for eighth in range(8)},
            }
            assert len(hits) == len(kicks) + 10


@pytest.mark.parametrize("dataset", DATASETS)
def test_instruments(dataset: str):
    programs_met: set[int] = set()
    for index in INDICES:
        song = heard(dataset, index)
        names = [name for name, _ in song.names]
        assert (names[-2:], set(names[:-2])) == (["drums", "bass"], {"chords"})
        assert song.names[-1] == ("bass", 33)
        programs = {program for name, program in song.names if name == "chords"}
        programs_met |= programs
        if dataset == "A3":
            assert programs <= {ORGAN, GUITAR}
        else:
            assert len(programs) == 2
            assert programs <= GROUPS
            assert all(len(chord_of_bar(song, bar)[2]) == 2 for bar in range(len(score(dataset, index).bars)))
    assert len(programs_met) == 2 if dataset == "A3" else len(programs_met) > 12


def many(dataset: str) -> list[Score]:
    return [score(dataset, index, seconds=60.0, seed=1) for index in range(150)]


@pytest.mark.parametrize(("dataset", "count"), [("A1", 3), ("A2", 2), ("A3", 2), ("A4", 5)])
def test_a_pattern_changes_with_probability_a_tenth_uniformly_to_another(dataset: str, count: int):
    """Of 5600 bar lines: a standard deviation of .004; of 560 changes, each target within 4 deviations of its share."""
    pairs = [
        (one.pattern, other.pattern)
        for song in many(dataset)
        for one, other in zip(song.bars, song.bars[1:], strict=False)
    ]
    changes = [pair for pair in pairs if pair[0] != pair[1]]
    assert len(changes) / len(pairs) == pytest.approx(0.1, abs=0.016)
    share = 1 / (count * (count - 1))
    counted = Counter(changes)
    deviation = (share * (1 - share) / len(changes)) ** 0.5
    for one in range(count):
        for other in range(count):
            if one != other:
                assert counted[one, other] / len(changes) == pytest.approx(share, abs=4 * deviation + 1e-3)
    first = Counter(song.bars[0].pattern for song in many(dataset))
    assert max(first.values()) / 150 < 1 / count + 4 * (1 / count * (1 - 1 / count) / 150) ** 0.5


def test_chords_last_one_or_two_bars_with_even_odds():
    lengths: Counter[int] = Counter()
    for song in many("A1"):
        length = 1
        for one, other in zip(song.bars, song.bars[1:], strict=False):
            if one.chord == other.chord:
                length += 1
            else:
                lengths[length] += 1
                length = 1
    assert set(lengths) == {1, 2}
    assert lengths[1] / lengths.total() == pytest.approx(0.5, abs=0.035)  # 4 deviations of 3700 chords


def test_organ_and_guitar_switch_at_half_of_the_chord_changes_and_nowhere_else():
    switches, changes = 0, 0
    for song in many("A3"):
        for one, other in zip(song.bars, song.bars[1:], strict=False):
            if one.chord == other.chord:
                assert one.programs == other.programs
            else:
                changes += 1
                switches += one.programs != other.programs
    assert switches / changes == pytest.approx(0.5, abs=0.035)


def test_keys_modes_and_steps_are_uniform():
    keys = Counter(song.bars[0].chord.key.tonic for song in many("A1"))
    modes = Counter(song.bars[0].chord.key.mode for song in many("A1"))
    steps = Counter(bar.chord.step for song in many("A1") for bar in song.bars)
    assert len(keys) == 12
    assert modes["major"] / 150 == pytest.approx(0.5, abs=0.17)
    assert all(count / steps.total() == pytest.approx(1 / 7, abs=0.03) for count in steps.values())


def test_mixing_ratios_are_random_and_the_louder_instrument_is_at_full_volume():
    ratios: list[float] = []
    for song in many("A1"):
        volumes = [part.volume for part in song.mix if part.name == "chords"]
        assert max(volumes) == 127
        gains = [(volume / 127) ** 2 for volume in volumes]
        ratios.append(gains[0] / sum(gains))
    assert min(ratios) == pytest.approx(0.1, abs=0.03)
    assert max(ratios) == pytest.approx(0.9, abs=0.03)
    assert np.mean(ratios) == pytest.approx(0.5, abs=0.08)  # 4 deviations


def test_a_song_is_a_function_of_dataset_seed_and_index():
    one = compose_song("A1", seed=0, index=3, seconds=20)
    assert one == compose_song("A1", seed=0, index=3, seconds=20)
    others = [
        compose_song("A1", seed=0, index=4, seconds=20),
        compose_song("A1", seed=1, index=3, seconds=20),
        compose_song("A2", seed=0, index=3, seconds=20),
    ]
    assert all(one.bars != other.bars for other in others)


@pytest.mark.parametrize("index", range(4))
def test_the_midi_file_keeps_tempo_and_ticks_exactly(index: int):
    song = score("A4", index)
    file = mido.MidiFile(file=io.BytesIO(score_midi(song)))
    assert file.ticks_per_beat == 220
    assert [message.tempo for message in file.tracks[0] if message.type == "set_tempo"] == [song.beat]
    tick, starts = 0, list[int]()
    for message in file.tracks[-1]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            starts.append(tick)
    assert starts == [note.start for note in song.bass.notes]
