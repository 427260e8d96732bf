"""Fetch weights over the network: resumed where it broke off, verified before use, there whole or not at all."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from .weights import (
    FromHub,
    FromUrl,
    Located,
    WeightFile,
    Weights,
    WeightsUnavailableError,
    file_sha256,
    folder_of,
    verified,
    weights_row,
    what_to_do,
)
from .weights_conversion import converted

_CHUNK = 2**20
_TIMEOUT = 30.0
"""Seconds without a byte, after which a connection counts as broken."""


def fetch(name: str, *, progress: Callable[[int, int | None], None] = lambda _done, _total: None) -> Located:
    """Make sure that the weights of a name are here and ready, downloading what is missing.

    A download goes to ``FILE.part``, is resumed from there by the next call if it breaks off, is compared with the
    table's SHA-256, and only then takes its name. Files that are here and right are left alone.

    Args:
        name: of a row of the table.
        progress: called with the bytes that are here and those there are (None if the server does not say).

    Raises:
        ValueError: if there is no such row.
        WeightsUnavailableError: if they cannot be had: no connection, no such file, or another content than expected.
    """
    row = weights_row(name)
    folder = folder_of(row)
    if isinstance(row.origin, (FromHub, FromUrl)):
        for file in row.files:
            path = folder / file.name
            if not _is_here(path, file):
                _download(row.origin.address(file.name), path, file, row, progress)
    found = Located(tuple(folder / file.name for file in row.files), verified(row, folder))
    if row.conversion:
        converted(row, found.paths[0])
    return found


def _is_here(path: Path, file: WeightFile) -> bool:
    return path.is_file() and file.sha256 in (None, file_sha256(path))


def _download(
    address: str, path: Path, file: WeightFile, row: Weights, progress: Callable[[int, int | None], None]
) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _resume(address, part, progress)
    except urllib.error.HTTPError as error:
        raise WeightsUnavailableError(f"{address} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise WeightsUnavailableError(
            f"{address} could not be fetched ({reason}); what is here is kept: {what_to_do(row, file, path)}"
        ) from error
    found = file_sha256(part)
    if file.sha256 is not None and found != file.sha256:
        part.unlink()
        raise WeightsUnavailableError(
            f"{address} is not the expected file, and was not kept: its SHA-256 is {found}, expected {file.sha256}"
        )
    part.replace(path)


def _resume(address: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """Append to ``part`` what is missing; from the start if the server cannot continue."""
    here = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "tonedeaf", **({"Range": f"bytes={here}-"} if here else {})}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return  # nothing is missing; the digest will tell
    with answer:
        continued = answer.status == http.client.PARTIAL_CONTENT
        rest = answer.headers.get("Content-Length")
        done = here if continued else 0
        total = None if rest is None else done + int(rest)
        with part.open("ab" if continued else "wb") as target:
            while block := answer.read(_CHUNK):
                target.write(block)
                done += len(block)
                progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"broke off after {done} of {total} bytes")
