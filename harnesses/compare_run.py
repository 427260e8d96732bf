"""The command ``compare``: two folders of records, or the records of two revisions of a repository."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from ..results.collection import collect
from ..results.comparison import Change, Comparison, compare
from . import screens

FOLDER = "results/published"
"""Where a revision's records are, unless it says otherwise: ``REVISION:FOLDER``."""
_MOST_LINES = 20
"""Of one kind of notes."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What ``tonedeaf compare`` was told; the fields are its arguments and options."""

    before: str
    after: str
    fail_on_regression: bool = False


def run(options: CompareOptions, *, as_json: bool) -> int:
    """Compare, print, and return the exit status: 1 if something became worse, and that was asked about.

    Raises:
        ValueError: if one of the two is neither a folder nor a revision, or they have no question in common.
    """
    with records_at(options.before) as before, records_at(options.after) as after:
        found = compare(collect([before]), collect([after]))
    if as_json:
        changes = [asdict(change) | {"difference": change.difference} for change in found.changes]
        lost = [{"judgement": "lost", "what": one.what, "reason": one.reason} for one in found.lost]
        print(json.dumps([*changes, *lost], indent=2))
    else:
        _print(found)
    return 1 if options.fail_on_regression and found.regressions else 0


@contextmanager
def records_at(place: str) -> Generator[Path]:
    """A folder of records: the one that is named, or that of a revision of the repository around the current folder.

    Args:
        place: a path, ``REVISION``, or ``REVISION:FOLDER`` with a folder of the repository.

    Raises:
        ValueError: if it is none of these.
    """
    if Path(place).is_dir():
        yield Path(place)
        return
    revision, _, folder = place.partition(":")
    known = bool(revision) and not revision.startswith("-") and _git("rev-parse", "--verify", f"{revision}^{{commit}}")
    if not known:
        raise ValueError(f"{place!r} is neither a folder of records nor a revision of a repository here")
    top = _git("rev-parse", "--show-toplevel")
    archive = _git("-C", (top or b".").decode().strip(), "archive", revision, "--", folder or FOLDER)
    if archive is None:
        raise ValueError(f"revision {revision} has no folder {folder or FOLDER}; name another: {revision}:FOLDER")
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(temporary, filter="data")
        yield Path(temporary)


def _git(*arguments: str) -> bytes | None:
    """What git prints, or None if it refuses or is not there."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True, timeout=120).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _print(found: Comparison) -> None:
    console = screens.out()
    judged = [change for change in found.changes if change.judgement != "same"]
    if judged:
        console.print(_table(judged))
    worse = sum(change.judgement == "worse" for change in judged)
    same = len(found.changes) - len(judged)
    console.print(
        f"{len(found.changes)} figures: {worse} worse, {len(judged) - worse} better, {same} the same or within noise",
        markup=False,
    )
    console.print(
        f"{found.pairs} pairs of records: {found.same_key} with the same key, {found.identical} with the same outcomes",
        markup=False,
    )
    for heading, entries in (
        ("no answer any more", found.lost),
        ("on one side only", found.missing),
        ("set aside", found.set_aside),
    ):
        for one in entries[:_MOST_LINES]:
            console.print(f"{heading}: {one.what}: {one.reason}", markup=False)
        if len(entries) > _MOST_LINES:
            console.print(f"{heading}: and {len(entries) - _MOST_LINES} more", markup=False)


def _table(changes: Sequence[Change]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "distance", "task", "figure"):
        table.add_column(heading, no_wrap=heading != "figure")
    for heading in ("before", "after", "difference (95 %)", "n", "p (Holm)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for change in changes:
        ends = "" if change.low is None else f" ({change.low:+.3f} to {change.high:+.3f})"
        table.add_row(
            Text(change.judgement, style="bold red" if change.judgement == "worse" else "green"),
            change.distance,
            change.task,
            change.what,
            f"{change.before:.3f}",
            f"{change.after:.3f}",
            f"{change.difference:+.3f}{ends}",
            str(change.n),
            "–" if change.p is None else f"{change.p:.2g}",
        )
    return table
