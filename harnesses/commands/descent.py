"""``descend``: where following a distance's gradient leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common, memory, parallel


@app.command("descend")
@click.argument("distances", nargs=-1)
@click.option("--suite", default="table1-valid", show_default=True, help="Settings (tonedeaf list suites).")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    default=["sines"],
    show_default=True,
    help="Whose signals (tonedeaf list tasks); all is the whole ladder; may be repeated.",
)
@click.option("--trials", type=int, default=50, show_default=True, help="How many.")
@click.option("--steps", type=int, default=500, show_default=True, help="Of Adam.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the trials.")
@click.option("--duration", type=float, default=None, help="Of the signals, in seconds.  [default: 0.2]")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@memory
@parallel
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of records and figures.",
)
@common
def descend_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Does gradient descent on pitch and level reach the target?

    Without a DISTANCE, the suite's descend. Where rankings of the same task and seed are in the folder, the rank
    correlation of sign accuracy and descent is printed as well.
    """
    from ..descend_run import DescendOptions, run

    return run(DescendOptions(distances=distances, debug=debug, **options), as_json=as_json)
