"""The command ``rank``: cells from options, records from cells, a table from records."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from ..losses import names
from ..results.record import Record
from ..results.record_document import encode_record
from ..results.store import RecordStore
from . import screens
from .batching import parse_memory
from .cells import Cell, Resources, answer, failed, prepare
from .suites import CHOICES, Suite, suite

DEFAULT_TRIALS, DEFAULT_SEED = 1000, 0


@dataclass(frozen=True, kw_only=True)
class RankOptions:
    """What ``tonedeaf rank`` was told; the fields are its options."""

    distances: tuple[str, ...] = ()
    every: bool = False
    suite: str = "table1-valid"
    tasks: tuple[str, ...] = ("sines",)
    trials: int | None = None
    seed: int | None = None
    duration: float | None = None
    sample_rate: float = 44100.0
    device: str = "auto"
    memory: str = "512MiB"
    out: Path = Path("runs")
    debug: bool = False


def run(options: RankOptions, *, as_json: bool) -> int:
    """Rank, print, and return the exit status: 1 if a distance failed.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    chosen = suite(options.suite)
    if chosen is CHOICES:
        from .choices import run_choices

        return run_choices(options, as_json=as_json)
    records = rank_suite(options, chosen)
    if as_json:
        print_json(records)
    else:
        _print(records, options.out)
    return 1 if failed(records) else 0


def rank_suite(options: RankOptions, chosen: Suite) -> list[Record]:
    """The records of every distance on every task, computed where the store has none.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    if options.every and options.distances:
        raise ValueError("give either distances or --all, not both")
    texts = tuple(names()) if options.every else options.distances or chosen.distances
    cells = [
        prepare(
            text,
            task,
            seed=DEFAULT_SEED if options.seed is None else options.seed,
            trials=DEFAULT_TRIALS if options.trials is None else options.trials,
            sample_rate=options.sample_rate,
            duration=options.duration,
            task_preset=chosen.task,
            distance_preset=chosen.distance,
        )
        for task in dict.fromkeys(options.tasks)
        for text in dict.fromkeys(texts)
    ]
    return answer_all(cells, options)


def print_json(records: Sequence[Record]) -> None:
    """One JSON array of records on standard output."""
    print(json.dumps([json.loads(encode_record(record)) for record in records], indent=2))


def answer_all(cells: Sequence[Cell], options: RankOptions) -> list[Record]:
    """The records of cells, in their order, with progress on a terminal.

    Raises:
        ValueError: if the folder, the device or the memory is wrong; nothing has been computed then.
    """
    store = RecordStore(options.out)
    store.check_writable()
    with _resources(options) as resources, screens.progress_bar(sum(cell.trials for cell in cells)) as progress:
        for message in dict.fromkeys(message for cell in cells for message in cell.notes):
            screens.note(f"note: {message}")
        return [
            answer(
                cell,
                store,
                resources,
                progress=partial(progress, cell.distance_identity.name),
                debug=options.debug,
            )
            for cell in cells
        ]


@contextmanager
def _resources(options: RankOptions) -> Generator[Resources]:
    device, memory = _device(options.device), parse_memory(options.memory)
    workers = (
        1 if device.type != "cpu" else len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    )
    with ThreadPoolExecutor(workers) as executor:
        yield Resources(device, memory, executor, workers)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {str(error).partition(chr(10))[0]}") from error
    return device


def _print(records: Sequence[Record], folder: Path) -> None:
    console = screens.out()
    for task in dict.fromkeys(record.task.name for record in records):
        of_task = [record for record in records if record.task.name == task]
        console.print(f"[bold]{task}[/bold]: share of trials in which the distance knows which way is worse")
        console.print(screens.ranking_table(of_task))
        for line in screens.ranking_notes(of_task):
            console.print(line, markup=False)
    console.print(f"records: {folder}", markup=False)
