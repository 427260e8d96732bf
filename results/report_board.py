"""The report's leaderboards: every cell with its interval, ties, number of trials and record, as plain JSON values."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .boards import Board
from .intervals import Proportion
from .ladder_text import column_order
from .leaderboard import CellName, Standing
from .publication import Publication
from .record import Record

Numbers = Mapping[str, int]
"""Key of a record to its number in the report."""


def rounded(value: float, digits: int = 6) -> float:
    """Rounded, and without a minus before zero."""
    return round(value, digits) + 0.0


def board_data(publication: Publication, place: int, numbers: Numbers) -> dict[str, Any]:
    """A board: its title, its cells by name, and a row for each distance, best first.

    A row's ``cells`` are in the order of the board's: ``[value, low, high, n, ties, record]``, or null.
    """
    board, standings = publication.boards[place], publication.standings[place]
    cells = _cells(board)
    return {
        "title": board.title,
        "trials": board.trials,
        "tasks": list(board.tasks),
        "cells": [list(cell) for cell in cells],
        "rows": [_row(board, standing, cells, numbers) for standing in standings],
        "absent": [
            {"distance": name, "reason": reason}
            for name, reason in publication.conventions.not_here.items()
            if name not in {standing.distance for standing in standings}
        ],
    }


def _cells(board: Board) -> list[CellName]:
    columns: dict[str, set[str]] = {}
    for record in board.records:
        columns.setdefault(record.task.name, set()).update(record.metrics)
    return [(task, column) for task, names in columns.items() for column in sorted(names, key=column_order)]


def _row(board: Board, standing: Standing, cells: Sequence[CellName], numbers: Numbers) -> dict[str, Any]:
    records = {record.task.name: record for record in board.of_distance(standing.distance)}
    cost = standing.cost
    cost_record = next((one for one in board.costs if one.distance.name == standing.distance), None)
    return {
        "distance": standing.distance,
        "complete": standing.complete,
        "longer": standing.longer,
        "minimum": rounded(standing.minimum),
        "worst": list(standing.worst) if standing.worst else None,
        "mean": rounded(standing.mean),
        "mean_interval": [rounded(end) for end in standing.mean_interval] if standing.mean_interval else None,
        "pitch_minimum": rounded(standing.pitch_minimum),
        "lead": None
        if standing.lead is None
        else {
            "over": standing.lead.runner_up,
            "minimum": [
                rounded(v) for v in (standing.lead.minimum.value, standing.lead.minimum.low, standing.lead.minimum.high)
            ],
            "mean": [rounded(v) for v in (standing.lead.mean.value, standing.lead.mean.low, standing.lead.mean.high)],
        },
        "cost": None if cost is None else [cost.forward_ms, cost.backward_ms, cost.kept_mib],
        "cost_record": numbers[cost_record.key] if cost_record else None,
        "cells": [_cell(records.get(task), column, numbers) for task, column in cells],
        "reasons": {task: f"{one.status}: {one.reason}" for task, one in records.items() if one.status != "ok"},
    }


def _cell(record: Record | None, column: str, numbers: Numbers) -> list[float] | None:
    if record is None or column not in record.metrics:
        return None
    found = Proportion.from_metric(record.metrics[column])
    return [rounded(found.value), rounded(found.low), rounded(found.high), found.n, found.ties, numbers[record.key]]


def outcome_bits(publication: Publication) -> dict[str, dict[str, str]]:
    """Who was right about which trial of the main board: distance to task to bits.

    The bits are those of ``(columns, trials)``, columns in the board's order, the first trial of a column in the
    highest bit of a byte; each column starts a new byte; base64.
    """
    if not publication.boards:
        return {}
    board = publication.boards[0]
    found: dict[str, dict[str, str]] = {}
    for record in board.records:
        if record.status == "ok":
            columns = sorted(record.metrics, key=column_order)
            right = publication.collection.trials(record).sort("trial").select(columns).to_numpy().T > 0
            packed = np.packbits(right, axis=1).tobytes()
            found.setdefault(record.distance.name, {})[record.task.name] = base64.b64encode(packed).decode()
    return found
