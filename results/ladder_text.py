"""The ladder as Markdown: which distance climbs how high, and where each one slips."""

from __future__ import annotations

from collections.abc import Sequence

from .intervals import Proportion
from .leaderboard import Difference, Standing
from .record import Record

_AXES = {"pitch": 0, "level": 1, "tilt": 2}


def leaderboard_markdown(standings: Sequence[Standing]) -> str:
    """One line a distance, best first: its worst cell, its mean, its lead, its cost; ends with a newline."""
    lines = [
        "| | distance | worst cell | where | mean | ahead of the next by (worst · mean) | ms forward + backward |",
        "|--:|---|--:|---|--:|---|--:|",
    ]
    for place, standing in enumerate(standings, start=1):
        where = "–" if standing.worst is None else f"{standing.worst[0]}, {standing.worst[1]}"
        lead = standing.lead
        ahead = "–" if lead is None else f"{_difference(lead.minimum)} · {_difference(lead.mean)}"
        cost = standing.cost
        spent = "–" if cost is None else f"{cost.forward_ms:.1f} + {cost.backward_ms or 0:.1f}"
        lines.append(
            f"| {place} | `{standing.distance}` | {standing.minimum:.3f} | {where} | {standing.mean:.3f} "
            f"| {ahead} | {spent} |"
        )
    return "\n".join(lines) + "\n"


def tasks_markdown(records: Sequence[Record]) -> str:
    """Distances by tasks: the worst column of pitch, and the worst of level (or tilt), in each; ends with a newline."""
    tasks = list(dict.fromkeys(record.task.name for record in records))
    distances = list(dict.fromkeys(record.distance.name for record in records))
    found = {(record.distance.name, record.task.name): record for record in records}
    lines = [f"| distance | {' | '.join(tasks)} |", f"|---|{'--:|' * len(tasks)}"]
    for distance in distances:
        cells = (_worst(found.get((distance, task))) for task in tasks)
        lines.append(f"| `{distance}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def minimum_markdown(records: Sequence[Record]) -> str:
    """Distances by tasks: how often the global minimum is at the target, level matched · unmatched."""
    tasks = list(dict.fromkeys(record.task.name for record in records))
    distances = list(dict.fromkeys(record.distance.name for record in records))
    found = {(record.distance.name, record.task.name): record for record in records}
    lines = [f"| distance | {' | '.join(tasks)} |", f"|---|{'--:|' * len(tasks)}"]
    for distance in distances:
        cells = (_both_minima(found.get((distance, task))) for task in tasks)
        lines.append(f"| `{distance}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _both_minima(record: Record | None) -> str:
    if record is None or record.status != "ok":
        return "–" if record is None else record.status
    values = (record.metrics[f"minimum_within_50_cents_level_{kind}"]["value"] for kind in ("matched", "unmatched"))
    return " · ".join(f"{value:.3f}" for value in values)


def columns_markdown(records: Sequence[Record], distance: str) -> str:
    """Every cell of one distance, with its 95 % Wilson interval: tasks by columns; ends with a newline."""
    own = [record for record in records if record.distance.name == distance and record.status == "ok"]
    lines = [
        "| task | pitch: analytic | 30 cents | 600 cents | level (tilt): analytic | 2 dB (1) | 10 dB (6) |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for record in own:
        axes = ("pitch", next(axis for axis in _AXES if axis != "pitch" and f"{axis}_" in " ".join(record.metrics)))
        cells: list[str] = []
        for axis in axes:
            columns = sorted((column for column in record.metrics if column.startswith(f"{axis}_")), key=_step)
            if not any(column.endswith("_analytic") for column in columns):
                cells.append("–")
            cells.extend(_with_interval(Proportion.from_metric(record.metrics[column])) for column in columns)
        lines.append(f"| `{record.task.name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _step(column: str) -> float:
    step = column.split("_")[1]
    return 0.0 if step == "analytic" else float(step)


def _with_interval(cell: Proportion) -> str:
    return f"{cell.value:.3f} ({cell.low:.3f}–{cell.high:.3f})"


def _worst(record: Record | None) -> str:
    if record is None or record.status != "ok":
        return "–" if record is None else record.status
    values = {column: Proportion.from_metric(metric).value for column, metric in record.metrics.items()}
    pitch = min(value for column, value in values.items() if column.startswith("pitch_"))
    other = min(value for column, value in values.items() if not column.startswith("pitch_"))
    return f"{pitch:.2f} · {other:.2f}"


def _difference(difference: Difference) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
