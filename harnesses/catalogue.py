"""What ``tonedeaf list`` lists."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from ..losses import Description, describe
from .screens import distances_table, pairs_table
from .suites import SUITES
from .tasks import task_class, task_table


@dataclass(frozen=True)
class TaskRow:
    """A task: its name, whether it can be asked here, if not why, version, columns, source and one line about it."""

    name: str
    available: bool
    reason: str
    version: int
    columns: tuple[str, ...]
    source: str
    summary: str


@dataclass(frozen=True)
class SuiteRow:
    """A suite: its name, distances and what it is in one line."""

    name: str
    distances: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class DatasetRow:
    """A dataset: its name, whether it can be made here, if not why, its bass patterns, what renders here, source."""

    name: str
    available: bool
    reason: str
    patterns: int
    renderers: tuple[str, ...]
    source: str
    summary: str


Row = Description | TaskRow | SuiteRow | DatasetRow


def catalogue(what: str) -> Sequence[Row]:
    """The rows of ``distances``, ``tasks``, ``suites`` or ``datasets``."""
    if what == "datasets":
        return _dataset_rows()
    if what == "suites":
        return [SuiteRow(suite.name, suite.distances, suite.summary) for suite in SUITES.values()]
    if what == "tasks":
        return [_task_row(name) for name in task_table()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty mel filters: a matter of ranking, not of listing
        return list(describe())


def _task_row(name: str) -> TaskRow:
    cls = task_class(name)
    summary = (cls.__doc__ or "").strip().partition("\n")[0].replace("``", "")
    task = cls()
    return TaskRow(name, not task.unavailable, task.unavailable, task.version, task.columns, task.source, summary)


def _dataset_rows() -> list[DatasetRow]:
    from ..bassnet import renderers
    from ..bassnet.patterns import PATTERNS, SOURCE, SUMMARIES

    there = tuple(name for name in renderers.NAMES if not renderers.missing(name))
    return [
        DatasetRow(name, True, "", len(patterns), there, SOURCE, SUMMARIES[name]) for name, patterns in PATTERNS.items()
    ]


def table(rows: Sequence[Row]) -> Table:
    """The rows, as a table."""
    if isinstance(rows[0], DatasetRow):
        return pairs_table("dataset", [(row.name, row.summary) for row in rows if isinstance(row, DatasetRow)])
    if isinstance(rows[0], SuiteRow):
        return pairs_table("suite", [(row.name, row.summary) for row in rows if isinstance(row, SuiteRow)])
    if isinstance(rows[0], TaskRow):
        return pairs_table("task", [(row.name, row.reason or row.summary) for row in rows if isinstance(row, TaskRow)])
    return distances_table([row for row in rows if isinstance(row, Description)])
