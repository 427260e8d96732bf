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
    help="tiny: minutes on 2 cores; small: an hour on one core; paper: the paper's sizes, for a GPU.",
)
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="GROUP.FIELD=VALUE",
    help="A field of the preset, as in model.window=40; may be repeated.",
)
@click.option(
    "--loss",
    default="paper",
    show_default=True,
    help="A distance, as for tonedeaf rank; or paper: BassNet's own objective; or none: without what is replaced.",
)
@click.option(
    "--condition",
    type=click.Choice(["replace", "audio-only"]),
    default="replace",
    show_default=True,
    help="What the distance replaces: the spectral term; or f0's supervision as well.",
)
@click.option(
    "--path",
    default=None,
    help="To audio: soft, local, straight, given (replace only), expected, marginal, entropic, bank.  "
    "[default: entropic in audio-only, given in replace]",
)
@click.option("--target", default="oracle", show_default=True, help="What audio is compared with: oracle, stem.")
@click.option("--segments", type=int, default=4, show_default=True, help="Of audio, a step.")
@click.option("--segment-seconds", type=float, default=0.5, show_default=True, help="Their length.")
@click.option(
    "--calibrate-every",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Scale a distance down whose gradient has grown, after every so many steps; 0: never.",
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
