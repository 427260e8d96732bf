"""A record survives being written and read, and nothing else is taken for one."""

import json
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonedeaf.results import SCHEMA, Artefact, Record, RecordError, record_key
from tonedeaf.results.canonical import canonical_digest, canonical_json
from tonedeaf.results.record_document import decode_record, encode_record, read_record

MakeRecord = Callable[..., Record]

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    SCALARS | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = {
    *("schema", "kind", "key", "distance", "task", "seed", "trials", "status", "reason", "metrics", "artefacts"),
    *("seconds", "peak_memory_mib", "environment", "revision", "started"),
}


def reordered(value: Any) -> Any:
    """The same value, the keys of its dicts in reverse order."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return [reordered(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


@given(metrics=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_record_survives_being_written_and_read(make_record: MakeRecord, metrics: dict[str, Any]) -> None:
    record = make_record(metrics=metrics)
    document = encode_record(record)
    again = decode_record(document, "memory")
    assert again == record
    assert encode_record(again) == document
    assert document == encode_record(msgspec.structs.replace(record, metrics=reordered(metrics)))


def test_the_document_is_readable_sorted_json_with_the_fields_of_the_contract(make_record: MakeRecord) -> None:
    text = encode_record(make_record()).decode()
    document = json.loads(text)
    assert set(document) == FIELDS
    assert set(document["distance"]) == {"name", "class", "params", "weights_sha256", "packages"}
    assert set(document["task"]) == {"name", "version", "params"}
    assert set(document["environment"]) == {"python", "torch", "device", "threads", "platform"}
    assert set(document["revision"]) == {"commit", "dirty"}
    assert set(document["metrics"]["pitch_analytic"]) == {"value", "low", "high", "n", "ties"}
    assert document["started"] == "2026-01-02T03:04:05.000678Z"
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@given(value=JSON)
@settings(max_examples=100, deadline=None)
def test_canonical_json_forgets_order_and_nothing_else(value: Any) -> None:
    text = canonical_json(value)
    assert text == canonical_json(reordered(value))
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (2, 2.0, True),
        (0.0, -0.0, True),
        (True, 1, False),
        ("1", 1, False),
        (None, "null", False),
        ([1, 2], (1, 2), True),
        (0.3, 0.1 + 0.2, False),
        (1e-4, 1.0000000000000002e-4, False),
    ],
)
def test_what_is_the_same_question(one: Any, other: Any, same: bool) -> None:
    assert (canonical_digest({"x": one}) == canonical_digest({"x": other})) is same


def test_the_key_is_fixed_for_all_time(make_record: MakeRecord) -> None:
    # The key is what sha256sum says of the question's text. If this changes, every cache is void.
    question = (
        '{"distance":{"class":"tonedeaf.losses.stft:LogMss","name":"log_mss",'
        '"params":{"epsilon":0.0001,"n_ffts":[2048,64],"padding":"valid"}},"kind":"ranking","seed":0,'
        f'"source_digest":"{"ab" * 32}","task":{{"name":"sines","params":{{"duration":0.5}},"version":1}},'
        '"trials":1000,"weights":null}'
    )
    assert make_record().key == "b070ae28b26ed46d310cb6e45f582f67ee2c737a3bc44b9637d301ab71366acc"
    assert canonical_digest(json.loads(question)) == make_record().key


@pytest.mark.parametrize(
    "part", ["kind", "distance", "params", "task", "version", "seed", "trials", "weights", "source"]
)
def test_every_part_of_the_question_changes_the_key(make_record: MakeRecord, part: str) -> None:
    record = make_record()
    question: dict[str, Any] = {
        "kind": record.kind,
        "distance": record.distance,
        "task": record.task,
        "seed": record.seed,
        "trials": record.trials,
        "weights": None,
        "source_digest": "ab" * 32,
    }
    replace = msgspec.structs.replace
    changed: dict[str, Any] = {
        "kind": {"kind": "descent"},
        "distance": {"distance": replace(record.distance, name="mss")},
        "params": {"distance": replace(record.distance, params={**record.distance.params, "padding": "reflect"})},
        "task": {"task": replace(record.task, name="harmonic")},
        "version": {"task": replace(record.task, version=2)},
        "seed": {"seed": 1},
        "trials": {"trials": 999},
        "weights": {"weights": "cd" * 32},
        "source": {"source_digest": "ef" * 32},
    }
    assert record_key(**question) == record.key
    assert record_key(**(question | changed[part])) != record.key
    elsewhere = replace(record.distance, packages={"torch": "9"})
    question["distance"] = elsewhere
    assert record_key(**question) == record.key


def test_every_truncation_is_refused_with_the_files_name(make_record: MakeRecord) -> None:
    document = encode_record(make_record())
    for length in range(len(document) - 1):
        with pytest.raises(RecordError, match=r"^some/file\.json: "):
            decode_record(document[:length], "some/file.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2 is unknown; this version reads schema 1"),
        ({"schema": "1"}, "schema"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"status": "good"}, "good"),
        ({"seed": 0.5}, "seed"),
        ({"seconds": -1.0}, "seconds"),
        ({"started": "2026-01-02T03:04:05+02:00"}, "UTC"),
        ({"started": "2026-01-02T03:04:05"}, "UTC"),
        ({"key": "../../etc"}, "hexadecimal"),
        ({"kind": "Ran/king"}, "kind"),
        ({"status": "failed", "reason": None}, "needs a reason"),
        ({"artefacts": [{"name": "trials", "path": "../x.parquet", "sha256": ""}]}, "relative"),
        ({"artefacts": [{"name": "trials", "path": "/x.parquet", "sha256": ""}]}, "relative"),
        ({"metrics": {"a": math.nan}}, "holds NaN"),
        ({"metrics": {"a": [math.inf]}}, "holds Infinity"),
        ({"metrics": {"a": -math.inf}}, "holds -Infinity"),
    ],
)
def test_a_document_that_is_not_a_record_is_refused(make_record: MakeRecord, change: Any, message: str) -> None:
    document = json.dumps(json.loads(encode_record(make_record())) | change).encode()
    with pytest.raises(RecordError, match=rf"^f\.json: .*{re.escape(message)}"):
        decode_record(document, "f.json")


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_no_field_may_be_missing(make_record: MakeRecord, field: str) -> None:
    document = json.loads(encode_record(make_record()))
    del document[field]
    with pytest.raises(RecordError, match=f"missing required field `{field}`"):
        decode_record(json.dumps(document).encode(), "f.json")


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"null", b"\xff\xfe", b"{" * 100_000, b'{"schema":1,"metrics":1e999}']
)
def test_rubbish_is_refused(document: bytes) -> None:
    with pytest.raises(RecordError, match=r"^f\.json: "):
        decode_record(document, "f.json")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=rf"{re.escape(str(tmp_path))}/none\.json: cannot be read \(No such file"):
        read_record(tmp_path / "none.json")


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, [1, {"b": math.nan}], np.float64(0.5), np.arange(2), {1: 2}, {"a": {3, 4}}, b"bytes"]
)
def test_a_record_holds_finite_plain_json_only(make_record: MakeRecord, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^metrics\.x"):
        make_record(metrics={"x": value})


def test_a_metric_that_is_spoilt_later_is_not_written(make_record: MakeRecord) -> None:
    metrics: dict[str, Any] = {"x": 1.0}
    record = make_record(metrics=metrics)
    metrics["x"] = math.nan
    with pytest.raises(ValueError, match="nan"):
        encode_record(record)


def test_a_field_of_another_type_is_not_written(make_record: MakeRecord) -> None:
    record = msgspec.structs.replace(make_record(), seed="zero")  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(ValueError, match="seed"):
        encode_record(record)


def test_a_record_is_frozen_and_in_utc(make_record: MakeRecord) -> None:
    record = make_record()
    with pytest.raises(AttributeError):
        record.seed = 1  # pyright: ignore[reportAttributeAccessIssue]
    elsewhere = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(ValueError, match=r"UTC, got 2026-01-01T00:00:00\+02:00"):
        msgspec.structs.replace(record, started=elsewhere)
    with pytest.raises(ValueError, match=rf"schema {SCHEMA + 1} is unknown"):
        msgspec.structs.replace(record, schema=SCHEMA + 1)
    with pytest.raises(ValueError, match="relative"):
        msgspec.structs.replace(record, artefacts=(Artefact(name="a", path="a/../../b", sha256=""),))
