"""Datasets of recordings: folders of tracks, each with a bass and other stems.

A track is a folder with ``bass.wav`` (or another format) and other sounds beside it, as in MUSDB18-HQ and its like, at
any depth; a finished mix (``mixture``) among them is left out, and case does not matter. Slakh has a layout of its own:
see :mod:`.slakh`.

A song is a mix of one track with random gains of its stems, uniform in 0.5 to 1 (BassNet, section 5.3), and its bass.
So more songs than tracks are several mixes of each; those of one track are a group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import slakh
from .config import SAMPLE_RATE
from .dataset import LABELS, SONG_DOCUMENT, Dataset, Song, song_folder
from .dataset_writer import build_dataset
from .descriptors import Capacity, describe, onset_times, versions
from .labels import Labels, decode_labels
from .level import frame_power, minmax_level
from .manifest import VERSION, Recipe, RendererIdentity, SongDocument, decode_song
from .recording import SILENT, Recording, read_recording
from .stored_audio import normalise_peak

STEMS = "stems"
"""Name of such a dataset."""
LEAST_GAIN, MOST_GAIN = 0.5, 1.0

_BASS = "bass"
_MIXES = {"mix", "mixture", "linear_mixture"}
_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff"}
_STREAM = 2


@dataclass(frozen=True)
class StemTrack:
    """A track: its name, the files that make up its bass, and those of the other stems."""

    name: str
    bass: tuple[Path, ...]
    others: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, in order."""
        return *self.bass, *self.others


def find_tracks(folder: Path) -> list[StemTrack]:
    """The tracks in a folder, by name.

    Raises:
        ValueError: if there is none, or one has two basses.
        ImportError: if they are Slakh's, and mirdata is not installed.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if slakh.is_slakh(folder):
        tracks = [StemTrack(name, bass, others) for name, bass, others in slakh.find_tracks(folder)]
    else:
        basses = sorted(path for path in folder.rglob("*") if _sounds(path) and path.stem.lower() == _BASS)
        tracks = [StemTrack(str(path.parent.relative_to(folder)), (path,), _beside(path)) for path in basses]
        tracks = [track for track in tracks if track.others]
        found: dict[str, Path] = {}
        for track in tracks:
            (bass,) = track.bass
            if (other := found.setdefault(track.name, bass)) != bass:
                raise ValueError(f"{bass.parent} has two basses, {other.name} and {bass.name}: leave one of them")
    if not tracks:
        raise ValueError(f"{folder} holds no track: a folder with bass.wav and other stems beside it")
    return tracks


def _beside(bass: Path) -> tuple[Path, ...]:
    """The other stems in a bass's folder."""
    return tuple(
        path for path in sorted(bass.parent.iterdir()) if _sounds(path) and path.stem.lower() not in {_BASS, *_MIXES}
    )


