"""Interrupted, killed, or two at once: a reader sees a whole record or none."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tonedeaf.results import Record, RecordStore
from tonedeaf.results.atomic_write import write_atomically
from tonedeaf.results.record_document import encode_record

MakeRecord = Callable[..., Record]

KILLED_AT_THE_NTH_SYNC = """
import os, signal, sys
from pathlib import Path
import polars as pl
from tonedeaf.results import RecordStore
from tonedeaf.results.record_document import read_record

folder, document, nth = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
real, calls = os.fsync, 0

def fsync(descriptor):
    global calls
    calls += 1
    if calls == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)

os.fsync = fsync
RecordStore(folder).write(read_record(document), pl.DataFrame({"trial": range(100)}))
"""

WRITES_ALL_KEYS = """
import sys, time
from pathlib import Path
import msgspec
import polars as pl
from tonedeaf.results import RecordStore
from tonedeaf.results.record_document import read_record

folder, documents, who = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
store = RecordStore(folder)
records = [read_record(path) for path in sorted(documents.glob("*.json"))]
(documents / f"ready{who}").touch()
while not (documents / "go").exists():
    time.sleep(0.001)
for record in records:
    mine = msgspec.structs.replace(record, metrics={"who": who})
    store.write(mine, pl.DataFrame({"who": [who] * 2000}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("nth", [1, 3])  # before the trials have their name; before the document has its name
def test_a_killed_write_leaves_nothing_to_read(tmp_path: Path, make_record: MakeRecord, nth: int) -> None:
    record, store = make_record(), RecordStore(tmp_path / "store")
    document = tmp_path / "document.json"
    document.write_bytes(encode_record(record))
    command = [sys.executable, "-c", KILLED_AT_THE_NTH_SYNC, str(store.folder), str(document), str(nth)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert list(store.folder.rglob(".*.tmp")), "it was not killed in the middle of a write"
    assert store.find(record.key) is None
    assert store.read_all() == []
    outcomes = pl.DataFrame({"trial": range(100)})
    assert store.trials(store.write(record, outcomes)).equals(outcomes)


def test_two_processes_write_the_same_keys_at_once(tmp_path: Path, make_record: MakeRecord) -> None:
    store, documents = RecordStore(tmp_path / "store"), tmp_path / "documents"
    documents.mkdir()
    seeds = range(40)
    for seed in seeds:
        (documents / f"{seed:03}.json").write_bytes(encode_record(make_record(seed=seed)))
    store.check_writable()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITES_ALL_KEYS, str(store.folder), str(documents), str(who)])
        for who in (1, 2)
    ]
    deadline = time.monotonic() + 60
    while not all((documents / f"ready{who}").exists() for who in (1, 2)) and time.monotonic() < deadline:
        time.sleep(0.005)
    (documents / "go").touch()
    while any(writer.poll() is None for writer in writers):
        for record in store.read_all():  # a reader beside them, too, sees whole records with their own trials
            assert store.trials(record)["who"].unique().to_list() == [record.metrics["who"]]
    assert [writer.wait() for writer in writers] == [0, 0]
    records = store.read_all()
    assert [record.seed for record in records] == list(seeds)
    for record in records:
        assert store.trials(record)["who"].unique().to_list() == [record.metrics["who"]]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_an_interrupted_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupted(_descriptor: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_bytes_are_on_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "file", list[tuple[int, bool]]()
    real = os.fsync

    def observed(descriptor: int) -> None:
        seen.append((os.fstat(descriptor).st_size, path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", observed)
    write_atomically(path, b"12345")
    assert seen[0] == (5, False)
    assert all(exists for _, exists in seen[1:])
    assert path.read_bytes() == b"12345"


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")
