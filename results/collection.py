"""Records of several folders together: what is published, compared or exported.

Folders are searched to the bottom; each one that holds records is a store of its own, so that artefacts are found
beside their records. What cannot be read is set aside by name and never guessed at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from .record import Record, RecordError
from .store import RecordStore, record_files


@dataclass(frozen=True)
class SetAside:
    """What is not used, and why.

    Attributes:
        what: a file, or the question of a record.
        reason: one line.
    """

    what: str
    reason: str


@dataclass(frozen=True)
class Collection:
    """Records, where each is, and what was set aside.

    Attributes:
        records: one for each key, sorted by kind, distance, task, seed and key.
        set_aside: files that could not be read, and second answers to one question.
    """

    records: tuple[Record, ...]
    set_aside: tuple[SetAside, ...]
    _stores: Mapping[str, RecordStore] = field(repr=False)

    def of_kind(self, *kinds: str) -> list[Record]:
        """The records of some kinds, in order."""
        return [record for record in self.records if record.kind in kinds]

    def trials(self, record: Record) -> pl.DataFrame:
        """See :meth:`.RecordStore.trials`."""
        return self._stores[record.key].trials(record)

    def path(self, record: Record) -> Path:
        """Where a record's document is."""
        return self._stores[record.key].path(record)

    def artefact(self, record: Record, path: str) -> Path:
        """Where one of a record's artefacts is, given its relative path."""
        return self._stores[record.key].folder / path


def collect(folders: Sequence[Path]) -> Collection:
    """Read every record below some folders.

    A key that stands in several folders is taken once: an answer before none, then the first in order of folders and
    paths. If two answers to one question differ in their metrics, the second is set aside by name.

    Raises:
        ValueError: if a folder is not there, or no record at all can be read.
    """
    found: dict[str, tuple[Record, RecordStore]] = {}
    aside: list[SetAside] = []
    for store, shown in _stores_below(folders):
        for path in record_files(store.folder):
            try:
                record = store.read(path)
                _check_trials(store, record)
            except RecordError as error:
                aside.append(SetAside((shown / path.name).as_posix(), str(error).removeprefix(f"{path}: ")))
                continue
            present = found.get(record.key)
            if present is None or (present[0].status != "ok" and record.status == "ok"):
                found[record.key] = (record, store)
            elif record.status == "ok" and record.metrics != present[0].metrics:
                reason = f"another answer to the question of {present[1].path(present[0]).name}, which is used"
                aside.append(SetAside((shown / path.name).as_posix(), reason))
    if not found:
        where = ", ".join(map(str, folders))
        damaged = f"; {len(aside)} could not be read, the first: {aside[0].what}: {aside[0].reason}" if aside else ""
        raise ValueError(f"there is no record below {where}{damaged}")
    records = sorted(
        (record for record, _ in found.values()),
        key=lambda one: (one.kind, one.distance.name, one.task.name, one.seed, one.key),
    )
    return Collection(tuple(records), tuple(aside), {key: store for key, (_, store) in found.items()})


def newest(records: Iterable[Record], question: Callable[[Record], object]) -> tuple[list[Record], list[SetAside]]:
    """Of the records that answer one question, an answer before none, then the one that was started last.

    Args:
        records: in any order; their order is kept.
        question: what two answers to one question have in common.

    Returns:
        One record for each question, and the others by name.
    """
    several: dict[object, list[Record]] = {}
    for record in records:
        several.setdefault(question(record), []).append(record)
    kept: list[Record] = []
    aside: list[SetAside] = []
    for same in several.values():
        best = max(same, key=lambda one: (one.status == "ok", one.started, one.key))
        kept.append(best)
        aside.extend(
            SetAside(name_of(one), f"a later answer is used: {best.key[:16]}") for one in same if one is not best
        )
    return kept, aside


def name_of(record: Record) -> str:
    """One line that names a record: kind, distance, task and key."""
    return f"{record.kind} of {record.distance.name} on {record.task.name} ({record.key[:16]})"


def _stores_below(folders: Sequence[Path]) -> list[tuple[RecordStore, Path]]:
    """Each store, and how its folder is shown: from the folder that was given on, without the machine's own folders."""
    stores: dict[Path, tuple[RecordStore, Path]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"there is no folder of records at {folder}")
        for place, names, _ in os.walk(folder):
            names[:] = sorted(name for name in names if name != "artefacts" and not name.startswith("."))
            here = Path(place)
            if record_files(here):
                shown = Path(folder.resolve().name) / here.relative_to(folder)
                stores.setdefault(here.resolve(), (RecordStore(here), shown))
    return list(stores.values())


def _check_trials(store: RecordStore, record: Record) -> None:
    """Refuse a record whose outcomes are lost or are not its own."""
    if record.status == "ok" and any(one.name == "trials" for one in record.artefacts):
        store.trials(record)
