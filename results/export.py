"""Records for others: the flat table as CSV or Parquet, Table 1 and the leaderboard as LaTeX or Markdown."""

from __future__ import annotations

import io

from .ladder_text import leaderboard_markdown
from .latex import leaderboard_latex, table1_latex
from .publication import Publication
from .record_table import record_table
from .table1_text import markdown

FORMATS = ("csv", "parquet", "latex", "markdown")


def export(publication: Publication, form: str) -> bytes:
    """The export of a publication.

    Args:
        publication: what is exported: with ``csv`` and ``parquet`` every record, a row for each metric; with ``latex``
            and ``markdown`` Table 1 and the leaderboard, those that there are records of.
        form: one of :data:`FORMATS`.

    Raises:
        ValueError: if the format is unknown, or there is nothing to export in it.
    """
    if form == "csv":
        return record_table(publication.collection.records).write_csv().encode()
    if form == "parquet":
        buffer = io.BytesIO()
        record_table(publication.collection.records).write_parquet(buffer, compression="zstd")
        return buffer.getvalue()
    if form not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {form!r}")
    latex = form == "latex"
    parts: list[str] = []
    if publication.table1 is not None:
        parts.append(table1_latex(publication.table1) if latex else markdown(publication.table1))
    if publication.boards:
        board, standings = publication.boards[0], publication.standings[0]
        parts.append(leaderboard_latex(board, standings) if latex else leaderboard_markdown(standings))
    if not parts:
        raise ValueError(f"{form} shows rankings, and there are none: export csv or parquet")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts).encode()
