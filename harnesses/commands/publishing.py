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
