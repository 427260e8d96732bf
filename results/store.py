"""A folder of records: the cache of the harnesses, and what every table and figure is made from.

Layout: ``<kind>-<distance>-<key16>.json`` and ``artefacts/<key16>-trials.parquet``, where ``key16`` is the first 16
digits of the record's key and ``distance`` its name with every other character than ``A-Z a-z 0-9 . _`` replaced.

A record appears whole or not at all (:mod:`.atomic_write`), after its per-trial outcomes. Records are immutable: an
answer that is there is kept, and only a record without one (it failed, or could not run) gives way to a later one. So
two processes that write one key at once leave one of the two records, with its own outcomes.
"""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import polars as pl

from .atomic_write import write_atomically
from .record import Artefact, Record, RecordError, check_key
from .record_document import encode_record, read_record
from .record_table import record_table

TRIALS = "trials"
"""Name of the artefact that holds the per-trial outcomes."""

_ANSWER = {"ok": 2, "skipped": 1, "unavailable": 0, "failed": 0}
"""How much of an answer a status is: 0 is none, so it is asked again; more is not replaced by less or the same."""
_KEY_DIGITS = 16
_LONGEST_NAME = 80
_RECORD_FILE = re.compile(rf"[^.].*-[0-9a-f]{{{_KEY_DIGITS}}}\.json")


class RecordStore:
    """Records in a folder.

    Args:
        folder: where they are; it is created by the first write.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def check_writable(self) -> None:
        """Make sure that records can be written, before anything is computed; creates the folder.

        Raises:
            ValueError: if the folder cannot be created or written.
        """
        artefacts = self.folder / "artefacts"
        try:
            artefacts.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, artefacts):
                probe = folder / f".{secrets.token_hex(8)}.tmp"
                probe.touch(exist_ok=False)
                probe.unlink()
        except OSError as error:
            raise ValueError(f"cannot write records to the folder {self.folder}: {error.strerror or error}") from error

    def write(
        self, record: Record, trials: pl.DataFrame | None = None, *, sounds: Mapping[str, bytes] | None = None
    ) -> Record:
        """Store a record, the outcomes of its trials, and sounds.

        Args:
            record: what was found.
            trials: one row per trial; None if there are none.
            sounds: MP3 files, by the names of the artefacts that they become.

        Returns:
            The record that the store now holds under this key: the given one with these among its artefacts, or
            the one that was there, if that is an answer already (``ok``; ``skipped`` gives way to ``ok`` only).

        Raises:
            ValueError: if the folder cannot be written, or the record holds what a record may not.
            OSError: if the disk is full.
        """
        self.check_writable()
        files: dict[Path, bytes] = {}
        contents = {name: (content, "mp3") for name, content in (sounds or {}).items()}
        if trials is not None:
            contents[TRIALS] = (_parquet(trials), "parquet")
        for name, (content, suffix) in contents.items():
            relative = f"artefacts/{record.key[:_KEY_DIGITS]}-{name}.{suffix}"
            artefact = Artefact(name=name, path=relative, sha256=hashlib.sha256(content).hexdigest())
            others = tuple(other for other in record.artefacts if other.name != name)
            record = msgspec.structs.replace(record, artefacts=(*others, artefact))
            files[self.folder / relative] = content
        files[self.path(record)] = encode_record(record)  # last: what it refers to is there before it
        with self._one_writer():
            present = self._present(record)
            if present is not None and _ANSWER[present.status] >= max(_ANSWER[record.status], 1):
                return present
            for path, content in files.items():
                write_atomically(path, content)
        return record

    def find(self, key: str) -> Record | None:
        """The answer to a question, if the store has it: a record that is ``ok`` or ``skipped``.

        Raises:
            ValueError: if the key is not one.
            RecordError: if the record is damaged or of an unknown schema.
        """
        check_key(key)
        for path in self.folder.glob(f"*-{key[:_KEY_DIGITS]}.json"):
            if _RECORD_FILE.fullmatch(path.name):
                record = self.read(path)
                if record.key == key and _ANSWER[record.status]:
                    return record
        return None

    def read_all(self) -> list[Record]:
        """Every record, sorted by kind, distance, task, seed and key.

        Raises:
            ValueError: if there is no such folder.
            RecordError: if a record is damaged or of an unknown schema.
        """
        if not self.folder.is_dir():
            raise ValueError(f"there is no folder of records at {self.folder}")
        records = [self.read(path) for path in record_files(self.folder)]
        return sorted(records, key=lambda one: (one.kind, one.distance.name, one.task.name, one.seed, one.key))

    def read(self, path: Path) -> Record:
        """The record of one file of :func:`record_files`.

        Raises:
            RecordError: if it is damaged, of an unknown schema, or not the one that its name says.
        """
        record = read_record(path)
        if not path.stem.endswith(record.key[:_KEY_DIGITS]):
            raise RecordError(f"{path}: holds the record of another key, {record.key[:_KEY_DIGITS]}…")
        return record

    def table(self) -> pl.DataFrame:
        """Every record as rows, one per metric: :func:`record_table` of :meth:`read_all`."""
        return record_table(self.read_all())

    def trials(self, record: Record) -> pl.DataFrame:
        """The outcomes of a record's trials, one row per trial.

        Raises:
            ValueError: if the record has none.
            RecordError: if the file is missing, or is not the one that was written.
        """
        artefact = next((one for one in record.artefacts if one.name == TRIALS), None)
        if artefact is None:
            name = f"{record.kind} record of {record.distance.name} ({record.status})"
            raise ValueError(f"the {name} has no per-trial outcomes")
        path = self.folder / artefact.path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(content).hexdigest() != artefact.sha256:
            raise RecordError(f"{path}: its SHA-256 is not the one in its record {self.path(record).name}")
        return pl.read_parquet(io.BytesIO(content))

    def path(self, record: Record) -> Path:
        """Where a record's document is."""
        name = re.sub(r"[^A-Za-z0-9._]+", "_", record.distance.name).strip("._")[:_LONGEST_NAME] or "distance"
        return self.folder / f"{record.kind}-{name}-{record.key[:_KEY_DIGITS]}.json"

    def _present(self, record: Record) -> Record | None:
        """The record that stands where this one goes; a damaged one is as good as none."""
        path = self.path(record)
        try:
            present = read_record(path)
        except RecordError:
            return None
        return present if present.key == record.key else None

    @contextmanager
    def _one_writer(self) -> Generator[None]:
        """Keep other processes' writes out, so that a document and its trials come from one process.

        Where the system or the file system cannot lock a folder, each file is still whole, and a mixture is noticed
        when the trials are read.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems cannot
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # releases the lock, as the end of the process does


def record_files(folder: Path) -> list[Path]:
    """The documents of the records in a folder, by name."""
    return sorted(path for path in folder.iterdir() if _RECORD_FILE.fullmatch(path.name))


def _parquet(trials: pl.DataFrame) -> bytes:
    """Parquet whose bytes depend on the data only, not on how the frame was put together."""
    buffer = io.BytesIO()
    trials.write_parquet(buffer, compression="zstd", compression_level=3, row_group_size=1 << 20)
    return buffer.getvalue()
