"""Records as one flat table: what a notebook, a comparison or a report works on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import polars as pl

from .canonical import canonical_json
from .record import Record

SCHEMA_OF_TABLE: Mapping[str, type[pl.DataType]] = {
    "kind": pl.String,
    "distance": pl.String,
    "distance_params": pl.String,
    "task": pl.String,
    "task_version": pl.Int64,
    "task_params": pl.String,
    "seed": pl.Int64,
    "trials": pl.Int64,
    "status": pl.String,
    "reason": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "ties": pl.Int64,
    "seconds": pl.Float64,
    "key": pl.String,
}
"""The columns of :func:`record_table` and their types."""

_OF_A_PROPORTION = ("value", "low", "high", "n", "ties")


def record_table(records: Sequence[Record]) -> pl.DataFrame:
    """One row per record and metric, in the order of the records; metrics by name.

    A metric that is a number fills ``value``; one of the form ``{value, low, high, n, ties}`` fills these columns; of
    any other the row shows that it is there. A record without metrics (it failed, or could not run) has one row whose
    ``metric`` is null. Parameters are canonical JSON.
    """
    rows = [row for record in records for row in _rows(record)]
    return pl.DataFrame(rows, schema=dict(SCHEMA_OF_TABLE), orient="row")


def _rows(record: Record) -> Iterator[dict[str, object]]:
    of_the_record: dict[str, object] = {
        "kind": record.kind,
        "distance": record.distance.name,
        "distance_params": canonical_json(record.distance.params).decode(),
        "task": record.task.name,
        "task_version": record.task.version,
        "task_params": canonical_json(record.task.params).decode(),
        "seed": record.seed,
        "trials": record.trials,
        "status": record.status,
        "reason": record.reason,
        "seconds": record.seconds,
        "key": record.key,
    }
    nothing: dict[str, object] = {column: None for column in SCHEMA_OF_TABLE}
    if not record.metrics:
        yield {**nothing, **of_the_record}
    for name in sorted(record.metrics):
        yield {**nothing, **of_the_record, "metric": name, **_numbers(record.metrics[name])}


def _numbers(metric: object) -> dict[str, object]:
    if isinstance(metric, dict):
        parts = cast("dict[str, object]", metric)
        return {name: parts[name] for name in _OF_A_PROPORTION if _is_number(parts.get(name))}
    return {"value": metric} if _is_number(metric) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
