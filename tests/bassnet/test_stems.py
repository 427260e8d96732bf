"""Datasets of recordings: folders of stems, mixed with random gains."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tonedeaf.bassnet import stems
from tonedeaf.bassnet.dataset import Dataset, open_dataset
from tonedeaf.bassnet.labels import UNKNOWN, Labels, frame_count
from tonedeaf.bassnet.level import absolute_level, frame_power, minmax_level
from tonedeaf.bassnet.stems import build_stems_dataset, check_track, find_tracks, mix_stems

RATE = 22050


def tone(frequency: float, seconds: float = 2.2, amplitude: float = 0.4) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def write(folder: Path, **signals: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for name, signal in signals.items():
        soundfile.write(folder / f"{name}.wav", signal, RATE, subtype="FLOAT")


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """MUSDB18-HQ's layout, and things that are no tracks."""
    folder = tmp_path / "recordings"
    write(folder / "train" / "Band - One", bass=tone(55), drums=tone(1000), other=tone(440), mixture=tone(3000))
    write(folder / "train" / "Band - Two", bass=tone(65), drums=np.zeros(RATE * 3), other=tone(220, 3.0))
    write(folder / "test" / "Band - Three", bass=tone(73), vocals=tone(330, 2.1))
    write(folder / "no bass", drums=tone(1000), other=tone(440))
    write(folder / "bass alone", bass=tone(55), mixture=tone(55))
    (folder / "readme.txt").write_text("recordings")
    return folder


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In place of CREPE and the onset detector, which have tests of their own: the lengths of what was described."""
    lengths: list[int] = []

    def describe(bass: np.ndarray, onsets: np.ndarray, capacity: str) -> Labels:
        lengths.append(len(bass))
        frames = frame_count(len(bass))
        unknown = np.full(frames, UNKNOWN, np.int64)
        power = frame_power(bass)
        return Labels(
            f0=np.full(frames, 55, np.float32),
            level=absolute_level(power),
            level_minmax=minmax_level(power)[0],
            onset=np.zeros(frames, np.float32),
            pattern=unknown,
            bar=unknown,
            chord_root=unknown,
            chord_quality=unknown,
            harmonics=None,
        )

    monkeypatch.setattr(stems, "describe", describe)
    monkeypatch.setattr(stems, "onset_times", lambda recording: np.array([0.5]))
    return lengths


def build(folder: Path, out: Path, refused: Callable[[str], None] = pytest.fail, **options: Any) -> Dataset:
    chosen: dict[str, Any] = {"songs": None, "seed": 0, **options}
    with ThreadPoolExecutor(1) as executor:
        return build_stems_dataset(out, find_tracks(folder), executor=executor, refused=refused, **chosen)


def test_tracks_are_found_in_musdbs_layout(recordings: Path):
    tracks = find_tracks(recordings)
    assert [track.name for track in tracks] == ["test/Band - Three", "train/Band - One", "train/Band - Two"]
    assert [path.name for path in tracks[1].others] == ["drums.wav", "other.wav"]  # the mixture is left out
    assert [path.name for path in tracks[1].bass] == ["bass.wav"]


def test_a_bass_is_found_whatever_its_case_and_nothing_else_is_one(tmp_path: Path):
    write(tmp_path / "one", Bass=tone(55), Drums=tone(1000), Mixture=tone(3000))
    write(tmp_path / "two", BASS=tone(55), **{"bass.di": tone(55), "bassoon": tone(110)})
    found = [
        ([path.name for path in track.bass], [path.name for path in track.others]) for track in find_tracks(tmp_path)
    ]
    assert found == [(["Bass.wav"], ["Drums.wav"]), (["BASS.wav"], ["bass.di.wav", "bassoon.wav"])]


@pytest.mark.parametrize("other", ["bass.flac", "Bass.wav"])
def test_two_basses_of_one_folder_are_refused_before_anything_is_made(
    recordings: Path, tmp_path: Path, described: list[int], other: str
):
    """They would be two tracks of one recording, which a split could part."""
    del described
    folder = recordings / "train" / "Band - Two"
    soundfile.write(folder / other, tone(65), RATE)
    write(folder / "a", bass=tone(55), drums=tone(1000))  # sorted between a capital and a small letter
    names = " and ".join(sorted([other, "bass.wav"]))
    with pytest.raises(ValueError, match=f"^{folder} has two basses, {names}: leave one of them$"):
        build(recordings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_basses_without_another_stem_are_no_track(recordings: Path):
    write(recordings / "bass alone" / "b", bass=tone(55), BASS=tone(55))
    assert len(find_tracks(recordings)) == 3


def test_a_folder_without_tracks_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"holds no track: a folder with bass\.wav and other stems beside it"):
        find_tracks(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        find_tracks(tmp_path / "nowhere")


def test_a_song_is_its_stems_with_their_gains(recordings: Path, tmp_path: Path, described: list[int]):
    dataset = build(recordings, tmp_path / "out")
    song = dataset.song(1)
    assert song.about.name == "train/Band - One"
    gains = song.about.stem_gains
    assert sorted(gains) == ["drums", "other"]
    assert all(0.5 <= gain <= 1 for gain in gains.values())
    time = np.arange(len(song.mix)) / 16000
    drums, other = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 440 * time)
    mix = 0.4 * (gains["drums"] * drums + gains["other"] * other)
    inner = slice(500, -500)
    assert song.mix[inner] == pytest.approx((song.about.mix_gain * mix)[inner], abs=5e-3)
    bass = 0.4 * np.sin(2 * np.pi * 55 * time)
    assert song.bass[inner] == pytest.approx((song.about.bass_gain * bass)[inner], abs=5e-3)
    assert np.abs(song.mix).max() == np.abs(song.bass).max() == 1 - 2**-15
    assert song.about.onsets == (0.5,)
    assert len(described) == 3


def test_stems_of_one_name_in_two_formats_have_gains_of_their_own(tmp_path: Path, described: list[int]):
    del described
    write(tmp_path / "in" / "one", bass=tone(55), drums=tone(1000), guitar=tone(440))
    soundfile.write(tmp_path / "in" / "one" / "guitar.flac", tone(660), RATE)
    song = build(tmp_path / "in", tmp_path / "out").song(0)
    gains = song.about.stem_gains
    assert list(gains) == ["drums.wav", "guitar.flac", "guitar.wav"]
    spectrum = np.abs(np.fft.rfft(song.mix[500:32500])) / 16000  # bins of half a hertz
    heard = [spectrum[2 * hertz] for hertz in (1000, 660, 440)]
    assert heard == pytest.approx([0.4 * song.about.mix_gain * gain for gain in gains.values()], abs=2e-3)


def test_stems_are_as_long_as_the_bass(recordings: Path, tmp_path: Path, described: list[int]):
    """Longer ones are cut, shorter ones filled with zeros."""
    del described
    dataset = build(recordings, tmp_path / "out")
    for index in range(3):
        song = dataset.song(index)
        assert len(song.mix) == len(song.bass) == 35200
    assert not dataset.song(0).mix[33700:].any()  # vocals of 2.1 s beside a bass of 2.2 s


def test_more_songs_than_tracks_are_other_mixes(recordings: Path, tmp_path: Path, described: list[int]):
    dataset = build(recordings, tmp_path / "out", songs=8)
    assert dataset.groups == (0, 1, 2, 0, 1, 2, 0, 1)
    assert len(described) == 3  # each bass once
    one, other = dataset.song(1), dataset.song(4)
    assert one.about.name == other.about.name
    assert one.about.stem_gains != other.about.stem_gains
    assert np.array_equal(one.bass, other.bass)
    assert np.array_equal(one.labels.level, other.labels.level)
    assert not np.array_equal(one.mix, other.mix)


def test_gains_are_uniform_in_half_to_one(recordings: Path):
    """And a function of seed and index."""
    track = find_tracks(recordings)[1:2]
    gains = np.array(
        [
            list(stems.random_gains(track[0], seed=seed, index=index).values())
            for seed in range(2)
            for index in range(200)
        ]
    )
    assert gains.min() == pytest.approx(0.5, abs=0.01)
    assert gains.max() == pytest.approx(1.0, abs=0.01)
    assert gains.mean() == pytest.approx(0.75, abs=0.02)
    assert len(np.unique(gains)) == gains.size
    assert stems.random_gains(track[0], seed=1, index=7) == stems.random_gains(track[0], seed=1, index=7)


def test_mixing_is_the_weighted_sum():
    one, other = np.arange(4, dtype=np.float32), np.ones(4, np.float32)
    assert mix_stems([one, other], [0.5, 0.75]).tolist() == [0.75, 1.25, 1.75, 2.25]


def test_a_dataset_of_recordings_is_resumed(recordings: Path, tmp_path: Path, described: list[int]):
    whole = build(recordings, tmp_path / "whole", songs=4)
    begun = tmp_path / "begun"
    build(recordings, begun, songs=4)
    manifest = (begun / "manifest.json").read_text().replace('"complete": true', '"complete": false')
    (begun / "manifest.json").write_text(manifest)
    for name in ("00001", "00003"):
        for path in (begun / "songs" / name).iterdir():
            path.unlink()
        (begun / "songs" / name).rmdir()
    del described[:]
    again = build(recordings, begun, songs=4)
    assert again.manifest == whole.manifest
    assert len(described) == 1  # of track 1; song 3 has the bass of song 0


def test_a_damaged_dataset_of_recordings_is_repaired(recordings: Path, tmp_path: Path, described: list[int]):
    whole = build(recordings, tmp_path / "out", songs=4)
    before = whole.song(0), whole.song(3)
    (tmp_path / "out" / "songs" / "00000" / "labels.npz").write_bytes(b"PK")
    (tmp_path / "out" / "songs" / "00003" / "song.json").unlink()
    del described[:]
    told: list[int] = []
    again = build(recordings, tmp_path / "out", songs=4, damaged=told.append)
    assert told == [2]
    assert again.manifest == whole.manifest
    assert len(described) == 1  # song 3 is another mix of song 0's track
    for one, same in zip(before, (again.song(0), again.song(3)), strict=True):
        assert np.array_equal(one.mix, same.mix)
        assert np.array_equal(one.labels.level, same.labels.level)


def test_other_recordings_are_another_dataset(recordings: Path, tmp_path: Path, described: list[int]):
    del described
    first = build(recordings, tmp_path / "out")
    soundfile.write(recordings / "train" / "Band - One" / "drums.wav", tone(900), RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match="holds another dataset: its sources"):
        build(recordings, tmp_path / "out")
    assert build(recordings, tmp_path / "other").digest != first.digest


def test_a_track_that_cannot_be_used_is_named_and_left_out(recordings: Path, tmp_path: Path, described: list[int]):
    del described
    write(recordings / "clipped", bass=np.clip(3 * tone(55), -1, 1), other=tone(440))
    write(recordings / "silent", bass=np.zeros(RATE * 3), other=tone(440))
    write(recordings / "silent mix", bass=tone(55), other=np.zeros(RATE * 3), drums=np.zeros(RATE * 3))
    write(recordings / "short", bass=tone(55, 0.5), other=tone(440))
    write(recordings / "undecodable", bass=tone(55), other=tone(440))
    (recordings / "undecodable" / "other.wav").write_text("no audio")
    refused: list[str] = []
    dataset = build(recordings, tmp_path / "out", refused.append)
    assert len(dataset) == 3
    assert sorted(dataset.manifest.sources) == ["test/Band - Three", "train/Band - One", "train/Band - Two"]
    assert len(refused) == 5
    for path, words in (
        ("clipped/bass.wav", "is clipped"),
        ("silent/bass.wav", "is silent"),
        ("silent mix/bass.wav", "are all silent"),
        ("short/bass.wav", "is too short"),
        ("undecodable/other.wav", "cannot be decoded"),
    ):
        assert [line for line in refused if path in line and words in line and "\n" not in line]


def test_no_track_at_all_that_can_be_used_is_an_error(tmp_path: Path, described: list[int]):
    del described
    write(tmp_path / "in" / "silent", bass=np.zeros(RATE * 3), other=tone(440))
    with pytest.raises(ValueError, match="none of the 1 tracks can be used"):
        build(tmp_path / "in", tmp_path / "out", lambda problem: None)
    assert not (tmp_path / "out").exists()


def test_wrong_arguments_are_refused(recordings: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="songs must be at least 1, got 0"):
        build(recordings, tmp_path / "out", songs=0)
    with pytest.raises(ValueError, match="seed must not be negative, got -2"):
        build(recordings, tmp_path / "out", seed=-2)


def test_a_file_that_goes_away_is_named(recordings: Path):
    track = find_tracks(recordings)[0]
    track.bass[0].unlink()
    digest, problem = check_track(track)
    assert not digest
    assert "bass.wav" in problem


def test_a_dataset_of_recordings_opens_like_any_other(recordings: Path, tmp_path: Path, described: list[int]):
    del described
    made = build(recordings, tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert (dataset.digest, len(dataset)) == (made.digest, 3)
    assert dataset.manifest.dataset == "stems"
    assert dataset.song(0).labels.harmonics is None
    with pytest.raises(ValueError, match=r"song\.mid is missing"):
        dataset.midi(0)
