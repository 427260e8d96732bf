"""Landscapes, read back: what a figure of a curve, a map or a field is drawn from.

The record says where the targets are and how it was measured; its table has one row for each target and cell:
``target`` (a number), ``pitch_hz``, ``level_db``, ``distance`` and what else the kind has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .collection import Collection
from .record import Record
from .store import RecordStore

_NOT_SETTINGS = {"targets", "cell", "sample_rate", "duration"}


@dataclass(frozen=True)
class LandscapeTarget:
    """Where a target is (pitch in Hz, level in dB), and the number of the trial whose drawn values it has."""

    pitch_hz: float
    level_db: float
    trial: int

    def __str__(self) -> str:
        return f"{self.pitch_hz:g} Hz, {number_text(self.level_db)} dB"


@dataclass(frozen=True)
class Grid:
    """Cells of one target: ``values[row, column]`` at ``level_db[row]`` and ``pitch_hz[column]``."""

    pitch_hz: NDArray[np.float64]
    level_db: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def octaves(self) -> NDArray[np.float64]:
        """``log2`` of the pitches."""
        return np.log2(self.pitch_hz)


@dataclass(frozen=True)
class Landscape:
    """A record of kind ``curve``, ``map`` or ``field``, and its table."""

    record: Record
    table: pl.DataFrame

    @property
    def name(self) -> str:
        """The distance's."""
        return self.record.distance.name

    @property
    def task_name(self) -> str:
        """The task's."""
        return self.record.task.name

    @property
    def targets(self) -> tuple[LandscapeTarget, ...]:
        """Where they are, in the order of their numbers."""
        rows = self.record.task.params["targets"]
        return tuple(LandscapeTarget(float(row["pitch_hz"]), float(row["level_db"]), int(row["trial"])) for row in rows)

    @property
    def duration(self) -> float:
        """Of the signals, in seconds."""
        return float(self.record.task.params["duration"])

    def has(self, column: str) -> bool:
        """Whether the table has a column."""
        return column in self.table.columns

    def grid(self, target: int, column: str = "distance") -> Grid:
        """A column of the table, for one target, as cells.

        Raises:
            ValueError: if there is no such target or column, or its rows are not a whole grid.
        """
        if not 0 <= target < len(self.targets) or not self.has(column):
            raise ValueError(f"the {self.record.kind} of {self.name} has no {column} of target {target}")
        rows = self.table.filter(pl.col("target") == target).sort("level_db", "pitch_hz")
        pitch, level = (rows[name].unique().sort().to_numpy() for name in ("pitch_hz", "level_db"))
        if pitch.size * level.size != rows.height:
            raise ValueError(f"the {self.record.kind} of {self.name} is not a whole grid: {rows.height} rows")
        return Grid(pitch, level, rows[column].to_numpy().reshape(level.size, pitch.size))


def read_landscape(store: RecordStore | Collection, record: Record) -> Landscape:
    """A record's landscape.

    Args:
        store: where its table is.
        record: of kind ``curve``, ``map`` or ``field``.

    Raises:
        ValueError: if the record has no table, or names no targets.
    """
    if not isinstance(record.task.params.get("targets"), Sequence):
        raise ValueError(f"the {record.kind} record of {record.distance.name} names no targets")
    return Landscape(record, store.trials(record))


def check_together(landscapes: Sequence[Landscape], kind: str) -> None:
    """Refuse landscapes that cannot stand in one figure.

    Raises:
        ValueError: if there are none, one is of another kind, or they differ in task, seed or targets.
    """
    if not landscapes:
        raise ValueError(f"a figure needs at least one {kind}")
    first = landscapes[0]
    for each in landscapes:
        if each.record.kind != kind:
            raise ValueError(f"a {kind} was expected, got the {each.record.kind} of {each.name}")
        ours, theirs = ((one.task_name, one.record.task.version, one.record.seed, one.targets) for one in (first, each))
        if ours != theirs:
            raise ValueError(f"{first.name} and {each.name} differ in task, seed or targets: not one figure")


def panel_title(landscape: Landscape, landscapes: Sequence[Landscape]) -> str:
    """The distance's name, and the signals' duration where it differs from another panel's."""
    alike = all(each.duration == landscape.duration for each in landscapes)
    return landscape.name if alike else f"{landscape.name} ({landscape.duration:g} s)"


def settings_text(landscapes: Sequence[Landscape]) -> str:
    """What all of them share: task, seed, what was drawn, and every setting of task and distances."""
    first = landscapes[0].record
    durations = sorted({each.duration for each in landscapes})
    rate = float(first.task.params["sample_rate"])
    seconds = " to ".join(f"{each:g}" for each in (durations[:1] + durations[1:][-1:]))
    trials = sorted({target.trial for target in landscapes[0].targets})
    whose = f"trial {trials[0]}" if len(trials) == 1 else f"trials {', '.join(map(str, trials))}"
    parts = [
        f"Task {first.task.name} (version {first.task.version}), {seconds} s at {rate:g} Hz, seed {first.seed}: "
        f"phases and all else that is drawn are those of {whose}, the same in every cell.",
        f"Task: {_shared([each.record.task.params for each in landscapes])}.",
    ]
    if ours := _shared([each.record.distance.params for each in landscapes]):
        whose = "All distances" if len(landscapes) > 1 else "Distance"
        parts.append(f"{whose}: {ours}.")
    return " ".join(parts)


def _shared(several: Sequence[Mapping[str, object]]) -> str:
    first = several[0]
    names = sorted(first.keys() - _NOT_SETTINGS)
    return ", ".join(
        f"{name} {_value_text(first[name])}"
        for name in names
        if _is_plain(first[name]) and all(name in each and each[name] == first[name] for each in several)
    )


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str | int | float) for each in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, str | int | float)


def _value_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "/".join(_value_text(each) for each in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, int | float) else str(value)


def number_text(value: float) -> str:
    """A number with a minus sign, as in print."""
    return f"{value:g}".replace("-", "−")
