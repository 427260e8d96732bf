"""What ``rank --all`` passes over: distances that would take longer than anyone expects of a list of all.

A cell's time is estimated from a few of its trials. What is passed over leaves no record: named by hand it is ranked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..results.store import RecordStore
from .answers import stored
from .cells import Cell
from .ranking import batch_margins, one_thread_each
from .resources import Resources
from .screens import note

LIMIT_SECONDS = 120.0
"""Of one distance on one task."""
_PROBED = 2
"""Trials that are timed, after as many that are not."""


def affordable(cells: Sequence[Cell], store: RecordStore, resources: Resources) -> list[Cell]:
    """The cells that have an answer in the store, or will have one within the limit; a note names the others."""
    kept: list[Cell] = []
    for cell in cells:
        seconds = 0.0 if stored(store, cell.key) is not None else estimated_seconds(cell, resources)
        if seconds <= LIMIT_SECONDS:
            kept.append(cell)
        else:
            note(
                f"note: passed over {cell.distance_identity.name} on {cell.task.name}: about {seconds:.0f} s for "
                f"{cell.trials} trials, the limit of --all is {LIMIT_SECONDS:.0f} s; name it to rank it"
            )
    return kept


def estimated_seconds(cell: Cell, resources: Resources) -> float:
    """The time that a cell will take, in seconds; 0 for one that will not be measured, or fails at once."""
    if cell.distance is None or cell.skipped:
        return 0.0
    trials = cell.task.trials(cell.seed, 0, _PROBED).to(resources.device)
    distance = cell.distance.to(resources.device)
    try:
        with one_thread_each(resources.device):
            batch_margins(distance, cell.task, trials)
            start = time.perf_counter()
            batch_margins(distance, cell.task, trials)
    except Exception:  # its record will say what went wrong
        return 0.0
    return (time.perf_counter() - start) / _PROBED * cell.trials / resources.workers
