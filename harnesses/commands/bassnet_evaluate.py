"""``evaluate``: how good a trained BassNet is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common


@app.command("evaluate")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=None,
    help="Dataset to be judged on.  [default: the one it was trained on: its validation songs]",
)
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of records and figures.",
)
@common
def evaluate_command(as_json: bool, debug: bool, **options: Any) -> int:
    """Judge BassNets that tonedeaf train has left in the folders RUN.

    Prints the paper's Tables 1 to 3 beside ours, and pitch, harmonics, onsets and level of the decoded bass; draws the
    latent plane (Figures 5 and 6), trajectories (Figure 7), and relative pitch over the plane (Figure 8). Several runs
    share tables and figures.
    """
    del debug
    from ..evaluate_run import EvaluateOptions, run

    return run(EvaluateOptions(**options), as_json=as_json)
