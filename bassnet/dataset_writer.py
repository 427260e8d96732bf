"""How a dataset's folder comes about: song by song, in any order, by any number of processes, with interruptions.

What was damaged in the meantime is found by its digests and made anew: the manifest knows those of the songs'
documents, these know those of the other files.
"""

from __future__ import annotations

import errno
import hashlib
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..results.atomic_write import write_atomically
from .dataset import BASS, LABELS, MANIFEST, MIDI, MIX, SONG_DOCUMENT, SONGS, Dataset, Song, read_manifest, song_folder
from .labels import encode_labels
from .manifest import Manifest, Recipe, decode_song, encode_document
from .stored_audio import encode_audio


def build_dataset(
    folder: Path,
    recipe: Recipe,
    make_song: Callable[[int], tuple[Song, bytes | None]],
    executor: Executor,
    *,
    progress: Callable[[int], None] = lambda songs: None,
    damaged: Callable[[int], None] = lambda songs: None,
) -> Dataset:
    """Make the songs of a dataset that are not there yet, or are damaged.

    Args:
        folder: the dataset's.
        recipe: the dataset.
        make_song: the song of an index, and its MIDI file if it has one; depends on nothing else, and is sent to other
            processes.
        executor: where songs are made.
        progress: is called with the number of songs that have come to be there: first those of earlier runs.
        damaged: is called with the number of songs that were there and are made anew.

    Raises:
        ValueError: if the folder holds anything else.
        OSError: if the disk is full; songs that are done stay.
    """
    begun = begin(folder, recipe)
    damaged(begun.damaged)
    progress(recipe.songs - len(begun.missing))
    futures: list[Future[None]] = [executor.submit(_make_and_write, folder, make_song, each) for each in begun.missing]
    try:
        for future in as_completed(futures):
            future.result()
            progress(1)
    finally:
        for future in futures:
            future.cancel()
    return finish(folder, recipe)


def _make_and_write(folder: Path, make_song: Callable[[int], tuple[Song, bytes | None]], index: int) -> None:
    song, midi = make_song(index)
    write_song(folder, song, midi)


class Begun(NamedTuple):
    """The songs that are not there, and how many of them were there, but damaged."""

    missing: list[int]
    damaged: int


def begin(folder: Path, recipe: Recipe) -> Begun:
    """Begin a dataset, or go on with it; songs that are damaged are taken away.

    Raises:
        ValueError: if the folder cannot be written, or holds another dataset or anything else.
        OSError: if a song cannot be read or taken away.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        if folder.exists() and not (folder.is_dir() and all(each.suffix == ".tmp" for each in folder.iterdir())):
            raise ValueError(f"{folder} is there and is no dataset: name a new folder, or empty it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write_manifest(folder, recipe, complete=False)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise ValueError(f"cannot write to {folder}: {error.strerror}") from error
    elif manifest.recipe != recipe and not manifest.complete and not any((folder / SONGS).glob("[0-9]*")):
        _write_manifest(folder, recipe, complete=False)  # what was begun there came to nothing
    elif manifest.recipe != recipe:
        raise ValueError(f"{folder} holds another dataset: {_difference(manifest.recipe, recipe)}; name a new folder")
    (folder / SONGS).mkdir(exist_ok=True)
    missing: list[int] = []
    damaged = 0
    known = () if manifest is None else manifest.song_sha256  # of a complete dataset
    for index in range(recipe.songs):
        song = song_folder(folder, index)
        if not song.is_dir():
            missing.append(index)
        elif not _is_intact(song, index, known[index] if len(known) == recipe.songs else None):
            _take_away(song)
            missing.append(index)
            damaged += 1
    return Begun(missing, damaged)


def _is_intact(song: Path, index: int, sha256: str | None) -> bool:
    """Whether a song's document has this digest, if it is known, and its files have those that the document names."""
    try:
        document = (song / SONG_DOCUMENT).read_bytes()
        if sha256 is not None and _sha256(document) != sha256:
            return False
        about = decode_song(document, song)
        return (
            about.index == index
            and {MIX, BASS, LABELS} <= about.files.keys()
            and all(_sha256((song / name).read_bytes()) == digest for name, digest in about.files.items())
        )
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return False


def _take_away(song: Path) -> None:
    """Remove a song's folder: from one moment to the next there is none."""
    temporary = _temporary(song)
    song.rename(temporary)
    shutil.rmtree(temporary, ignore_errors=True)


def _temporary(song: Path) -> Path:
    return song.with_name(f".{song.name}.{secrets.token_hex(8)}.tmp")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_song(folder: Path, song: Song, midi: bytes | None) -> None:
    """Write a song of a dataset, whole or not at all; one that is there stays.

    Args:
        folder: the dataset's.
        song: its ``about.files`` are filled in here.
        midi: the MIDI file, if there is one.

    Raises:
        OSError: if the disk is full.
    """
    files = {MIX: encode_audio(song.mix), BASS: encode_audio(song.bass), LABELS: encode_labels(song.labels)}
    if midi is not None:
        files[MIDI] = midi
    digests = {name: _sha256(content) for name, content in files.items()}
    files[SONG_DOCUMENT] = encode_document(msgspec.structs.replace(song.about, files=digests))
    final = song_folder(folder, song.index)
    temporary = _temporary(final)
    try:
        temporary.mkdir()
        for name, content in files.items():
            write_atomically(temporary / name, content)
        temporary.rename(final)
    except OSError:
        if not final.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def finish(folder: Path, recipe: Recipe) -> Dataset:
    """Complete the manifest of a dataset whose songs are all there, and remove what interrupted runs left."""
    documents = [(song_folder(folder, index) / SONG_DOCUMENT).read_bytes() for index in range(recipe.songs)]
    songs = [
        decode_song(document, song_folder(folder, index) / SONG_DOCUMENT) for index, document in enumerate(documents)
    ]
    manifest = _write_manifest(
        folder,
        recipe,
        complete=True,
        level_range=tuple(song.level_range for song in songs),
        groups=tuple(song.group for song in songs),
        song_sha256=tuple(_sha256(document) for document in documents),
    )
    for left in (*folder.glob(".*.tmp"), *(folder / SONGS).glob(".*.tmp")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    return Dataset(folder, manifest)


def _write_manifest(folder: Path, recipe: Recipe, *, complete: bool, **found: Any) -> Manifest:
    decided: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.__struct_fields__}
    manifest = Manifest(**decided, digest=recipe.content_digest, complete=complete, **found)
    write_atomically(folder / MANIFEST, encode_document(manifest))
    return manifest


def _difference(there: Recipe, wanted: Recipe) -> str:
    for name in Recipe.__struct_fields__:
        if (one := getattr(there, name)) != (other := getattr(wanted, name)):
            return f"its {name} is {_shown(one)}, not {_shown(other)}"
    raise AssertionError("the recipes are equal")


def _shown(value: object) -> str:
    fields = getattr(value, "__struct_fields__", None)
    return repr(value) if fields is None else " ".join(str(getattr(value, name)) for name in fields)