def _sounds(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES


def check_track(track: StemTrack) -> tuple[str, str]:
    """The digest of a track's files, and what is wrong with them in one line (empty if nothing is).

    A silent stem is none of these errors (an instrument that pauses), unless it is the bass, or all others are silent.
    """
    digest = hashlib.sha256()
    try:
        for path in track.files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        _read(track)
    except ValueError as error:
        return "", str(error)
    except OSError as error:
        return "", f"{error.filename} cannot be read: {error.strerror}"
    return digest.hexdigest(), ""


def random_gains(track: StemTrack, *, seed: int, index: int) -> dict[str, float]:
    """The gains of a track's stems in the song of an index: uniform in 0.5 to 1.

    By name without the format; by file if some differ in nothing else (``guitar.wav``, ``guitar.flac``).
    """
    generator = np.random.default_rng([_STREAM, seed, index])
    names = [path.stem for path in track.others]
    if len(set(names)) < len(names):
        names = [path.name for path in track.others]
    return {name: float(generator.uniform(LEAST_GAIN, MOST_GAIN)) for name in names}


def mix_stems(stems: Sequence[NDArray[np.float32]], gains: Sequence[float]) -> NDArray[np.float64]:
    """The sum of stems ``(samples,)`` with their gains."""
    mix = np.zeros(len(stems[0]))
    for stem, gain in zip(stems, gains, strict=True):
        mix += gain * stem
    return mix


def build_stems_dataset(
    folder: Path,
    tracks: Sequence[StemTrack],
    *,
    songs: int | None,
    seed: int,
    executor: Executor,
    refused: Callable[[str], None],
    progress: Callable[[int], None] = lambda songs: None,
    damaged: Callable[[int], None] = lambda songs: None,
    capacity: Capacity = "full",
) -> Dataset:
    """Make a dataset of recordings: songs are mixed, and what is heard in their basses estimated.

    Args:
        folder: the dataset's.
        tracks: of :func:`find_tracks`.
        songs: how many; song ``i`` is a mix of track ``i`` modulo their number. As many as tracks if None.
        seed: of the gains.
        executor: where tracks are read and songs are made.
        refused: is called with one line for each track that cannot be used.
        progress: as in :func:`.dataset_writer.build_dataset`.
        damaged: likewise.
        capacity: of CREPE's network.

    Raises:
        ValueError: if no track can be used, an argument is out of its range, or the folder holds anything else.
        OSError: if the disk is full; songs that are done stay.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if songs is not None and songs < 1:
        raise ValueError(f"songs must be at least 1, got {songs}")
    usable: list[StemTrack] = []
    sources: dict[str, str] = {}
    for track, (digest, problem) in zip(tracks, executor.map(check_track, tracks), strict=True):
        if problem:
            refused(problem)
        else:
            usable.append(track)
            sources[track.name] = digest
    if not usable:
        raise ValueError(f"none of the {len(tracks)} tracks can be used")
    recipe = Recipe(
        version=VERSION,
        dataset=STEMS,
        seed=seed,
        songs=len(usable) if songs is None else songs,
        seconds=None,
        sample_rate=SAMPLE_RATE,
        renderer=RendererIdentity(name=STEMS, version=versions(capacity), licence="the recordings' own"),
        sources=sources,
    )
    make_song = partial(stem_song, folder, tuple(usable), seed, capacity)
    return build_dataset(folder, recipe, make_song, executor, progress=progress, damaged=damaged)


def stem_song(
    folder: Path, tracks: Sequence[StemTrack], seed: int, capacity: Capacity, index: int
) -> tuple[Song, None]:
    """Song ``index`` of tracks: a pure function of their files, the seed and the capacity.

    What is estimated of a bass is taken from an earlier mix in the dataset's folder, where there is one.
    """
    group = index % len(tracks)
    track = tracks[group]
    gains = random_gains(track, seed=seed, index=index)
    recorded, others = _read(track)
    mix, mix_gain = normalise_peak(mix_stems(others, list(gains.values())))
    bass, bass_gain = normalise_peak(recorded.at())
    labels, onsets = _described(folder, group, bass, recorded, capacity)
    about = SongDocument(
        index=index,
        name=track.name,
        group=group,
        tempo=None,
        detuning=0.0,
        mix_gain=mix_gain,
        bass_gain=bass_gain,
        stem_gains=gains,
        level_range=minmax_level(frame_power(bass))[1],
        bars=(),
        onsets=onsets,
        files={},
    )
    return Song(index=index, mix=mix, bass=bass, labels=labels, about=about), None


def _read(track: StemTrack) -> tuple[Recording, list[NDArray[np.float32]]]:
    """The bass, and the other stems at 16 kHz, as long as it.

    Raises:
        ValueError: naming the file that cannot be used.
    """
    basses = [read_recording(path) for path in track.bass]
    if len({bass.sample_rate for bass in basses}) > 1:
        raise ValueError(f"the basses of {track.name} have different sample rates")
    longest = max(len(bass.signal) for bass in basses)
    together = np.sum([_fitted(each.signal, longest) for each in basses], axis=0)
    bass = Recording(together, basses[0].sample_rate)
    samples = len(bass.at())
    others = [_fitted(read_recording(path, silence_allowed=True).at(), samples) for path in track.others]
    if all(np.abs(other).max(initial=0) < SILENT for other in others):
        raise ValueError(f"the stems beside {track.bass[0]} are all silent")
    return bass, others


def _fitted(signal: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """A signal cut or filled with zeros to a length."""
    return np.pad(signal[:samples], (0, max(0, samples - len(signal))))


def _described(
    folder: Path, group: int, bass: NDArray[np.float32], recorded: Recording, capacity: Capacity
) -> tuple[Labels, tuple[float, ...]]:
    """The labels and onsets of a bass: those of its first mix where that is there already, else estimated."""
    first = song_folder(folder, group)
    if (first / SONG_DOCUMENT).is_file():
        about = decode_song((first / SONG_DOCUMENT).read_bytes(), first)
        return decode_labels((first / LABELS).read_bytes()), about.onsets
    onsets = onset_times(recorded)
    return describe(bass, onsets, capacity), tuple(onsets.tolist())
