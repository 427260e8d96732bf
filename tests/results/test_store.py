"""The store gives back what was put into it, and never an answer that is not one."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from tonedeaf.results import Record, RecordError, RecordStore, Status
from tonedeaf.results.record_document import encode_record
from tonedeaf.results.record_table import SCHEMA_OF_TABLE

MakeRecord = Callable[..., Record]


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "a" / "store")


@pytest.fixture
def outcomes() -> pl.DataFrame:
    return pl.DataFrame({"trial": range(1000), "pitch_analytic": [(i * 7919 % 1000) / 999 - 0.5 for i in range(1000)]})


def files_of(store: RecordStore) -> list[str]:
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.is_file())


def test_what_is_written_is_found_with_its_trials(store: RecordStore, make_record: MakeRecord, outcomes: Any) -> None:
    record = make_record()
    assert store.find(record.key) is None
    written = store.write(record, outcomes)
    assert store.find(record.key) == written
    assert store.read_all() == [written]
    assert store.trials(written).equals(outcomes)
    short = record.key[:16]
    assert files_of(store) == [f"artefacts/{short}-trials.parquet", f"ranking-log_mss-{short}.json"]
    parquet = (store.folder / written.artefacts[0].path).read_bytes()
    assert written.artefacts[0].sha256 == hashlib.sha256(parquet).hexdigest()
    assert msgspec.structs.replace(written, artefacts=()) == record


def test_files_have_ordinary_permissions(store: RecordStore, make_record: MakeRecord, outcomes: pl.DataFrame) -> None:
    before = os.umask(0o022)
    try:
        written = store.write(make_record(), outcomes)
    finally:
        os.umask(before)
    for path in (store.path(written), store.folder / written.artefacts[0].path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_same_trials_are_the_same_bytes(tmp_path: Path, make_record: MakeRecord, outcomes: pl.DataFrame) -> None:
    pieces = pl.concat([outcomes[:300], outcomes[300:301], outcomes[301:]], rechunk=False)
    padded = pl.concat([outcomes[:5], outcomes])[5:]
    assert pieces.n_chunks() == 3
    written = [RecordStore(tmp_path / str(n)).write(make_record(), f) for n, f in enumerate((outcomes, pieces, padded))]
    assert written[0] == written[1] == written[2]
    assert RecordStore(tmp_path / "x").write(make_record(), outcomes.reverse()) != written[0]


@pytest.mark.parametrize(
    ("status", "found"), [("ok", True), ("skipped", True), ("failed", False), ("unavailable", False)]
)
def test_only_an_answer_is_found(store: RecordStore, make_record: MakeRecord, status: Status, found: bool) -> None:
    record = store.write(make_record(status=status))
    assert (store.find(record.key) is not None) is found
    assert store.read_all() == [record]


@pytest.mark.parametrize(
    ("statuses", "replaced"),
    [
        (("failed", "ok"), True),
        (("unavailable", "ok"), True),
        (("skipped", "ok"), True),
        (("failed", "unavailable"), True),
        (("failed", "failed"), True),
        (("ok", "ok"), False),
        (("ok", "failed"), False),
        (("skipped", "failed"), False),
        (("skipped", "skipped"), False),
    ],
)
def test_an_answer_is_kept_and_a_failure_replaced(
    store: RecordStore,
    make_record: MakeRecord,
    outcomes: pl.DataFrame,
    statuses: tuple[Status, Status],
    replaced: bool,
) -> None:
    one = store.write(make_record(status=statuses[0]), outcomes)
    other = msgspec.structs.replace(make_record(status=statuses[1]), seconds=99.0)
    returned = store.write(other, outcomes.reverse())
    assert returned.seconds == (99.0 if replaced else one.seconds)
    assert store.read_all() == [returned]
    assert store.trials(returned).equals(outcomes.reverse() if replaced else outcomes)


def test_leftovers_and_other_files_are_ignored(store: RecordStore, make_record: MakeRecord) -> None:
    record = store.write(make_record())
    half = encode_record(record)[:100]
    name = store.path(record).name
    for other in (f".{name}.0123.tmp", f".{name}", f"{name}.tmp", "leaderboard.json", "notes.txt"):
        (store.folder / other).write_bytes(half)
    assert store.read_all() == [record]
    assert store.find(record.key) == record


def test_a_truncated_record_is_named_and_can_be_written_anew(store: RecordStore, make_record: MakeRecord) -> None:
    record = store.write(make_record())
    path = store.path(record)
    path.write_bytes(path.read_bytes()[:-40])
    for read in (store.read_all, store.table, lambda: store.find(record.key)):
        with pytest.raises(RecordError, match=rf"{path.name}: damaged or truncated"):
            read()
    store.write(record)
    assert store.find(record.key) == record


def test_a_renamed_record_is_refused(store: RecordStore, make_record: MakeRecord) -> None:
    path = store.path(store.write(make_record()))
    path.rename(path.with_name("ranking-log_mss-0123456789abcdef.json"))
    with pytest.raises(RecordError, match="another key"):
        store.read_all()


def test_a_key_that_shares_its_first_digits_is_not_found(store: RecordStore, make_record: MakeRecord) -> None:
    record = store.write(make_record())
    assert store.find(record.key[:16] + "0" * 48) is None
    with pytest.raises(ValueError, match=r"64 lower-case hexadecimal digits, got '\*'"):
        store.find("*")


@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_trials_that_are_not_the_written_ones_are_refused(
    store: RecordStore, make_record: MakeRecord, outcomes: pl.DataFrame, harm: str
) -> None:
    record = store.write(make_record(), outcomes)
    path = store.folder / record.artefacts[0].path
    if harm == "changed":
        outcomes.reverse().write_parquet(path)
    else:
        path.unlink()
    with pytest.raises(RecordError, match=path.name):
        store.trials(record)


def test_a_record_without_trials_says_so(store: RecordStore, make_record: MakeRecord) -> None:
    with pytest.raises(ValueError, match=r"ranking record of log_mss \(failed\) has no per-trial outcomes"):
        store.trials(store.write(make_record(status="failed")))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("log_mss", "log_mss"),
        ("0.5*log_mss + 0.1*mel[n_fft=4096]", "0.5_log_mss_0.1_mel_n_fft_4096"),
        ("../../etc/passwd:Class", "etc_passwd_Class"),
        ("päckchen.modul:Größe", "p_ckchen.modul_Gr_e"),
        ("***", "distance"),
        ("x" * 500, "x" * 80),
        ("a\nb\0c", "a_b_c"),
    ],
)
def test_any_name_makes_a_file_in_the_folder(store: RecordStore, make_record: MakeRecord, name: str, safe: str) -> None:
    record = store.write(make_record(distance=name))
    assert store.path(record).name == f"ranking-{safe}-{record.key[:16]}.json"
    assert store.path(record).parent == store.folder
    assert store.find(record.key) == record


@pytest.mark.parametrize("inside", ["file", "file/deeper"])
def test_a_folder_that_cannot_be_one_is_known_before_computing(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("")
    store = RecordStore(tmp_path / inside)
    with pytest.raises(ValueError, match=r"^cannot write records to the folder .*file.*: .+$") as caught:
        store.check_writable()
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_known_before_computing(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="Permission denied"):
        RecordStore(tmp_path / "store").check_writable()


def test_check_writable_creates_the_folder_and_leaves_nothing_in_it(store: RecordStore) -> None:
    store.check_writable()
    assert store.folder.is_dir()
    assert files_of(store) == []
    assert store.read_all() == []


def test_reading_creates_nothing(store: RecordStore) -> None:
    with pytest.raises(ValueError, match=f"there is no folder of records at {store.folder}"):
        store.read_all()
    assert store.find("0" * 64) is None
    assert not store.folder.exists()


def test_records_come_sorted(store: RecordStore, make_record: MakeRecord) -> None:
    asked = [
        ("descent", "mel", "sines", 0),
        ("ranking", "log_mss", "harmonic", 10),
        ("ranking", "log_mss", "sines", 2),
        ("ranking", "log_mss", "sines", 10),
        ("ranking", "mel", "harmonic", 0),
    ]
    for kind, distance, task, seed in reversed(asked):
        store.write(make_record(kind=kind, distance=distance, task=task, seed=seed))
    assert [(one.kind, one.distance.name, one.task.name, one.seed) for one in store.read_all()] == asked


def test_the_table_has_a_row_for_each_metric(store: RecordStore, make_record: MakeRecord) -> None:
    ranking = store.write(make_record())
    failed = store.write(make_record(distance="mel", status="failed"))
    store.write(make_record(distance="mss", metrics={"f0_cross_entropy": 2, "note": "text", "flag": True}))
    table = store.table()
    assert dict(table.schema) == dict(SCHEMA_OF_TABLE)
    accuracy = table.row(by_predicate=pl.col("metric") == "pitch_30_cents", named=True)
    metric = ranking.metrics["pitch_30_cents"]
    assert {name: accuracy[name] for name in ("value", "low", "high", "n", "ties")} == metric
    assert accuracy["distance_params"] == '{"epsilon":0.0001,"n_ffts":[2048,64],"padding":"valid"}'
    assert accuracy["task_params"] == '{"duration":0.5}'
    assert (accuracy["key"], accuracy["seconds"], accuracy["trials"]) == (ranking.key, 1.25, 1000)
    assert table.filter(distance="log_mss")["metric"].to_list() == sorted(ranking.metrics)
    assert table.filter(distance="mel").select("status", "reason", "metric", "value", "key").rows() == [
        ("failed", "out of memory", None, None, failed.key)
    ]
    assert table.filter(distance="mss").select("metric", "value", "low", "n").rows() == [
        ("f0_cross_entropy", 2.0, None, None),
        ("flag", None, None, None),
        ("note", None, None, None),
    ]


def test_an_empty_table_has_the_same_columns(store: RecordStore) -> None:
    store.check_writable()
    assert dict(store.table().schema) == dict(SCHEMA_OF_TABLE)
