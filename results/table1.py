"""Table 1 of Turian & Henry (2020), ours beside the published one.

Every cell has up to three accuracies: ours in the paper's mode (its settings as far as they are known), the published
one, and ours in the house mode (settings under which edges and phases do not decide). One of ours *agrees* with the
published one if 0 lies in the 95 % Newcombe interval of the difference of the two proportions. The paper's mode is
there to reproduce; that the house mode agrees, or not, says what the settings change.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from .canonical import canonical_json
from .intervals import Proportion, agrees
from .published_values import RANKING_COLUMNS, SPECTRAL_DISTANCES, RankingColumn, table1
from .record import Record

Mode = Literal["paper", "house"]

ROWS = (*SPECTRAL_DISTANCES, "log_spectral_transport")
"""The distances of the table: the paper's in its order, and one that it does not have."""

COLUMN_HEADINGS: Mapping[RankingColumn, tuple[str, str]] = {
    "pitch_analytic": ("pitch", "analytic"),
    "pitch_30_cents": ("pitch", "±30 cents"),
    "pitch_600_cents": ("pitch", "±600 cents"),
    "level_analytic": ("level", "analytic"),
    "level_2_db": ("level", "±2 dB"),
    "level_10_db": ("level", "±10 dB"),
}
"""What each column changes, and by how much."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One column of one distance.

    Attributes:
        column: which column.
        paper: ours in the paper's mode; None without a record.
        published: the published accuracy; None if there is none.
        house: ours in the house mode; None without a record.
        published_trials: number of trials behind the published accuracy.
    """

    column: RankingColumn
    paper: Proportion | None
    published: float | None
    house: Proportion | None
    published_trials: int

    @property
    def paper_agrees(self) -> bool | None:
        """Whether ours in the paper's mode agrees with the published one; None if one of them is missing."""
        return self._agrees(self.paper)

    @property
    def house_agrees(self) -> bool | None:
        """Whether ours in the house mode agrees with the published one; None if one of them is missing."""
        return self._agrees(self.house)

    def _agrees(self, ours: Proportion | None) -> bool | None:
        if ours is None or self.published is None:
            return None
        published = round(self.published * self.published_trials)
        return agrees(ours.successes, ours.n, published, self.published_trials)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One distance: its cells in the order of :data:`RANKING_COLUMNS`."""

    distance: str
    cells: tuple[Cell, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of one mode have in common.

    Attributes:
        trials: every number of trials that occurs, ascending; one if all records agree.
        seeds: every seed that occurs, ascending.
        params: the parameters, of the task and of the distances, in which all records agree.
    """

    trials: tuple[int, ...]
    seeds: tuple[int, ...]
    params: Mapping[str, object]

    @property
    def text(self) -> str:
        """One line, as in ``n = 1000, seed 0``."""
        if not self.trials:
            return "no records"
        trials = "-".join(str(trials) for trials in (self.trials[0], *self.trials[1:][-1:]))
        seeds = "s" * (len(self.seeds) > 1) + " " + ", ".join(str(seed) for seed in self.seeds)
        return f"n = {trials}, seed{seeds}"

    def params_text(self, other: "Settings") -> str:
        """The parameters that the other mode has otherwise, in one line, as in ``center=true, duration=2``."""
        names = (name for name in sorted(self.params) if self.params[name] != other.params.get(name))
        return ", ".join(f"{name}={_parameter(self.params[name])}" for name in names)


