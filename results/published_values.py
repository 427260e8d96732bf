"""Numbers that others published, to compare ours with; each file under ``reference/`` names its source."""

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import msgspec

RankingColumn = Literal[
    "pitch_analytic", "pitch_30_cents", "pitch_600_cents", "level_analytic", "level_2_db", "level_10_db"
]
"""What Table 1 measures: the sign of the analytic gradient, and steps of 30 and 600 cents, 2 and 10 dB."""

RANKING_COLUMNS: tuple[RankingColumn, ...] = get_args(RankingColumn)
"""The six columns of Table 1 in the paper's order."""

SPECTRAL_DISTANCES = (
    "spectrogram",
    "log_spectrogram",
    "mel",
    "mfcc",
    "mss",
    "log_mss",
    "log2_spectral_centroid",
)
"""The rows of Table 1 whose distances are spectral, in the paper's order; they have a value in every column."""


class PublishedTable1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table 1 of Turian & Henry (2020): sign accuracies, each from ``trials`` trials.

    Attributes:
        source: the publication.
        columns: :data:`RANKING_COLUMNS`.
        trials: number of trials behind each value.
        worst_case_95ci: half width of the widest 95 % interval, as the paper states it.
        rows: the values of each distance, in the order of the columns; None where the paper has no value.
    """

    source: str
    columns: tuple[RankingColumn, ...]
    trials: int
    worst_case_95ci: float
    rows: dict[str, tuple[float | None, ...]]

    def value(self, distance: str, column: RankingColumn) -> float | None:
        """The published accuracy, from 0 to 1; None if the paper has none for this distance and column."""
        row = self.rows.get(distance)
        return None if row is None else row[self.columns.index(column)]


@cache
def table1() -> PublishedTable1:
    """Table 1 of Turian & Henry (2020), from ``reference/sorry_table1.json``."""
    package = __name__.rpartition(".")[0]
    document = (files(package) / "reference" / "sorry_table1.json").read_bytes()
    return msgspec.json.decode(document, type=PublishedTable1)
