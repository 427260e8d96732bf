"""``publish``, ``compare`` and ``export``: what readers see, what changed, and the numbers for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from .app import app, common

_FOLDER = click.Path(path_type=Path)


@app.command("publish")
@click.option(
    "--records",
    type=_FOLDER,
    multiple=True,
    default=[Path("runs")],
    show_default=True,
    help="Folder of records, searched to the bottom; may be repeated.",
)
@click.option("--out", type=_FOLDER, required=True, help="Folder of the page, the report and the figures.")
@click.option(
    "--page", "pages", type=_FOLDER, multiple=True, help="Another Markdown page whose marked tables are filled."
)
@common
def publish_command(records: tuple[Path, ...], out: Path, pages: tuple[Path, ...], as_json: bool, debug: bool) -> int:
    """Turn records into leaderboard, figures and a report."""
    del debug
    from ..publish_run import PublishOptions, run

    return run(PublishOptions(records=records, out=out, pages=pages), as_json=as_json)


@app.command("compare")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--fail-on-regression", is_flag=True, help="Exit with 1 if anything became worse beyond noise.")
@common
def compare_command(before: str, after: str, fail_on_regression: bool, as_json: bool, debug: bool) -> int:
    """What became better or worse, on the same trials, beyond noise?

    A and B are folders of records, or revisions of a repository: main, v1.0, HEAD~1:results/published.
    """
    del debug
    from ..compare_run import CompareOptions, run

    return run(CompareOptions(before=before, after=after, fail_on_regression=fail_on_regression), as_json=as_json)


@app.command("export")
@click.option(
    "--format", "form", type=click.Choice(["csv", "parquet", "latex", "markdown"]), required=True, help="Of the export."
)
@click.option(
    "--records",
    type=_FOLDER,
    multiple=True,
    default=[Path("runs")],
    show_default=True,
    help="Folder of records, searched to the bottom; may be repeated.",
)
@click.option("--out", type=_FOLDER, default=None, help="File.  [default: standard output]")
@common
def export_command(form: str, records: tuple[Path, ...], out: Path | None, as_json: bool, debug: bool) -> int:
    """Records for other programs, or Table 1 and the leaderboard for a paper.

    csv and parquet: every record, a row for each metric. latex and markdown: the tables; latex needs booktabs.
    """
    del debug
    from ..export_run import ExportOptions, run

    return run(ExportOptions(form=form, records=records, out=out), as_json=as_json)
