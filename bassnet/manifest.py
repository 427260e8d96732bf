"""What a dataset folder says about itself.

``manifest.json`` holds the recipe, which decides the content and whose digest identifies it, and, once every song is
there, what was found while rendering. ``songs/00000/song.json`` says the same of one song. Both are read strictly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..results.canonical import canonical_digest

VERSION = 1
"""Of the folder's layout and of the code that makes songs: another version, other content."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Immutable, constructed with keywords, strict when read."""


class RendererIdentity(_Part, frozen=True, kw_only=True):
    """What made the sound.

    Attributes:
        name: as in ``--renderer``; ``stems`` for recordings.
        version: its own.
        sound_font: name of the file; None without one.
        sound_font_sha256: which file exactly.
        licence: of the sounds, so also of the audio in the folder.
    """

    name: str
    version: str
    sound_font: str | None = None
    sound_font_sha256: str | None = None
    licence: str


class Recipe(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """What decides the content of a dataset.

    Attributes:
        version: see :data:`VERSION`.
        dataset: ``A1`` to ``A4``, or ``stems``.
        seed: of all random choices.
        songs: how many.
        seconds: wanted length of a song; it has the nearest number of whole bars. None: whole recordings.
        sample_rate: in Hz.
        renderer: what makes the sound.
        sources: per recording, the SHA-256 of its files; empty for made songs.
    """

    version: int
    dataset: str
    seed: int
    songs: int
    seconds: float | None
    sample_rate: int
    renderer: RendererIdentity
    sources: dict[str, str] = {}

    @property
    def content_digest(self) -> str:
        """SHA-256 of the recipe."""
        return canonical_digest(msgspec.to_builtins(Recipe(**_decided(self))))


def _decided(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in Recipe.__struct_fields__}


class Manifest(Recipe, frozen=True, kw_only=True):
    """A recipe and what came of it.

    Attributes:
        digest: :attr:`Recipe.content_digest`, as written.
        complete: whether every song is there; what follows is empty until then.
        level_range: per song, the ``(lowest, highest)`` power in dB that ``level_minmax`` spans.
        groups: per song, the number of its source: songs of one group belong on the same side of a split.
        song_sha256: per song, the digest of its ``song.json``, which holds the digests of its other files.
    """

    digest: str
    complete: bool
    level_range: tuple[tuple[float, float], ...] = ()
    groups: tuple[int, ...] = ()
    song_sha256: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """The part that decides the content."""
        return Recipe(**_decided(self))


class Bar(_Part, frozen=True, kw_only=True):
    """A bar of a song: where it starts, and what is in force in it.

    Attributes:
        start: in seconds.
        pattern: of the bass, from 0.
        chord_root: MIDI note number.
        chord_quality: 0 major, 1 minor, 2 diminished.
        programs: General MIDI programs, 0-based, that play the chord.
    """

    start: float
    pattern: int
    chord_root: int
    chord_quality: int
    programs: tuple[int, ...]


class SongDocument(_Part, frozen=True, kw_only=True):
    """What is known of one song beside its labels.

    Attributes:
        index: its number.
        name: of the recording's folder; empty for a made song.
        group: see :attr:`Manifest.groups`.
        tempo: in beats a minute; None if unknown.
        detuning: of the whole song, in cents above A4 = 440 Hz.
        mix_gain: what the rendered mix was multiplied with, so that its peak is full scale.
        bass_gain: likewise; the labels hold for the bass as it is stored.
        stem_gains: per stem, its gain in the mix before ``mix_gain``; empty for a made song.
        level_range: see :attr:`Manifest.level_range`.
        bars: empty if unknown.
        onsets: of the bass notes, in seconds.
        files: SHA-256 of each other file in the song's folder.
    """

    index: int
    name: str = ""
    group: int
    tempo: float | None
    detuning: float
    mix_gain: float
    bass_gain: float
    stem_gains: dict[str, float] = {}
    level_range: tuple[float, float]
    bars: tuple[Bar, ...]
    onsets: tuple[float, ...]
    files: dict[str, str]


def encode_document(document: Manifest | SongDocument) -> bytes:
    """A document as JSON: indented, in the order of the fields, a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def decode_manifest(document: bytes, source: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        ValueError: if it is none, of another version, or its digest is not that of its recipe.
    """
    try:
        version = msgspec.json.decode(document, type=_Header).version
        if version != VERSION:
            raise ValueError(
                f"{source}: version {version} is unknown; this one reads version {VERSION}: render it anew"
            )
        manifest = msgspec.json.decode(document, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{source} is not a dataset's manifest: {error}") from error
    if manifest.digest != manifest.recipe.content_digest:
        raise ValueError(f"{source}: its digest does not fit what it says; it was changed: render the dataset anew")
    return manifest


def decode_song(document: bytes, source: Path) -> SongDocument:
    """The document of a song.

    Raises:
        ValueError: if it is none.
    """
    try:
        return msgspec.json.decode(document, type=SongDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{source} is not a song's document: {error}") from error


class _Header(msgspec.Struct):
    """What every version has in common."""

    version: int
