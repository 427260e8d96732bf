"""What the paper leaves open: ``tonedeaf rank --suite table1-choices``.

Turian & Henry 2020 do not say the power of the spectrogram, the padding, the duration, whether a perturbed sine keeps
its phase, nor how a multi-scale distance weighs its scales. This suite ranks every combination, on seeds that no table
reports, and says for each row of Table 1 which combination comes nearest, and which cells none reaches.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from ..losses.specification import format_term
from ..results.atomic_write import write_atomically
from ..results.intervals import Proportion, agrees
from ..results.published_values import RANKING_COLUMNS, PublishedTable1, RankingColumn, table1
from ..results.record import Record
from . import screens
from .answers import failed
from .cells import Cell, accuracies, prepare
from .suites import TABLE1

if TYPE_CHECKING:
    from .rank_run import RankOptions

SEEDS = (1000, 1001, 1002, 1003, 1004)
"""Never the seed that a table reports."""
TRIALS = 200
"""A seed; 1000 in all."""

_TASK: Mapping[str, Sequence[Any]] = {"duration": (0.5, 2.0), "perturbed_phase": ("shared", "new")}
_SINGLE: Mapping[str, Sequence[Any]] = {"power": (1.0, 2.0), "padding": ("valid", "reflect")}
_MULTI: Mapping[str, Sequence[Any]] = {**_SINGLE, "average": (True, False)}
_DISTANCE: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "mss": _MULTI,
    "log_mss": {**_MULTI, "norm": ("l2", "l2_squared")},
    "log2_spectral_centroid": {"padding": ("valid", "reflect")},  # the paper says its power
}
"""The open choices of each distance, where they are not those of a single spectrogram."""


@dataclass(frozen=True)
class Combination:
    """One way to settle the open choices, and how it fits.

    Attributes:
        distance: parameters of the distance.
        task: parameters of the task.
        cells: our accuracy in each column.
        agreeing: the columns in which ours agrees with the published one.
        rms: root mean square over the six columns of ours − published.
    """

    distance: dict[str, Any]
    task: dict[str, Any]
    cells: dict[RankingColumn, float]
    agreeing: tuple[RankingColumn, ...]
    rms: float


@dataclass(frozen=True)
class RowChoices:
    """What the combinations say of one row.

    Attributes:
        distance: the row.
        best: the combination with the smallest root mean square.
        combinations: all of them.
        unreached: the columns in which no combination agrees with the published value.
    """

    distance: str
    best: Combination
    combinations: tuple[Combination, ...]
    unreached: tuple[RankingColumn, ...]


def combinations_of(row: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every combination of a row's open choices: parameters of the distance, and of the task."""
    return list(product(_grid(_DISTANCE.get(row, _SINGLE)), _grid(_TASK)))


