"""The command ``descend``: questions from options, records from questions, a table and a figure from records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..losses import AudioDistance
from ..results.descent_correlation import Correlation, correlations, matching_rankings
from ..results.figure_descent import figure_descent
from ..results.record import Record, RecordError
from ..results.store import RecordStore
from ..results.style import save_figure
from . import screens
from .answers import Answer, failed
from .descent import RATES, TUNING_TRIALS, measure, trials_in_all
from .questions import Question, ask, distinct, pair
from .rank_run import DEFAULT_SEED, print_json
from .resources import AUTO
from .screen_descent import correlation_table, descent_notes, descent_table
from .suites import CHOICES, suite
from .tasks import task_texts
from .work import Asked, Settings, Work, answer_all

KIND = "descent"
DEFAULT_TRIALS, DEFAULT_STEPS, DEFAULT_DURATION = 50, 500, 0.2
"""Measured on two busy cores: 2 minutes for mss, 4 for log_mss, under one for the other distances of Table 1. At a
ranking's 0.5 s it takes two to three times as long."""


@dataclass(frozen=True, kw_only=True)
class DescendOptions:
    """What ``tonedeaf descend`` was told; the fields are its options."""

    distances: tuple[str, ...] = ()
    suite: str = "table1-valid"
    tasks: tuple[str, ...] = ("sines",)
    trials: int = DEFAULT_TRIALS
    steps: int = DEFAULT_STEPS
    seed: int = DEFAULT_SEED
    duration: float | None = None
    sample_rate: float = 44100.0
    device: str = AUTO
    memory: str = AUTO
    workers: int = 1
    dask: str | None = None
    out: Path = Path("runs")
    debug: bool = False


def run(options: DescendOptions, *, as_json: bool) -> int:
    """Descend, draw, print, and return the exit status: 1 if a distance failed.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    questions = questions_of(options)
    store = RecordStore(options.out)
    works = [
        Work(question, partial(_measured, options.steps), steps=trials_in_all(question.trials))
        for question in questions
    ]
    settings = Settings(options.device, options.memory, options.workers, options.dask, options.debug)
    settings.check()
    for message in dict.fromkeys(message for question in questions for message in question.notes):
        screens.note(f"note: {message}")
    with screens.progress_bar(sum(work.size for work in works)) as progress:
        records = answer_all(
            works,
            store,
            settings,
            progress=lambda work, done: progress(work.question.distance_identity.name, done),
        )
    figures = draw(store, records)
    if as_json:
        print_json(records)
    else:
        _print(store, records, figures)
    return 1 if failed(records) else 0


def questions_of(options: DescendOptions) -> list[Question]:
    """The questions of a call: every distance on every task.

    Raises:
        ValueError: if anything about the call is wrong.
    """
    chosen = suite(options.suite)
    if chosen is CHOICES:
        raise ValueError(f"suite {options.suite} is one of tonedeaf rank: give table1-valid or table1")
    if options.steps < 1:
        raise ValueError(f"steps must be at least 1, got {options.steps}")
    told = {"steps": options.steps, "rates": list(RATES), "tuning_trials": TUNING_TRIALS}
    pairs = [(text, task) for task in task_texts(options.tasks) for text in options.distances or chosen.distances]
    return distinct(
        ask(
            pair(
                text,
                task,
                sample_rate=options.sample_rate,
                duration=options.duration,
                # a suite's duration is for ranking, which asks each signal a few times, not thousands
                task_preset={**chosen.task, "duration": DEFAULT_DURATION},
                distance_preset=chosen.distance,
                skip=len(pairs) > 1,
            ),
            kind=KIND,
            seed=options.seed,
            trials=options.trials,
            parameters={"descent": told},
        )
        for text, task in dict.fromkeys(pairs)
    )


def draw(store: RecordStore, records: Sequence[Record]) -> list[Path]:
    """Draw the records that have an answer, a figure for each task: PNG and SVG, in the folder of the records."""
    paths: list[Path] = []
    for task in dict.fromkeys(record.task.name for record in records):
        found = [record for record in records if record.task.name == task and record.status == "ok"]
        if found:
            digest = hashlib.sha256("".join(record.key for record in found).encode()).hexdigest()[:8]
            paths.extend(save_figure(figure_descent(found, store.trials), store.folder / f"descent-{task}-{digest}"))
    return paths


def correlation_with_ranking(store: RecordStore, descents: Sequence[Record]) -> tuple[list[Correlation], int]:
    """How descent goes with sign accuracy, over the distances whose rankings the store has, and how many these are.

    There are no correlations for fewer than three.
    """
    try:
        pairs = matching_rankings(store.read_all(), descents)
    except RecordError as error:
        screens.note(f"note: no correlation with sign accuracy: {error}")
        return [], 0
    return (correlations(pairs, store.trials) if len(pairs) >= 3 else []), len(pairs)


def _print(store: RecordStore, records: Sequence[Record], figures: Sequence[Path]) -> None:
    console = screens.out()
    for task in dict.fromkeys(record.task.name for record in records):
        of_task = [record for record in records if record.task.name == task]
        console.print(f"[bold]{task}[/bold]: share of trials in which descent reaches the target")
        console.print(descent_table(of_task))
        for line in descent_notes(of_task):
            console.print(line, markup=False)
        found, count = correlation_with_ranking(store, of_task)
        if found:
            console.print(f"\nrank correlation with sign accuracy over {count} distances", markup=False)
            console.print(correlation_table(found))
    for path in figures:
        console.print(f"figure: {path}", markup=False)
    console.print(f"records: {store.folder}", markup=False)


def _measured(steps: int, distance: AudioDistance, asked: Asked) -> Answer:
    return measure(
        distance,
        asked.question.task,
        seed=asked.question.seed,
        trials=len(asked.share),
        steps=steps,
        resources=asked.resources,
        progress=asked.progress,
    )
