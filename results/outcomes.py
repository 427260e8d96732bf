"""Which trials a distance got right, whatever the kind of the record: what a paired comparison works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .record import Record

Right = dict[str, NDArray[np.bool_]]
"""A column's name to one truth value for each trial, in the order of the trials."""

_TOLERANCE_CENTS = 50.0


def _of_ranking(record: Record, table: pl.DataFrame) -> Right:
    return {column: table[column].to_numpy() > 0 for column in sorted(record.metrics)}


def _of_descent(_record: Record, table: pl.DataFrame) -> Right:
    return {"reached": (table["end"] == "reached").to_numpy()}


def _of_minimum(_record: Record, table: pl.DataFrame) -> Right:
    return {
        f"minimum_within_{_TOLERANCE_CENTS:g}_cents_{mode}": np.abs(table[f"offset_cents_{mode}"].to_numpy())
        <= _TOLERANCE_CENTS
        for mode in ("level_matched", "level_unmatched")
    }


_OF_KIND: Mapping[str, Callable[[Record, pl.DataFrame], Right]] = {
    "ranking": _of_ranking,
    "descent": _of_descent,
    "minimum": _of_minimum,
}
OUTCOME_KINDS = tuple(_OF_KIND)
"""The kinds of records whose trials are right or wrong."""


def right(record: Record, table: pl.DataFrame) -> Right:
    """Which trials were right, column by column.

    Args:
        record: of one of :data:`OUTCOME_KINDS`.
        table: its outcomes.

    Raises:
        ValueError: if its kind has no right and wrong.
    """
    if record.kind not in _OF_KIND:
        raise ValueError(f"a record of kind {record.kind} has no right and wrong; {', '.join(OUTCOME_KINDS)} have")
    return _OF_KIND[record.kind](record, table.sort("trial"))
