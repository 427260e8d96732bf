"""The command ``publish``: from records to everything that a reader sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..losses import Description
from ..results.atomic_write import write_atomically
from ..results.collection import collect
from ..results.page_tables import NEW_PAGE, insert, tables
from ..results.publication import Conventions, Mode, Publication
from ..results.published_figures import figures
from ..results.report_listening import choose
from ..results.report_page import report
from ..results.style import save_figure
from . import screens
from .catalogue import catalogue
from .listening import render
from .rank_run import print_json
from .suites import ABLATION, HOUSE_MODE, PAPERS_MODE, SENSITIVITY
from .tasks import task_table

PAGE = "README.md"
REPORT = "report.html"


@dataclass(frozen=True, kw_only=True)
class PublishOptions:
    """What ``tonedeaf publish`` was told; the fields are its options."""

    out: Path
    records: tuple[Path, ...] = (Path("runs"),)
    pages: tuple[Path, ...] = ()


def run(options: PublishOptions, *, as_json: bool) -> int:
    """Publish, say where, and return the exit status: 1 if a record could not be read, or contradicts another.

    Raises:
        ValueError: if the call is wrong, there is no record, or a page has a place for a table that is not there.
    """
    described = [row for row in catalogue("distances") if isinstance(row, Description)]
    publication = publication_of(options.records, described)
    for one in publication.set_aside:
        screens.note(f"note: set aside: {one.what}: {one.reason}")
    written = write_pages(publication, described, options)
    for name, draw in figures(publication).items():
        written.extend(save_figure(draw(), options.out / "figures" / name))
    there = {path for path in (options.out / "figures").glob("*") if path.suffix in (".png", ".svg")}
    for path in sorted(there - {*written}):
        screens.note(f"note: {path} is of an earlier publication: no record here draws it")
    written.append(write_report(publication, options.out))
    if as_json:
        print_json(publication.collection.records)
    else:
        console = screens.out()
        console.print(f"published {len(publication.collection.records)} records:", markup=False)
        for path in written:
            console.print(f"  {path}", markup=False)
    return 1 if publication.collection.set_aside else 0


def publication_of(folders: Sequence[Path], described: Sequence[Description]) -> Publication:
    """What is published from the records below some folders.

    Args:
        folders: of records.
        described: what there is, and whether it can run here.

    Raises:
        ValueError: if a folder is not there, or there is no record.
    """
    conventions = Conventions(
        tasks=tuple(task_table()),
        paper=Mode(PAPERS_MODE.task, PAPERS_MODE.distance),
        house=Mode(HOUSE_MODE.task, HOUSE_MODE.distance),
        ablation=ABLATION.distances,
        sensitivity=SENSITIVITY.distances,
        not_here={row.name: reason_for_readers(row.reason) for row in described if not row.available},
        sources={row.name: row.source for row in described if row.available},
    )
    return Publication(collect(folders), conventions)


def page_tables(publication: Publication, described: Sequence[Description]) -> dict[str, Callable[[], str]]:
    """The tables that a page may have, by name."""
    return {**tables(publication), "distances": lambda: distances_markdown(described)}


def write_pages(publication: Publication, described: Sequence[Description], options: PublishOptions) -> list[Path]:
    """Fill the tables of the published folder's own page, which is made if it is not there, and of all other pages.

    Nothing is written if one of them cannot be filled.
    """
    made = page_tables(publication, described)
    own = options.out / PAGE
    texts = {own: own.read_text(encoding="utf-8") if own.exists() else NEW_PAGE}
    for page in options.pages:
        if not page.is_file():
            raise ValueError(f"there is no page {page}")
        texts[page] = page.read_text(encoding="utf-8")
    filled = {page: insert(text, made) for page, text in texts.items()}
    for page, text in filled.items():
        page.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(page, text.encode())
    return list(filled)


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
            else ("–", "–", "–", "–", f"not available here: {reason_for_readers(row.reason)}")
        )
        lines.append(f"| `{row.name}` | {' | '.join(facts)} |")
    return "\n".join(lines) + "\n"


def reason_for_readers(reason: str) -> str:
    """Why a distance cannot run here, without this machine's folders: what helps anywhere is the first clause."""
    return reason.partition(", or put ")[0].replace(str(Path.home()), "~")


def _mark(value: bool | None) -> str:
    return "✓" if value else "–"


def write_report(publication: Publication, out: Path) -> Path:
    """The report, with its sounds rendered anew from the tasks and the seeds."""
    path = out / REPORT
    write_atomically(path, report(publication, render(choose(publication)), out))
    return path
