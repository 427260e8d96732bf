"""What the report shows of one distance: curves, maps, paths of descent, minima; and Table 1; as plain JSON values."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figure_descent import TRIALS
from .intervals import Proportion
from .landscape import Landscape
from .publication import Publication
from .record import Record
from .report_board import Numbers, rounded
from .table1 import COLUMN_HEADINGS

_CURVE_POINTS = 240
"""Of a curve, at most: as many as a panel has pixels."""


def landscape_data(publication: Publication, numbers: Numbers) -> dict[str, dict[str, Any]]:
    """``curves`` and ``maps``: task to distance to values; of each map, its first target."""
    found: dict[str, dict[str, Any]] = {"curves": {}, "maps": {}}
    for kind, name, view in (("curve", "curves", _curve), ("map", "maps", _map)):
        for task, landscapes in publication.landscapes(kind).items():
            found[name][task] = {one.name: view(one) | {"record": numbers[one.record.key]} for one in landscapes}
    return found


def _curve(landscape: Landscape) -> dict[str, Any]:
    grids = [landscape.grid(number) for number in range(len(landscape.targets))]
    step = -(-grids[0].pitch_hz.size // _CURVE_POINTS)
    return {
        "targets": [[target.pitch_hz, target.level_db] for target in landscape.targets],
        "low_hz": rounded(float(grids[0].pitch_hz[0]), 3),
        "high_hz": rounded(float(grids[0].pitch_hz[::step][-1]), 3),
        "values": [_significant(grid.values[0, ::step]) for grid in grids],
    }


def _map(landscape: Landscape) -> dict[str, Any]:
    grid = landscape.grid(0)
    largest = float(grid.values.max()) or 1.0
    # by the square root, as in the figures: most distances grow fast with level
    levels = np.round(255 * np.sqrt(np.clip(grid.values / largest, 0, 1))).astype(np.uint8)
    target = landscape.targets[0]
    return {
        "target": [target.pitch_hz, target.level_db],
        "hz": [rounded(float(grid.pitch_hz[end]), 3) for end in (0, -1)],
        "db": [rounded(float(grid.level_db[end]), 3) for end in (0, -1)],
        "columns": grid.pitch_hz.size,
        "rows": grid.level_db.size,
        "largest": float(f"{largest:.4g}"),
        "levels": base64.b64encode(levels.tobytes()).decode(),
    }


def _significant(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def descent_data(publication: Publication, numbers: Numbers) -> dict[str, Any]:
    """Task to distance: how many reach the target, how soon, and the first trials' paths (cents and dB from it)."""
    board = publication.descents
    found: dict[str, Any] = {}
    for record in () if board is None else board.records:
        if record.status != "ok":
            continue
        table = publication.collection.trials(record).sort("trial").head(TRIALS)
        found.setdefault(record.task.name, {})[record.distance.name] = {
            "reached": _proportion(record.metrics["reached"]),
            "median_steps": record.metrics["median_steps"],
            "median_cents": rounded(record.metrics["median_cents"], 1),
            "median_db": rounded(record.metrics["median_db"], 2),
            "steps": record.task.params["descent"]["steps"],
            "paths": [
                {
                    "reached": row["end"] == "reached",
                    "cents": [rounded(value, 0) for value in row["path_cents"]],
                    "db": [rounded(value, 1) for value in row["path_db"]],
                }
                for row in table.iter_rows(named=True)
            ],
            "record": numbers[record.key],
        }
    return found


def minimum_data(publication: Publication, numbers: Numbers) -> dict[str, Any]:
    """Distance to task: shares of trials whose nearest prediction is at the target, level matched and unmatched."""
    found: dict[str, Any] = {}
    for record in () if publication.minima is None else publication.minima.records:
        if record.status == "ok":
            shares = {name.rpartition("_")[2]: _proportion(metric) for name, metric in sorted(record.metrics.items())}
            found.setdefault(record.distance.name, {})[record.task.name] = {**shares, "record": numbers[record.key]}
    return found


def table1_data(publication: Publication) -> dict[str, Any] | None:
    """Ours in both modes beside the published accuracies; None without records of it."""
    table = publication.table1
    if table is None:
        return None
    return {
        "columns": [" ".join(heading) for heading in COLUMN_HEADINGS.values()],
        "source": table.source,
        "published_trials": table.published_trials,
        "published_cells": table.published_cells,
        "agreeing": {"paper": table.agreeing_cells, "house": table.house_agreeing_cells},
        "settings": {"paper": table.paper_settings, "house": table.house_settings},
        "rows": [
            {
                "distance": row.distance,
                "published": [cell.published for cell in row.cells],
                "paper": [_ours(cell.paper, cell.paper_agrees) for cell in row.cells],
                "house": [_ours(cell.house, cell.house_agrees) for cell in row.cells],
            }
            for row in table.rows
        ],
    }


def _ours(accuracy: Proportion | None, agrees: bool | None) -> list[Any] | None:
    if accuracy is None:
        return None
    return [rounded(accuracy.value), rounded(accuracy.low), rounded(accuracy.high), agrees]


def _proportion(metric: object) -> list[float]:
    found = Proportion.from_metric(metric)
    return [rounded(found.value), rounded(found.low), rounded(found.high), found.n]


def record_data(publication: Publication, link: Sequence[str]) -> dict[str, Any]:
    """Every record: what it answers, where and with which code, and where its document is.

    Args:
        publication: whose records.
        link: for each record in order, the address of its document, relative to the report.
    """
    records = publication.collection.records
    environments = list(dict.fromkeys(map(_environment, records)))
    revisions = list(dict.fromkeys(map(_revision, records)))
    return {
        "environments": environments,
        "revisions": revisions,
        "rows": [
            {
                "key": one.key[:16],
                "kind": one.kind,
                "distance": one.distance.name,
                "task": one.task.name,
                "version": one.task.version,
                "seed": one.seed,
                "trials": one.trials,
                "status": one.status,
                "environment": environments.index(_environment(one)),
                "revision": revisions.index(_revision(one)),
                "started": one.started.strftime("%Y-%m-%d"),
                "link": address,
            }
            for one, address in zip(records, link, strict=True)
        ],
        "set_aside": [[one.what, one.reason] for one in publication.set_aside],
    }


def _environment(record: Record) -> str:
    where = record.environment
    threads = f"{where.threads} thread{'s' * (where.threads != 1)}"
    return f"Python {where.python}, torch {where.torch}, {where.device}, {threads}, {where.platform}"


def _revision(record: Record) -> str:
    if record.revision.commit is None:
        return "installed package"
    return record.revision.commit[:12] + (" with changes" if record.revision.dirty else "")
