"""The command ``rank``: cells from options, records from cells, a table from records."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from ..losses import names
from ..losses.weights import downloads_allowed
from ..results.record import Record
from ..results.record_document import encode_record
from ..results.store import RecordStore
from . import cost, minimum, screens
from .affordable import affordable
from .answers import failed
from .cells import Cell, prepare, work_of
from .questions import distinct
from .resources import AUTO, opened
from .screen_leaderboard import leaderboard_notes, leaderboard_table
from .selection import standings
from .suites import CHOICES, Suite, suite
from .tasks import task_texts
from .work import Settings, Work
from .work import answer_all as answer_all_work

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
    minimum: int | None = None
    device: str = AUTO
    memory: str = AUTO
    workers: int = 1
    dask: str | None = None
    download: bool = False
    out: Path = Path("runs")
    debug: bool = False

    @property
    def settings(self) -> Settings:
        """With what to compute."""
        return Settings(self.device, self.memory, self.workers, self.dask, self.debug)


def run(options: RankOptions, *, as_json: bool) -> int:
    """Rank, print, and return the exit status: 1 if a distance failed.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    chosen = suite(options.suite)
    if chosen is CHOICES:
        from .choices import run_choices

        return run_choices(options, as_json=as_json)
    with (
        downloads_allowed(options.download),
        redirect_stdout(sys.stderr) if as_json else nullcontext(),  # what a plug-in prints is not ours
    ):
        records, minima, costs = _answered(options, chosen)
    everything = [*records, *minima, *costs]
    if as_json:
        print_json(everything)
    else:
        _print(records, minima, costs, RecordStore(options.out))
    return 1 if failed(everything) else 0


def _answered(options: RankOptions, chosen: Suite) -> tuple[list[Record], list[Record], list[Record]]:
    """The records of the rankings, of the minima if asked for, and of the costs if there are several tasks."""
    options.settings.check()
    cells = suite_cells(options, chosen)
    if options.every:
        store = RecordStore(options.out)
        store.check_writable()
        with opened(options.device, options.memory) as resources:
            cells = affordable(cells, store, resources)
    questions = [] if options.minimum is None else [minimum.question_of(cell, options.minimum) for cell in cells]
    records = _answer([*map(work_of, cells), *map(minimum.work_of, questions)], options)
    costs = _answer_costs(cells, options) if len({cell.task.name for cell in cells}) > 1 else []
    return records[: len(cells)], records[len(cells) :], costs


def rank_suite(options: RankOptions, chosen: Suite) -> list[Record]:
    """The records of every distance on every task, computed where the store has none.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    return answer_all(suite_cells(options, chosen), options)


def suite_cells(options: RankOptions, chosen: Suite) -> list[Cell]:
    """The cells of every distance on every task.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    if options.every and options.distances:
        raise ValueError("give either distances or --all, not both")
    texts = tuple(names()) if options.every else options.distances or chosen.distances
    pairs = [(text, task) for task in task_texts(options.tasks) for text in dict.fromkeys(texts)]
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
            skip=len(pairs) > 1,
        )
        for text, task in pairs
    ]
    if len({cell.task.name for cell in cells}) < len({task for _, task in pairs}):
        raise ValueError(
            "a task can be ranked with one set of parameters at a time: rank the other in a call of its own"
        )
    return distinct(cells)


def print_json(records: Sequence[Record]) -> None:
    """One JSON array of records on standard output."""
    print(json.dumps([json.loads(encode_record(record)) for record in records], indent=2))


def answer_all(cells: Sequence[Cell], options: RankOptions) -> list[Record]:
    """The records of cells, in their order, with progress on a terminal.

    Raises:
        ValueError: if the folder, the device or the memory is wrong; nothing has been computed then.
    """
    return _answer([work_of(cell) for cell in cells], options)


def _answer(works: Sequence[Work], options: RankOptions) -> list[Record]:
    def shown(work: Work, done: int) -> None:
        of_what = "minimum of " if work.question.kind == minimum.KIND else ""
        progress(f"{of_what}{work.question.distance_identity.name}", done)

    for message in dict.fromkeys(message for work in works for message in work.question.notes):
        screens.note(f"note: {message}")
    with screens.progress_bar(sum(work.size for work in works)) as progress:
        return answer_all_work(works, RecordStore(options.out), options.settings, progress=shown)


def _answer_costs(cells: Sequence[Cell], options: RankOptions) -> list[Record]:
    """What each distance costs, on the first task that can be asked of it."""
    asked = [cell for cell in cells if not cell.skipped and not cell.unavailable]
    first = {cell.distance_identity.name: cell for cell in reversed(asked)}
    names_in_order = dict.fromkeys(cell.distance_identity.name for cell in asked)
    with opened(options.device, options.memory) as resources:
        return [
            cost.answer(
                cost.question_of(first[name], resources), RecordStore(options.out), resources, debug=options.debug
            )
            for name in names_in_order
        ]


def _print(records: Sequence[Record], minima: Sequence[Record], costs: Sequence[Record], store: RecordStore) -> None:
    console = screens.out()
    tasks = list(dict.fromkeys(record.task.name for record in records))
    for task in tasks:
        of_task, minima_of_task = ([one for one in several if one.task.name == task] for several in (records, minima))
        console.print(f"[bold]{task}[/bold]: share of trials in which the distance knows which way is worse")
        console.print(screens.ranking_table(of_task, minima_of_task))
        for line in screens.ranking_notes(of_task, minima_of_task):
            console.print(line, markup=False)
    if len(tasks) > 1:
        board = standings(store, records, costs)
        console.print(f"\n[bold]leaderboard[/bold] over {len(tasks)} tasks")
        console.print(leaderboard_table(board))
        for line in leaderboard_notes(board):
            console.print(line, markup=False)
    console.print(f"records: {store.folder}", markup=False)
