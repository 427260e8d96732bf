"""``data``: a dataset for BassNet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common


@app.command("data")
@click.argument("dataset")
@click.option(
    "--songs", type=int, default=None, help="Pairs of a mix and its bass.  [default: 1000; recordings: one a track]"
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn at random.")
@click.option("--seconds", type=float, default=None, help="Of a song, to the nearest whole bar.  [default: 60]")
@click.option(
    "--renderer",
    default="auto",
    show_default=True,
    help="fluidsynth, tinysoundfont, additive; auto takes the first that can run here.",
)
@click.option(
    "--sound-font",
    default="auto",
    show_default=True,
    metavar="PATH",
    help="An .sf2 file; auto takes Debian's FluidR3_GM, or else pretty_midi's TimGM6mb.",
)
@click.option("--workers", type=int, default=None, help="Processes.  [default: as many as there are cores]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the dataset.")
@common
def data_command(as_json: bool, debug: bool, **options: Any) -> int:
    """Make a DATASET that BassNet can learn from.

    A1, A2, A3 or A4 are rendered. A folder with a folder for each track, which holds bass.wav and other stems, is mixed
    (also MUSDB18-HQ, and with mirdata Slakh). Run it again to finish what was interrupted, or to repair what was
    damaged: songs that are there and whole are kept.
    """
    del debug
    from ..data_run import DataOptions, run

    return run(DataOptions(**options), as_json=as_json)
