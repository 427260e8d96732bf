"""``rank``: how often a distance points the right way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common, memory, parallel


@app.command("rank")
@click.argument("distances", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every distance that takes at most 2 minutes a task.")
@click.option(
    "--suite", default="table1-valid", show_default=True, help="Distances and settings (tonedeaf list suites)."
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    default=["sines"],
    show_default=True,
    help="What is asked (tonedeaf list tasks); all is the whole ladder; may be repeated.",
)
@click.option("--trials", type=int, default=None, help="How many.  [default: 1000; table1-choices: 200 a seed]")
@click.option("--seed", type=int, default=None, help="Of the trials.  [default: 0; table1-choices: 1000 to 1004]")
@click.option("--duration", type=float, default=None, help="Of the signals, in seconds.  [default: the suite's]")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@click.option(
    "--minimum", type=int, default=None, help="Where is the global minimum? Asked of this many trials.  [default: none]"
)
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@memory
@parallel
@click.option("--download", is_flag=True, help="Fetch pretrained weights that are not here (tonedeaf weights list).")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of the records."
)
@common
def rank_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Sign accuracy of distances: analytic, and at each resolution.

    A DISTANCE is a name (tonedeaf list), a name with parameters such as 'mss[n_ffts=2048,512]', a weighted sum such as
    'log_mss + 0.1*mss', or one of your own: ./my_loss.py:MyLoss or package.module:MyLoss.
    """
    from ..rank_run import RankOptions, run

    return run(RankOptions(distances=distances, debug=debug, **options), as_json=as_json)
