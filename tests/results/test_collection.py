"""Folders of records together: what is kept, what is set aside, and that nothing is averaged."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from tonedeaf.results import Record, RecordStore
from tonedeaf.results.collection import collect, newest

MakeRecord = Callable[..., Record]


def test_folders_are_searched_to_the_bottom(make_record: MakeRecord, tmp_path: Path):
    first = RecordStore(tmp_path / "a" / "deep").write(make_record(distance="mss"), pl.DataFrame({"trial": [0, 1]}))
    second = RecordStore(tmp_path / "b").write(make_record(distance="mel"))
    found = collect([tmp_path / "b", tmp_path / "a"])
    assert [one.distance.name for one in found.records] == ["mel", "mss"]
    assert found.set_aside == ()
    assert found.trials(first).height == 2
    assert found.path(second) == RecordStore(tmp_path / "b").path(second)
    assert found.of_kind("minimum") == []


def test_a_folder_within_another_counts_once(make_record: MakeRecord, tmp_path: Path):
    RecordStore(tmp_path / "a").write(make_record())
    assert len(collect([tmp_path, tmp_path / "a"]).records) == 1


def test_damage_is_set_aside_by_name(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    store.write(make_record(distance="whole"))
    lost = store.write(make_record(distance="lost"), pl.DataFrame({"trial": [0]}))
    (tmp_path / lost.artefacts[0].path).unlink()
    newer = store.path(store.write(make_record(distance="newer")))
    newer.write_text(newer.read_text().replace('"schema": 1', '"schema": 2'))
    (tmp_path / "ranking-cut-0123456789abcdef.json").write_text('{"schema": 1, "kind"')
    (tmp_path / "notes.json").write_text("not a record's name")
    found = collect([tmp_path])
    assert [one.distance.name for one in found.records] == ["whole"]
    reasons = {Path(one.what).name.split("-")[1]: one.reason for one in found.set_aside}
    assert set(reasons) == {"lost", "newer", "cut"}
    assert "cannot be read" in reasons["lost"]
    assert reasons["newer"] == "schema 2 is unknown; this version reads schema 1"
    assert reasons["cut"].startswith("damaged or truncated")


def test_an_answer_is_taken_before_none(make_record: MakeRecord, tmp_path: Path):
    RecordStore(tmp_path / "a").write(make_record(status="failed"))
    RecordStore(tmp_path / "b").write(make_record())
    (record,) = collect([tmp_path]).records
    assert record.status == "ok"


def test_two_answers_to_one_question_are_not_averaged(make_record: MakeRecord, tmp_path: Path):
    RecordStore(tmp_path / "a").write(make_record(accuracies=(0.5,) * 6))
    RecordStore(tmp_path / "b").write(make_record(accuracies=(0.9,) * 6))
    found = collect([tmp_path])
    assert found.records[0].metrics["pitch_analytic"]["value"] == 0.5
    (aside,) = found.set_aside
    assert aside.what.startswith(f"{tmp_path.name}/b/ranking-")
    assert "another answer to the question of" in aside.reason


def test_no_record_is_an_error_that_says_where(tmp_path: Path):
    with pytest.raises(ValueError, match="no record below"):
        collect([tmp_path])
    (tmp_path / "ranking-cut-0123456789abcdef.json").write_text("{")
    with pytest.raises(ValueError, match=r"1 could not be read, the first: .*cut.*damaged"):
        collect([tmp_path])
    with pytest.raises(ValueError, match=r"no folder of records at .*nowhere"):
        collect([tmp_path / "nowhere"])


def test_the_newest_answer_is_kept_and_the_others_named(make_record: MakeRecord):
    first = make_record(seed=1)
    later = msgspec.structs.replace(make_record(seed=2), started=first.started + timedelta(days=1))
    failed = msgspec.structs.replace(make_record(seed=3, status="failed"), started=first.started + timedelta(days=2))
    kept, aside = newest([first, later, failed], lambda record: record.distance.name)
    assert kept == [later]
    assert {one.what.rpartition(" ")[2] for one in aside} == {f"({one.key[:16]})" for one in (first, failed)}