class Table1(msgspec.Struct, frozen=True, kw_only=True):
    """The table.

    Attributes:
        rows: one per distance of :data:`ROWS`.
        paper: settings of the paper's mode.
        house: settings of the house mode.
        source: the publication.
        published_trials: number of trials behind each published accuracy.
        missing: why cells are empty, one line per record without an answer.
    """

    rows: tuple[Row, ...]
    paper: Settings
    house: Settings
    source: str
    published_trials: int
    missing: tuple[str, ...]

    @property
    def published_cells(self) -> int:
        """Number of cells with a published accuracy (42); a cell without a record of ours counts, too."""
        return sum(cell.published is not None for row in self.rows for cell in row.cells)

    @property
    def agreeing_cells(self) -> int:
        """In how many of them the paper's mode agrees."""
        return sum(cell.paper_agrees is True for row in self.rows for cell in row.cells)

    @property
    def paper_settings(self) -> str:
        """How the paper's mode was run: trials, seed, and what distinguishes it from the house mode."""
        return ", ".join(filter(None, (self.paper.text, self.paper.params_text(self.house))))

    @property
    def house_settings(self) -> str:
        """How the house mode was run: trials, seed, and what distinguishes it from the paper's mode."""
        return ", ".join(filter(None, (self.house.text, self.house.params_text(self.paper))))

    @property
    def house_agreeing_cells(self) -> int:
        """In how many of them the house mode agrees."""
        return sum(cell.house_agrees is True for row in self.rows for cell in row.cells)


def table1_from_records(paper: Sequence[Record], house: Sequence[Record], *, task: str = "sines") -> Table1:
    """Table 1 from the records of both modes.

    Args:
        paper: records of the paper's mode; of other kinds, tasks and distances than the table's are passed over.
        house: records of the house mode, likewise.
        task: name of the task.

    Raises:
        ValueError: if a mode has two records of one distance (of two seeds, say), or a metric is not a proportion.
    """
    published = table1()
    of_paper, of_house = _by_distance(paper, task, "paper"), _by_distance(house, task, "house")
    rows = tuple(
        Row(
            distance=distance,
            cells=tuple(
                Cell(
                    column=column,
                    paper=_proportion(of_paper.get(distance), column),
                    published=published.value(distance, column),
                    house=_proportion(of_house.get(distance), column),
                    published_trials=published.trials,
                )
                for column in RANKING_COLUMNS
            ),
        )
        for distance in ROWS
    )
    return Table1(
        rows=rows,
        paper=_settings(of_paper),
        house=_settings(of_house),
        source=published.source,
        published_trials=published.trials,
        missing=(*_missing(of_paper, "paper's mode"), *_missing(of_house, "house mode")),
    )


def _by_distance(records: Iterable[Record], task: str, mode: Mode) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        name = record.distance.name
        if record.kind != "ranking" or record.task.name != task or name not in ROWS:
            continue
        if name in found:
            keys = f"{found[name].key[:16]} and {record.key[:16]}"
            raise ValueError(f"two records of {name} in the {mode} mode ({keys}); Table 1 needs one of each distance")
        found[name] = record
    return found


def _proportion(record: Record | None, column: str) -> Proportion | None:
    if record is None or record.status != "ok" or record.metrics.get(column) is None:
        return None
    try:
        return Proportion.from_metric(record.metrics[column])
    except ValueError as error:
        name = f"record {record.key[:16]} of {record.distance.name}"
        raise ValueError(f"the {name} has no proportion in {column}: {error}") from error


def _settings(records: Mapping[str, Record]) -> Settings:
    answered = [record for record in records.values() if record.status == "ok"]
    params = [{**record.distance.params, **record.task.params} for record in answered]
    names = set[str]().union(*params)
    shared = {
        name: params[0][name]
        for name in names
        if all(name in one and canonical_json(one[name]) == canonical_json(params[0].get(name)) for one in params)
    }
    return Settings(
        trials=tuple(sorted({record.trials for record in answered if record.trials is not None})),
        seeds=tuple(sorted({record.seed for record in answered})),
        params=shared,
    )


def _parameter(value: object) -> str:
    return value if isinstance(value, str) else canonical_json(value).decode()


def _missing(records: Mapping[str, Record], mode: str) -> Iterable[str]:
    for distance in ROWS:
        if distance in records and records[distance].status != "ok":
            yield f"{distance} ({mode}): {records[distance].status}: {records[distance].reason}"
