"""What the bass plays at each point of the latent plane, read back.

The table of a record of kind ``relative_pitch`` has one row for each point and interval: ``z1``, ``z2``, ``interval``
(semitones above the reference), ``share`` (of the voiced frames that were generated there) and ``data_share`` (of the
bass of the dataset in the same frames).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .record import Record

RELATIVE_PITCH = "relative_pitch"
"""Kind of the record."""

_COLUMNS = ("z1", "z2", "interval", "share", "data_share")


@dataclass(frozen=True)
class RelativePitch:
    """Distributions of relative pitch over a grid of the latent plane.

    Attributes:
        record: which model, which data.
        z1: of the grid's columns, ascending: ``(columns,)``.
        z2: of its rows, ascending: ``(rows,)``.
        intervals: in semitones, ascending: ``(intervals,)``.
        shares: of each interval, at each point: ``(rows, columns, intervals)``.
        data_shares: of each interval, in the bass of the dataset: ``(intervals,)``.
    """

    record: Record
    z1: NDArray[np.float64]
    z2: NDArray[np.float64]
    intervals: NDArray[np.int64]
    shares: NDArray[np.float64]
    data_shares: NDArray[np.float64]

    @property
    def reference(self) -> str:
        """What the intervals are above, as in ``the root of the chord``."""
        return str(self.record.metrics["reference"])

    @property
    def seconds(self) -> float:
        """How much was generated at each point."""
        return float(self.record.metrics["seconds"])


def read_relative_pitch(record: Record, trials: Callable[[Record], pl.DataFrame]) -> RelativePitch:
    """The distributions of a record.

    Args:
        record: of kind ``relative_pitch``.
        trials: gives its table, as :meth:`.RecordStore.trials` does.

    Raises:
        ValueError: if the record is none, has no answer, or its table is not a whole grid.
    """
    if record.kind != RELATIVE_PITCH or record.status != "ok":
        raise ValueError(f"a relative_pitch with an answer was expected, got {record.kind} ({record.status})")
    table = trials(record)
    if missing := [name for name in _COLUMNS if name not in table.columns]:
        raise ValueError(f"the relative_pitch of {record.distance.name} lacks {', '.join(missing)} in its table")
    ordered = table.sort("z2", "z1", "interval")
    z1, z2, intervals = (ordered[name].unique().sort().to_numpy() for name in ("z1", "z2", "interval"))
    shape = z2.size, z1.size, intervals.size
    if ordered.height != np.prod(shape):
        raise ValueError(f"the relative_pitch of {record.distance.name} is not a whole grid: {ordered.height} rows")
    first = ordered.filter((pl.col("z1") == z1[0]) & (pl.col("z2") == z2[0]))
    return RelativePitch(
        record, z1, z2, intervals, ordered["share"].to_numpy().reshape(shape), first["data_share"].to_numpy()
    )
