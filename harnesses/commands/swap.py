"""``swap``: train BassNet with each loss, and compare what it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common, parallel


@app.command("swap")
@click.option("--loss", "losses", multiple=True, help="A distance, as for tonedeaf rank; may be repeated.")
@click.option("--top", type=int, default=None, help="Train only the best so many of them (without --loss: of all).")
@click.option("--bottom", type=int, default=None, help="Train the worst so many, too.")
@click.option(
    "--by", default="minimum", show_default=True, help="Best by what: minimum, mean or pitch_minimum over the ladder."
)
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Folder of a dataset (tonedeaf data makes one)."
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    default=None,
    help="Judge all arms by all songs of this dataset (made with another --seed of tonedeaf data).  "
    "[default: the validation tenth of --data, other songs for each seed]",
)
@click.option("--preset", default="tiny", show_default=True, help="Of model and training: tiny, small, paper.")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    type=click.Choice(["replace", "audio-only"]),
    default=["audio-only", "replace"],
    show_default=True,
    help="What a loss replaces: the spectral term; or f0's supervision as well. May be repeated.",
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
@click.option("--start-steps", type=int, default=1000, show_default=True, help="Of the training all arms go on from.")
@click.option("--steps", type=int, default=200, show_default=True, help="Of each arm.")
@click.option("--seeds", type=int, default=3, show_default=True, help="How many runs of each arm.")
@click.option("--first-seed", type=int, default=0, show_default=True, help="Of these.")
@click.option("--trials", type=int, default=200, show_default=True, help="Of the ranking on the ladder; 0: none.")
@click.option("--device", default="auto", show_default=True, help="cpu or cuda; auto takes a GPU if there is one.")
@parallel
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Of records and runs."
)
@common
def swap_command(as_json: bool, debug: bool, **options: Any) -> int:
    """Does a loss that ranks well train well? Rank losses, train BassNet with each, compare.

    The baselines are always trained as well: BassNet's own objective (paper), and no spectral term (none). What is
    finished already is not computed again.
    """
    from ..swap_run import SwapOptions, run

    return run(SwapOptions(debug=debug, **options), as_json=as_json)
