"""The command ``export``: records as a table for other programs, or as tables for a paper."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from ..results.atomic_write import write_atomically
from ..results.export import export
from . import screens
from .publish_run import publication_of
from .rank_run import print_json


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What ``tonedeaf export`` was told; the fields are its options."""

    form: str
    records: tuple[Path, ...] = (Path("runs"),)
    out: Path | None = None


def run(options: ExportOptions, *, as_json: bool) -> int:
    """Export, to a file or to standard output, and return the exit status: 1 if a record could not be read.

    Raises:
        ValueError: if there is no record, nothing to export in this format, or Parquet has no file to go to.
    """
    if options.form == "parquet" and options.out is None:
        raise ValueError("parquet is not text: say where it goes, as in --out records.parquet")
    publication = publication_of(options.records, [])
    for one in publication.set_aside:
        screens.note(f"note: set aside: {one.what}: {one.reason}")
    content = export(publication, options.form)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(options.out, content)
    if as_json:
        print_json(publication.collection.records)
    elif options.out is None:
        sys.stdout.write(content.decode())
    return 1 if publication.collection.set_aside else 0
