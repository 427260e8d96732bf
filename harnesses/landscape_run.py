"""The commands ``curve``, ``map`` and ``field``: from options to questions, from these to records and figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from ..benchmarks import Task
from ..losses import AudioDistance
from ..results.figure_curve import figure_curve
from ..results.figure_field import figure_field
from ..results.figure_map import figure_map
from ..results.landscape import Landscape, read_landscape
from ..results.record import Record
from ..results.store import RecordStore
from ..results.style import save_figure
from . import map_paths, screens
from .answers import Answer, failed
from .landscape_cells import (
    Kind,
    Target,
    cells_of,
    check_targets,
    nearest_targets,
    parameters,
    size,
    usual_targets,
)
from .landscapes import measure
from .questions import Pair, Question, ask, distinct, pair
from .rank_run import DEFAULT_SEED, print_json
from .resources import AUTO
from .suites import CHOICES, suite
from .work import Asked, Settings, Work, answer_all


@dataclass(frozen=True, kw_only=True)
class LandscapeOptions:
    """What ``tonedeaf curve``, ``map`` or ``field`` was told; the fields are its options."""

    distances: tuple[str, ...] = ()
    task: str = "sines"
    pitch: tuple[float, ...] = ()
    level: tuple[float, ...] = ()
    paths: int = 0
    suite: str = "table1-valid"
    seed: int = DEFAULT_SEED
    duration: float | None = None
    sample_rate: float = 44100.0
    device: str = AUTO
    memory: str = AUTO
    workers: int = 1
    dask: str | None = None
    out: Path = Path("runs")
    debug: bool = False


def run(kind: Kind, options: LandscapeOptions, *, as_json: bool) -> int:
    """Measure, draw, print, and return the exit status: 1 if a distance failed.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    works = _asked(kind, options)
    store = RecordStore(options.out)
    settings = Settings(options.device, options.memory, options.workers, options.dask, options.debug)
    settings.check()
    for message in dict.fromkeys(message for work in works for message in work.question.notes):
        screens.note(f"note: {message}")
    with screens.progress_bar(sum(work.size for work in works)) as progress:
        records = answer_all(
            works,
            store,
            settings,
            progress=lambda work, done: progress(work.question.distance_identity.name, done),
        )
    figures = draw(kind, store, records)
    if as_json:
        print_json(records)
    else:
        console = screens.out()
        for record in records:
            if record.reason:
                console.print(f"{record.distance.name}: {record.status}: {record.reason}", markup=False)
        for path in figures:
            console.print(f"figure: {path}", markup=False)
        console.print(f"records: {options.out}", markup=False)
    return 1 if failed(records) else 0


def targets_of(kind: Kind, task: Task, pitches: Sequence[float], levels: Sequence[float]) -> tuple[Target, ...]:
    """The targets that options name: the paper's if they name none.

    Args:
        kind: of landscape: each has its own in the paper.
        task: whose targets they are.
        pitches: in Hz; none are the paper's.
        levels: in dB: one for all targets, or one for each; none are the paper's, or the middle of the range for
            pitches of one's own.

    Raises:
        ValueError: if neither the pitches nor the levels are one and their numbers differ, or one is out of range.
    """
    usual = usual_targets(kind, task)
    hertz = pitches or tuple(target.pitch_hz for target in usual)
    if levels:
        decibels = tuple(levels)
    else:
        decibels = (usual_targets("field", task)[0].level_db,) if pitches else tuple(each.level_db for each in usual)
    count = max(len(hertz), len(decibels))
    if {len(hertz), len(decibels)} - {1, count}:
        raise ValueError(
            f"give one --level for all targets or one for each: {len(hertz)} pitches have {len(decibels)} levels"
        )
    pairs = zip(tuple(hertz) * (count // len(hertz)), decibels * (count // len(decibels)), strict=True)
    targets = tuple(dict.fromkeys(Target(float(pitch), float(level)) for pitch, level in pairs))
    check_targets(task, targets)
    return targets


def draw(kind: Kind, store: RecordStore, records: Sequence[Record]) -> list[Path]:
    """Draw the records that have an answer: PNG and SVG, in the folder of the records.

    The name of a file says kind, task and, where each target has a figure of its own, the target; it ends with digits
    of the records' keys, so that another call's figures stay as they are.
    """
    answered = [record for record in records if record.status == "ok"]
    found = [read_landscape(store, record) for record in answered if record.kind == kind]
    descents = {record.distance.name: store.trials(record) for record in answered if record.kind == map_paths.KIND}
    if not found:
        return []
    digest = hashlib.sha256("".join(record.key for record in answered).encode()).hexdigest()[:8]
    paths: list[Path] = []
    for name, figure in _figures(kind, found, descents):
        stem = f"{kind}-{found[0].task_name}{name}-{digest}"
        paths.extend(save_figure(figure, store.folder / stem))
    return paths


def _figures(kind: Kind, found: Sequence[Landscape], paths: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, Figure]]:
    if kind == "curve":
        yield "", figure_curve(found)
        return
    for number, target in enumerate(found[0].targets):
        figure = figure_map(found, number, paths) if kind == "map" else figure_field(found, number)
        yield f"-{target.pitch_hz:g}hz{target.level_db:g}db", figure


def _asked(kind: Kind, options: LandscapeOptions) -> list[Work]:
    """The landscapes, then the paths over them if there are to be any."""
    if options.paths < 0:
        raise ValueError(f"paths must not be negative, got {options.paths}")
    chosen = suite(options.suite)
    if chosen is CHOICES:
        raise ValueError(f"suite {options.suite} is for tonedeaf rank only: give table1-valid or table1")
    distances = tuple(dict.fromkeys(options.distances or chosen.distances))
    found: list[Question] = []
    about: dict[str, tuple[Pair, tuple[Target, ...]]] = {}
    for distance in distances:
        subject = pair(
            distance,
            options.task,
            sample_rate=options.sample_rate,
            duration=options.duration,
            task_preset=chosen.task,
            distance_preset=chosen.distance,
            skip=len(distances) > 1,
        )
        wanted = targets_of(kind, subject.task, options.pitch, options.level)
        targets = nearest_targets(subject.task, options.seed, wanted)
        if targets != wanted:
            pitches = ", ".join(f"{target.pitch_hz:g}" for target in targets)
            note = f"{subject.task.name} draws its targets' pitches; nearest to what was asked: {pitches} Hz"
            subject = replace(subject, notes=(*subject.notes, note))
        question = ask(
            subject,
            kind=kind,
            seed=options.seed,
            trials=size(cells_of(kind, subject.task, targets)),
            parameters=parameters(kind, targets),
        )
        found.append(question)
        about[question.key] = subject, targets
    asked = [(question, *about[question.key]) for question in distinct(found)]
    works = [Work(question, partial(_measured, kind, targets)) for question, _, targets in asked]
    if options.paths:
        works += [_paths(subject, targets, options) for _, subject, targets in asked]
    return works


def _paths(subject: Pair, targets: Sequence[Target], options: LandscapeOptions) -> Work:
    question = ask(
        subject,
        kind=map_paths.KIND,
        seed=options.seed,
        trials=options.paths * len(targets),
        parameters=map_paths.parameters(targets),
    )
    return Work(question, partial(map_paths.measured, targets, options.paths))


def _measured(kind: Kind, targets: Sequence[Target], distance: AudioDistance, asked: Asked) -> Answer:
    return measure(
        kind,
        distance,
        asked.question.task,
        targets,
        seed=asked.question.seed,
        resources=asked.resources,
        progress=asked.progress,
    )
