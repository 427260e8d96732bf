"""The tables of the README, from the registry and from the published records (``make readme``).

Run as ``python -m tonedeaf.harnesses.readme [README.md]`` in a checkout. A table stands between two comments that name
it; the rest of the file is left alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ..losses import Description
from ..results.record import Record
from ..results.store import RecordStore
from ..results.table1 import table1_from_records
from ..results.table1_text import markdown
from .catalogue import catalogue
from .suites import PAPERS_MODE

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "results" / "published" / "table1"
"""The committed records of ``make bench``."""


def tables() -> dict[str, str]:
    """Every table of the README, by name."""
    distances = [row for row in catalogue("distances") if isinstance(row, Description)]
    return {"table1": table1_markdown(RecordStore(PUBLISHED).read_all()), "distances": distances_markdown(distances)}


def table1_markdown(records: Sequence[Record]) -> str:
    """Table 1 in both modes, from the records of ``make bench``."""
    paper = [record for record in records if PAPERS_MODE.task.items() <= record.task.params.items()]
    house = [record for record in records if record not in paper]
    return markdown(table1_from_records(paper, house))


def distances_markdown(rows: Sequence[Description]) -> str:
    """What there is: one line a distance."""
    lines = [
        "| distance | sample rate | min. samples | symmetric | gradient | source |",
        "|---|---:|---:|:-:|:-:|---|",
    ]
    for row in rows:
        rate = "any" if row.sample_rate is None else f"{row.sample_rate} Hz"
        facts = (
            (rate, str(row.min_samples), _mark(row.symmetric), _mark(row.differentiable), row.source)
            if row.available
            else ("–", "–", "–", "–", f"not available here: {row.reason}")
        )
        lines.append(f"| `{row.name}` | {' | '.join(facts)} |")
    return "\n".join(lines) + "\n"


def _mark(value: bool | None) -> str:
    return "✓" if value else "–"


def insert(text: str, contents: dict[str, str]) -> str:
    """The text with each table between its two comments.

    Raises:
        ValueError: if the comments of a table are missing.
    """
    for name, content in contents.items():
        start, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
        between = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        if not between.search(text):
            raise ValueError(f"there is no place for the table {name}: put {start} and {end} there")
        text = between.sub(lambda _found, new=f"{start}\n\n{content}\n{end}": new, text)
    return text


def main(path: Path) -> None:
    """Rewrite the tables of a README."""
    path.write_text(insert(path.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "README.md")
