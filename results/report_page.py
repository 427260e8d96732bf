"""The report: one HTML page with everything in it (data, sounds, charts' library), which opens from disk.

The page is made from the parts in ``results/report/``; the data go in as JSON, and the page's scripts draw them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from .figure_cost import by_mean, by_worst_cell, cost_points
from .publication import Publication
from .report_board import board_data, outcome_bits
from .report_listening import HeardTrial, listening_data
from .report_training import training_data
from .report_views import descent_data, landscape_data, minimum_data, record_data, table1_data
from .style import colour

LARGEST = 15_000_000
"""Bytes of a report: a page that takes longer to open than to read is no help."""
SCRIPTS = ("core.js", "charts.js", "board.js", "pair.js", "listen.js", "training.js", "records.js")
LIBRARIES = ("d3.min.js", "plot.umd.min.js")


def report(publication: Publication, heard: Sequence[HeardTrial], folder: Path) -> bytes:
    """The page; equal records and sounds give equal bytes.

    Args:
        publication: what it shows.
        heard: trials as sounds.
        folder: where it will be: addresses of records are relative to it.

    Raises:
        ValueError: if the page would be larger than :data:`LARGEST`.
        ImportError: if jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise ImportError("the report needs jinja2: pip install 'tonedeaf[report]'") from error
    part = files(__name__.rpartition(".")[0]) / "report"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (part / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = report_data(publication, heard, folder)
    page = environment.get_template("page.html.j2").render(
        data=script_safe(data),
        facts=_facts(data),
        style=(part / "style.css").read_text(encoding="utf-8"),
        scripts=[(part / name).read_text(encoding="utf-8") for name in SCRIPTS],
        libraries=[(part / "vendor" / name).read_text(encoding="utf-8") for name in LIBRARIES],
        licences=(part / "vendor" / "LICENSES.txt").read_text(encoding="utf-8"),
    )
    content = page.encode()
    if len(content) > LARGEST:
        raise ValueError(
            f"the report would have {len(content) / 1e6:.1f} MB, more than {LARGEST / 1e6:g}: publish fewer records"
        )
    return content


def report_data(publication: Publication, heard: Sequence[HeardTrial], folder: Path) -> dict[str, Any]:
    """Everything that the page shows, as plain JSON values."""
    collection = publication.collection
    numbers = {record.key: place for place, record in enumerate(collection.records)}
    links = [Path(os.path.relpath(collection.path(one), folder)).as_posix() for one in collection.records]
    names = sorted({one.distance.name for one in collection.records})
    return {
        "distances": {
            name: {"colour": colour(name), "source": publication.conventions.sources.get(name, "")} for name in names
        },
        "boards": [board_data(publication, place, numbers) for place in range(len(publication.boards))],
        "bits": outcome_bits(publication),
        "cost": _cost_data(publication),
        "table1": table1_data(publication),
        **landscape_data(publication, numbers),
        "descents": descent_data(publication, numbers),
        "minima": minimum_data(publication, numbers),
        "listening": listening_data(publication, heard, numbers),
        "studies": training_data(publication, numbers),
        "records": record_data(publication, links),
    }


def _cost_data(publication: Publication) -> list[list[Any]]:
    """Distance, milliseconds, worst cell, its interval, whether it is efficient; then the same of the mean."""
    if not publication.boards:
        return []
    worst, mean = (cost_points(publication.standings[0], by) for by in (by_worst_cell, by_mean))
    others = {point.distance: point for point in mean}
    return [
        [
            point.distance,
            point.milliseconds,
            *([one.accuracy, one.low, one.high, one.efficient] for one in (point, others[point.distance])),
        ]
        for point in worst
    ]


def _facts(data: dict[str, Any]) -> dict[str, int]:
    records = data["records"]["rows"]
    return {
        "records": len(records),
        "distances": len({row["distance"] for row in records}),
        "tasks": len({row["task"] for row in records}),
        "set_aside": len(data["records"]["set_aside"]),
    }


def script_safe(data: object) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or starts a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
