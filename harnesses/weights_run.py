"""The command ``weights``: what there is, fetch it, where it lies."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from ..losses.weights import Weights, WeightsUnavailableError, locate, weights_row, weights_table
from ..losses.weights_fetch import fetch
from . import screens

DONE, FAILED = 0, 1
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class WeightsRow:
    """What ``tonedeaf weights list`` says of a network's weights.

    Attributes:
        name: for ``fetch`` and ``path``.
        here: whether they are here, with the expected content.
        reason: why not, and what to do; empty if they are.
        origin: where they come from.
        licence: SPDX identifier.
        size: in bytes, of all files; None where not known before they are here.
        sha256: what identifies them: the table's, or that of what is here; None where not known.
        files: their names.
        path: of the first file; None if it is not here.
    """

    name: str
    here: bool
    reason: str
    origin: str
    licence: str
    size: int | None
    sha256: str | None
    files: tuple[str, ...]
    path: str | None


def describe_weights(row: Weights) -> WeightsRow:
    """A row of the list; nothing is downloaded."""
    path, reason = None, ""
    sha256 = row.files[0].sha256 if len(row.files) == 1 else None
    sizes = [file.size for file in row.files]
    try:
        found = locate(row.name)
        path, sha256 = str(found.paths[0]), found.sha256
        sizes = [path.stat().st_size for path in found.paths]
    except ImportError as error:
        reason = str(error)
    return WeightsRow(
        name=row.name,
        here=not reason,
        reason=reason,
        origin=str(row.origin),
        licence=row.licence,
        size=None if None in sizes else sum(size for size in sizes if size is not None),
        sha256=sha256,
        files=tuple(file.name for file in row.files),
        path=path,
    )


def list_weights(*, as_json: bool) -> int:
    """Print the whole table."""
    rows = [describe_weights(row) for row in weights_table().values()]
    if as_json:
        _print_json(rows)
        return DONE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("weights", "here", "origin", "licence"):
        table.add_column(heading, overflow="fold")
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("SHA-256", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(row.name),
            "yes" if row.here else "no",
            Text(row.origin),
            row.licence,
            "–" if row.size is None else f"{row.size / 1e6:.1f}",
            f"{row.sha256[:_SHOWN_DIGITS]}…" if row.sha256 else "–",
        )
    screens.out().print(table)
    screens.out().print("tonedeaf weights path NAME says what to put where; --json has all of it", markup=False)
    return DONE


def fetch_weights(names: Sequence[str], *, as_json: bool, debug: bool) -> int:
    """Fetch weights one after the other; 1 if one could not be had.

    Raises:
        ValueError: if a name is not in the table; nothing has been fetched then.
    """
    rows = [weights_row(name) for name in dict.fromkeys(names)]
    status = DONE
    for row in rows:
        try:
            with _progress(row.name) as progress:
                found = fetch(row.name, progress=progress)
        except ImportError as error:
            if debug:
                raise
            screens.note(f"{row.name}: {error}")
            status = FAILED
        else:
            if not as_json:
                print(f"{row.name}: {found.paths[0]} (SHA-256 {found.sha256})")
    if as_json:
        _print_json([describe_weights(row) for row in rows])
    return status


def path_of_weights(name: str, *, as_json: bool, debug: bool) -> int:
    """Print where weights lie; 1 if they are not here.

    Raises:
        ValueError: if the name is not in the table.
    """
    row = weights_row(name)
    if as_json:
        described = describe_weights(row)
        _print_json([described])
        return DONE if described.here else FAILED
    try:
        print(locate(name).paths[0])
    except WeightsUnavailableError as error:
        if debug:
            raise
        screens.note(f"{name}: {error}")
        return FAILED
    return DONE


def _print_json(rows: Sequence[WeightsRow]) -> None:
    print(json.dumps([asdict(row) for row in rows], indent=2))


@contextmanager
def _progress(name: str) -> Generator[Callable[[int, int | None], None]]:
    """A bar of bytes on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(shown, completed=done, total=total)