def _grid(choices: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def choices_of(row: str, records: Sequence[tuple[dict[str, Any], dict[str, Any], Sequence[Record]]]) -> RowChoices:
    """What the records of a row's combinations (each with one record a seed) say.

    Raises:
        ValueError: if a record has no answer.
    """
    published = table1()
    combinations = [_combination(row, published, *each) for each in records]
    reached = {column for combination in combinations for column in combination.agreeing}
    return RowChoices(
        distance=row,
        best=min(combinations, key=lambda combination: combination.rms),
        combinations=tuple(combinations),
        unreached=tuple(column for column in RANKING_COLUMNS if column not in reached),
    )


def _combination(
    row: str, published: PublishedTable1, distance: dict[str, Any], task: dict[str, Any], records: Sequence[Record]
) -> Combination:
    pooled = {column: _pool([accuracies(record)[column] for record in records]) for column in RANKING_COLUMNS}
    values = {column: published.value(row, column) for column in RANKING_COLUMNS}
    errors = [(pooled[column].value - value) ** 2 for column, value in values.items() if value is not None]
    return Combination(
        distance=distance,
        task=task,
        cells={column: pooled[column].value for column in RANKING_COLUMNS},
        agreeing=tuple(
            column
            for column in RANKING_COLUMNS
            if (value := values[column]) is not None
            and agrees(pooled[column].successes, pooled[column].n, round(value * published.trials), published.trials)
        ),
        rms=math.sqrt(sum(errors) / len(errors)),
    )


def _pool(seeds: Sequence[Proportion]) -> Proportion:
    return Proportion.of(
        sum(each.successes for each in seeds), sum(each.n for each in seeds), ties=sum(each.ties for each in seeds)
    )


def run_choices(options: RankOptions, *, as_json: bool) -> int:
    """The command; returns its exit status.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    from .rank_run import answer_all

    rows = options.distances or TABLE1
    if strange := [row for row in rows if row not in TABLE1]:
        raise ValueError(
            f"table1-choices asks the rows of the paper's Table 1 ({', '.join(TABLE1)}), not {strange[0]!r}"
        )
    if options.duration is not None or options.tasks != ("sines",):
        raise ValueError("table1-choices sets the task and its durations itself: leave --task and --duration out")
    seeds = SEEDS if options.seed is None else (options.seed,)
    plan = [(row, distance, task) for row in rows for distance, task in combinations_of(row)]
    cells = [_cell(row, distance, task, seed, options) for row, distance, task in plan for seed in seeds]
    records = answer_all(cells, replace(options, trials=cells[0].trials))
    if as_json:
        from .rank_run import print_json

        print_json(records)
        return 1 if failed(records) else 0
    if bad := failed(records):
        screens.note(f"{bad[0].distance.name} failed: {bad[0].reason}")
        return 1
    groups = [(plan[i], records[i * len(seeds) : (i + 1) * len(seeds)]) for i in range(len(plan))]
    found = [
        choices_of(row, [(distance, task, group) for (name, distance, task), group in groups if name == row])
        for row in rows
    ]
    path = options.out / "table1-choices.json"
    write_atomically(path, (json.dumps([asdict(each) for each in found], indent=1) + "\n").encode())
    console = screens.out()
    console.print(choices_table(found))
    for line in _conclusion(found, records, len(seeds)):
        console.print(line, markup=False)
    console.print(f"records: {options.out}; every combination: {path}", markup=False)
    return 0


def _cell(row: str, distance: dict[str, Any], task: dict[str, Any], seed: int, options: RankOptions) -> Cell:
    return prepare(
        format_term(row, distance),
        "sines",
        seed=seed,
        trials=TRIALS if options.trials is None else options.trials,
        sample_rate=options.sample_rate,
        duration=None,
        task_preset=task,
        distance_preset={},
    )


def choices_table(rows: Sequence[RowChoices]) -> Table:
    """One line a row: the combination that fits best, and by how much."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("distance", no_wrap=True)
    table.add_column("rms", justify="right")
    table.add_column("agree", justify="right")
    table.add_column("the combination that fits best", overflow="fold")
    table.add_column("cells that none reaches", overflow="fold")
    for row in rows:
        settings = ", ".join(f"{key} {value}" for key, value in {**row.best.distance, **row.best.task}.items())
        table.add_row(
            row.distance,
            f"{row.best.rms:.3f}",
            f"{len(row.best.agreeing)}/{len(RANKING_COLUMNS)}",
            settings,
            ", ".join(row.unreached) or "–",
        )
    return table


def _conclusion(rows: Sequence[RowChoices], records: Sequence[Record], seeds: int) -> list[str]:
    reached = sum(len(RANKING_COLUMNS) - len(row.unreached) for row in rows)
    return [
        f"{reached} of {len(rows) * len(RANKING_COLUMNS)} published cells are reached by some combination, "
        f"{sum(len(row.best.agreeing) for row in rows)} by the best of each row; "
        f"{seeds} seeds of {records[0].trials} trials each"
    ]
