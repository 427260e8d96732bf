"""The neural distances on sines (``make bench-neural``): all whose weights are here; the others are recorded as such.

Run as ``python -m tonedeaf.harnesses.bench_neural --out FOLDER``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..losses import names
from ..losses.neural import NeuralDistance
from ..losses.registry import resolve
from ..losses.weights import FromPackage, weights_table
from . import screens
from .answers import failed
from .cells import Cell
from .cli import run_command
from .commands.app import memory, parallel
from .rank_run import RankOptions, answer_all, suite_cells
from .suites import HOUSE_MODE

TRIALS = 300
TRIALS_OF_THE_SLOW = {"cdpam": 100, "crepe_full": 50}
"""5 and 1.4 s of a CPU core a trial."""
TRIALS_OF_FETCHED = 50
"""Of networks whose weights no package brings: most have a hundred million weights."""


def neural_names() -> list[str]:
    """The registered names of neural distances, in the registry's order."""
    return [name for name in names() if issubclass(resolve(name, {}, sample_rate=44100)[0], NeuralDistance)]


def trials_of(name: str) -> int:
    """How many trials a distance is asked: as many as keep the whole below a quarter of an hour on 2 cores."""
    rows = weights_table()
    fetched = name not in rows or not isinstance(rows[name].origin, FromPackage)
    shares_weights = name.endswith("_posterior")  # with the pitch tracker that it is named after
    return TRIALS_OF_THE_SLOW.get(name, TRIALS_OF_FETCHED if fetched and not shares_weights else TRIALS)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/bench-neural"), show_default=True, help="Folder."
)
@click.option("--trials", type=int, default=TRIALS, show_default=True, help="At most so many of each distance.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the trials.")
@memory
@parallel
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def bench_neural(out: Path, trials: int, debug: bool, **options: Any) -> int:
    """Rank the neural distances on sines; print the table, and where the records are."""
    told = RankOptions(out=out, debug=debug, **options)
    cells: list[Cell] = []
    for name in neural_names():
        asked = replace(told, distances=(name,), trials=min(trials, trials_of(name)))
        cells += suite_cells(asked, HOUSE_MODE)
    records = answer_all(cells, told)
    ranked = [record for record in records if record.status != "unavailable"]
    screens.out().print(screens.ranking_table(ranked))
    for line in screens.ranking_notes(ranked):
        screens.out().print(line, markup=False)
    absent = [record.distance.name for record in records if record.status == "unavailable"]
    screens.out().print(f"without weights here (tonedeaf list says why): {', '.join(absent) or 'none'}", markup=False)
    screens.out().print(f"records: {out}", markup=False)
    return 1 if failed(records) else 0


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], bench_neural))
