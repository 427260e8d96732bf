"""The main job (``make bench``): Table 1 in the paper's mode and in the house mode, beside the published numbers.

Run as ``python -m tonedeaf.harnesses.table1 --out FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..results.atomic_write import write_atomically
from ..results.figure_table1 import figure_table1
from ..results.style import save_figure
from ..results.table1 import table1_from_records
from ..results.table1_text import markdown, rich_table
from . import screens
from .answers import failed
from .cli import run_command
from .commands.app import memory, parallel
from .rank_run import DEFAULT_TRIALS, RankOptions, rank_suite
from .suites import HOUSE_MODE, PAPERS_MODE


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/bench"), show_default=True, help="Folder.")
@click.option("--trials", type=int, default=DEFAULT_TRIALS, show_default=True, help="Number of trials.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the trials.")
@memory
@parallel
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def bench(out: Path, debug: bool, **options: Any) -> int:
    """Rank Table 1's spectral distances in both modes; print the table, and where records and figure are."""
    told = RankOptions(out=out, debug=debug, **options)
    paper, house = (rank_suite(told, suite) for suite in (PAPERS_MODE, HOUSE_MODE))
    table = table1_from_records(paper, house)
    figures = save_figure(figure_table1(table), out / "table1")
    write_atomically(out / "table1.md", markdown(table).encode())
    screens.out().print(rich_table(table))
    screens.out().print(f"records: {out}; figure: {', '.join(str(path) for path in figures)}", markup=False)
    return 1 if failed([*paper, *house]) else 0


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], bench))
