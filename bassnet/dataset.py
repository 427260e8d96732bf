"""A dataset: pairs of a mix and the bass that plays to it, with labels, in a folder.

::

    DIR/manifest.json     what it is, see Manifest
    DIR/songs/00000/      mix.flac  bass.flac  song.mid  labels.npz  song.json

A song's folder appears whole or not at all, and the manifest is complete only once all are there, so that an
interrupted run leaves a folder that the same command finishes, and that nobody takes for a dataset before.
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .labels import Labels, decode_labels, frame_count
from .manifest import Manifest, SongDocument, decode_manifest, decode_song
from .stored_audio import decode_audio

MANIFEST = "manifest.json"
SONGS = "songs"
SONG_DOCUMENT = "song.json"
MIX, BASS, LABELS, MIDI = "mix.flac", "bass.flac", "labels.npz", "song.mid"
"""Names in a dataset's folder."""
_REPAIR = "run the tonedeaf data that made the dataset again to repair it"


@dataclass(frozen=True, kw_only=True, eq=False)
class Song:
    """A song: ``mix`` and ``bass`` are ``(samples,)`` at 16 kHz, in [−1, 1]; the mix is without the bass."""

    index: int
    mix: NDArray[np.float32]
    bass: NDArray[np.float32]
    labels: Labels
    about: SongDocument


class Dataset:
    """A complete dataset, as :func:`open_dataset` finds it.

    Attributes:
        folder: where it is.
        manifest: what it is.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def __len__(self) -> int:
        """How many songs."""
        return self.manifest.songs

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the content; goes into records and names of caches."""
        return self.manifest.digest

    @property
    def groups(self) -> tuple[int, ...]:
        """Per song, the number of its source: songs of one group belong on the same side of a split."""
        return self.manifest.groups

    def song(self, index: int) -> Song:
        """A song, read from the disk and compared with its digests.

        Raises:
            ValueError: if there is no such song, or a file of it is missing or damaged.
        """
        folder = self._folder(index)
        about = self.about(index)
        files = {name: _checked(folder / name, about.files.get(name)) for name in (MIX, BASS, LABELS)}
        try:
            mix, bass, labels = decode_audio(files[MIX]), decode_audio(files[BASS]), decode_labels(files[LABELS])
        except ValueError as error:
            raise ValueError(f"{folder} is damaged: {error}") from error
        if not len(mix) == len(bass) or len(labels) != frame_count(len(mix)):
            raise ValueError(f"{folder} is damaged: mix, bass and labels have different lengths")
        return Song(index=index, mix=mix, bass=bass, labels=labels, about=about)

    def _folder(self, index: int) -> Path:
        if not 0 <= index < len(self):
            raise ValueError(f"song must be in 0..{len(self) - 1}, got {index}")
        return song_folder(self.folder, index)

    def labels(self, index: int) -> Labels:
        """The labels of a song, without its audio.

        Raises:
            ValueError: if there is no such song, or the file is missing or damaged.
        """
        folder = self._folder(index)
        content = _checked(folder / LABELS, self.about(index).files.get(LABELS))
        try:
            return decode_labels(content)
        except ValueError as error:
            raise ValueError(f"{folder} is damaged: {error}") from error

    def about(self, index: int) -> SongDocument:
        """What is known of a song beside its labels.

        Raises:
            ValueError: if the file is missing or damaged.
        """
        path = song_folder(self.folder, index) / SONG_DOCUMENT
        return decode_song(_checked(path, self.manifest.song_sha256[index]), path)

    def midi(self, index: int) -> bytes:
        """The MIDI file of a song: the parts of the mix, and the bass.

        Raises:
            ValueError: if the file is missing or damaged, or the dataset has none.
        """
        return _checked(song_folder(self.folder, index) / MIDI, self.about(index).files.get(MIDI))


def song_folder(folder: Path, index: int) -> Path:
    """Where a song of a dataset's folder is."""
    return folder / SONGS / f"{index:05d}"


def open_dataset(folder: str | Path) -> Dataset:
    """The dataset in a folder.

    Raises:
        ValueError: if there is none, it is half-written, damaged, or of another version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        what = "there is no folder" if not folder.is_dir() else "no dataset in"
        raise ValueError(f"{what} {folder}: tonedeaf data makes one")
    there = [song_folder(folder, index).is_dir() for index in range(manifest.songs)]
    if not manifest.complete:
        raise ValueError(
            f"{folder} is half-written: {sum(there)} of {manifest.songs} songs are there; "
            "run the tonedeaf data that began it again to finish it"
        )
    if not all(there):
        raise ValueError(f"{folder} is damaged: {song_folder(folder, there.index(False))} is missing; {_REPAIR}")
    lists = (manifest.level_range, manifest.groups, manifest.song_sha256)
    if any(len(each) != manifest.songs for each in lists):
        raise ValueError(f"{folder / MANIFEST} is damaged: its lists do not have {manifest.songs} entries")
    return Dataset(folder, manifest)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder, complete or not; None if there is no such file.

    Raises:
        ValueError: if it cannot be read, or as :func:`.manifest.decode_manifest`.
    """
    path = folder / MANIFEST
    try:
        return decode_manifest(path.read_bytes(), path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _checked(path: Path, sha256: str | None) -> bytes:
    """The content of a file that must have this digest."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or os.strerror(errno.EIO)}") from error
    if content is None or sha256 is None:
        raise ValueError(f"{path} is missing: {_REPAIR}")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is damaged: it is not the file that was written; {_REPAIR}")
    return content
