"""``train``: BassNet on a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common


@app.command("train")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the dataset (tonedeaf data).")
@click.option(
    "--preset",
    default="tiny",
    show_default=True,
    help="tiny: minutes on 2 cores; small: hours on 2 cores; paper: the paper's sizes, for a GPU.",
)
@click.option(
    "--loss",
    type=click.Choice(["paper", "none"]),
    default="paper",
    show_default=True,
    help="paper: BassNet's own objective; none: the same without its spectral term.",
)
@click.option("--ablation", is_flag=True, help="Without cross-reconstruction: the paper's Table 3.")
@click.option("--seed", type=int, default=None, help="Of weights, batches and the split of songs.  [default: 0]")
@click.option("--steps", type=int, default=None, help="At most so many.  [default: the preset's]")
@click.option("--seconds", type=float, default=None, help="Stop after the mini-epoch that reaches it.")
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder; begin it if there is none.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@common
def train_command(as_json: bool, debug: bool, **options: Any) -> int:
    """Train BassNet on a dataset.

    The folder holds the best weights, the last checkpoint, a line of history for each mini-epoch (also for
    TensorBoard), and the record. Several GPUs: accelerate launch --no_python tonedeaf train ...
    """
    from ..train_run import TrainOptions, run

    return run(TrainOptions(debug=debug, **options), as_json=as_json)
