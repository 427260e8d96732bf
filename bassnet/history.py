"""The course of a training: a line of JSON for each mini-epoch, and the same for TensorBoard."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ..results.atomic_write import write_atomically
from .checkpoint import HISTORY, TENSORBOARD


class Entry(NamedTuple):
    """A mini-epoch.

    Attributes:
        step: so many have been made.
        seconds: that training has taken so far.
        learning_rate: of its last step.
        training: mean of each term over its steps, and of the ``loss``.
        validation: each term on the validation songs, and the ``loss``.
    """

    step: int
    seconds: float
    learning_rate: float
    training: Mapping[str, float]
    validation: Mapping[str, float]


class History:
    """Writes a run's history; a context manager.

    Args:
        folder: of the run.
        step: where it goes on; what the folder holds of later steps is forgotten.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        kept = [entry for entry in read_history(folder) if entry.step <= step]
        write_atomically(folder / HISTORY, "".join(map(_line, kept)).encode())
        self._file = (folder / HISTORY).open("a", encoding="utf-8")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it imports warns of its own imports
                from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            self._file.close()
            raise ImportError("training writes for TensorBoard: pip install 'tonedeaf[bassnet]'") from error
        self._scalars = SummaryWriter(str(folder / TENSORBOARD), purge_step=step + 1)

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._scalars.close()

    def add(self, entry: Entry) -> None:
        """Write a mini-epoch."""
        self._file.write(_line(entry))
        self._file.flush()
        for part in ("training", "validation"):
            for name, value in getattr(entry, part).items():
                self._scalars.add_scalar(f"{part}/{name}", value, entry.step)
        self._scalars.add_scalar("learning_rate", entry.learning_rate, entry.step)


def read_history(folder: Path) -> list[Entry]:
    """The history of a run, as far as it is whole: the last line of one that was killed may not be."""
    try:
        lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return list(_entries(lines))


def _entries(lines: list[str]) -> Iterator[Entry]:
    for line in lines:
        try:
            document: dict[str, Any] = json.loads(line)
            yield Entry(**document)
        except (ValueError, TypeError, RecursionError):
            return


def _line(entry: Entry) -> str:
    return json.dumps(entry._asdict(), allow_nan=False) + "\n"
