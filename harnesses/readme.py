"""The tables of the README and of the published results, from the registry and the published records (``make readme``).

A table stands between two comments that name it; the rest of the page is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..losses import Description
from ..results.descent_text import correlation_markdown, descent_markdown
from ..results.ladder_text import columns_markdown, leaderboard_markdown, minimum_markdown, tasks_markdown
from ..results.record import Record
from ..results.store import RecordStore
from ..results.table1 import table1_from_records
from ..results.table1_text import markdown
from .catalogue import catalogue
from .descend_run import correlation_with_ranking
from .selection import standings
from .suites import ABLATION, PAPERS_MODE
from .tasks import task_table

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "results" / "published"


def readme_tables() -> dict[str, str]:
    """The tables of the README, by name."""
    distances = [row for row in catalogue("distances") if isinstance(row, Description)]
    records = RecordStore(PUBLISHED / "table1").read_all()
    return {
        "table1": table1_markdown(records),
        "leaderboard": published_tables()["leaderboard"],
        "distances": distances_markdown(distances),
    }


def published_tables() -> dict[str, str]:
    """The tables of ``results/published/README.md``, by name."""
    store = RecordStore(PUBLISHED / "ladder")
    records = store.read_all()
    rankings = in_order([record for record in records if record.kind == "ranking"])
    costs = [record for record in records if record.kind == "cost"]
    fallen = RecordStore(PUBLISHED / "descent")
    descents = [record for record in fallen.read_all() if record.kind == "descent"]
    return {
        "leaderboard": leaderboard_markdown(standings(store, rankings, costs)),
        "ladder": tasks_markdown(rankings),
        "tonedeaf": columns_markdown(rankings, "tonedeaf"),
        "minimum": minimum_markdown(in_order(RecordStore(PUBLISHED / "minimum").read_all())),
        "descent": descent_markdown(descents),
        "correlation": correlation_markdown(correlation_with_ranking(fallen, descents)[0]),
        "ablation": tasks_markdown(in_order(RecordStore(PUBLISHED / "ablation").read_all(), ABLATION.distances)),
    }


def in_order(records: Sequence[Record], distances: Sequence[str] = ()) -> list[Record]:
    """Records by task, in the ladder's order, then by distance, in the order given or else by name."""
    tasks = list(task_table())
    first = {name: place for place, name in enumerate(distances)}
    return sorted(
        records,
        key=lambda one: (
            tasks.index(one.task.name),
            first.get(one.distance.name, len(first)),
            one.distance.name,
        ),
    )


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


PAGES = {ROOT / "README.md": readme_tables, PUBLISHED / "README.md": published_tables}
"""Where tables stand, and what makes them."""


def main() -> None:
    """Rewrite the tables of every page."""
    for path, tables in PAGES.items():
        path.write_text(insert(path.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
