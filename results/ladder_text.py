"""The ladder as Markdown: which distance climbs how high, and where each one slips."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .boards import Board
from .intervals import Proportion
from .leaderboard import Difference, Standing
from .record import Record


def leaderboard_markdown(standings: Sequence[Standing], shown: Collection[str] | None = None) -> str:
    """One line a distance that has every cell, best first: worst cell, mean, lead, and a pair's time and memory.

    Those that were given longer signals than others are marked, and a sentence below says so.

    Args:
        standings: of all distances, best first.
        shown: those that have a line, at the places they have among all; None shows all.
    """
    complete = [(place, one) for place, one in enumerate((one for one in standings if one.complete), start=1)]
    rows = [(place, one) for place, one in complete if shown is None or one.distance in shown]
    lines = [
        "| | distance | worst cell (95 %) | where | mean (95 %) | ahead of the next by (worst · mean) "
        "| ms forward + backward | MiB kept for backward |",
        "|--:|---|--:|---|--:|---|--:|--:|",
    ]
    for place, standing in rows:
        where = "–" if standing.worst is None else f"{standing.worst[0]}, {standing.worst[1]}"
        lead, cost = standing.lead, standing.cost
        ahead = "–" if lead is None else f"{_difference(lead.minimum)} · {_difference(lead.mean)}"
        spent = "–" if cost is None else f"{cost.forward_ms:.1f} + {cost.backward_ms or 0:.1f}"
        kept = "–" if cost is None or cost.kept_mib is None else f"{cost.kept_mib:.1f}"
        worst = None if standing.worst is None else standing.intervals.get(standing.worst)
        name = f"`{standing.distance}`{' *' if standing.longer else ''}"
        lines.append(
            f"| {place} | {name} | {_estimate(standing.minimum, worst)} | {where} "
            f"| {_estimate(standing.mean, standing.mean_interval)} | {ahead} | {spent} | {kept} |"
        )
    if any(standing.longer for _, standing in rows):
        lines += ["", "\\* Needs longer signals than the others, and was given them; other trials, so no lead (–)."]
    return "\n".join(lines) + "\n"


def times_markdown(boards: Sequence[Board], ours: str, theirs: str) -> str:
    """How many times as long one distance takes as another, forward and backward, on each board that has both costs."""
    lines: list[str] = []
    for board in boards:
        spent = {
            cost.distance.name: cost.metrics["forward_ms"] + (cost.metrics["backward_ms"] or 0.0)
            for cost in board.costs
            if cost.status == "ok"
        }
        if ours in spent and theirs in spent:
            ratio = spent[ours] / spent[theirs]
            where = f"{board.sample_rate / 1000:g} kHz, {board.duration:g} s"
            lines.append(f"- {where}: {ratio:.1f} times ({spent[ours]:.1f} and {spent[theirs]:.1f} ms a pair)")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def summary_markdown(standings: Sequence[Standing], distances: Sequence[str]) -> str:
    """Worst cell and mean of distances in the order given, of those that have a standing; ends with a newline."""
    of_name = {standing.distance: standing for standing in standings}
    lines = ["| distance | worst cell (95 %) | where | mean (95 %) |", "|---|--:|---|--:|"]
    for standing in (of_name[name] for name in distances if name in of_name):
        worst, where = (
            (None, "–") if standing.worst is None else (standing.intervals.get(standing.worst), standing.worst)
        )
        lines.append(
            f"| `{standing.distance}` | {_estimate(standing.minimum, worst)} | {', '.join(where)} "
            f"| {_estimate(standing.mean, standing.mean_interval)} |"
        )
    return "\n".join(lines) + "\n"


def absent_markdown(
    records: Sequence[Record], standings: Sequence[Standing], not_here: Mapping[str, str], known: Iterable[str] = ()
) -> str:
    """Who is not on the leaderboard, by reason, one line each; ends with a newline.

    Of a reason that goes on with what a reader of one distance can do ("needs weights: fetch them by …") the first half
    is told, once for all distances that share it: ``tonedeaf list`` says the rest.

    Args:
        records: the board's.
        standings: of these records.
        not_here: distances that cannot run where this is published, and why.
        known: all distances there are.
    """
    names: dict[str, list[str]] = {}
    tasks = len({record.task.name for record in records})
    for standing in standings:
        if standing.complete:
            continue
        own = [record for record in records if record.distance.name == standing.distance]
        reasons = list(dict.fromkeys(f"{one.status}: {_kind(one.reason or '')}" for one in own if one.status != "ok"))
        asked = sum(record.status == "ok" for record in own)
        if asked and asked == tasks:
            reasons.insert(0, f"{standing.missing} cells fewer than others")
        elif asked:
            reasons.insert(0, f"an answer on {asked} of {tasks} tasks")
        names.setdefault("; ".join(reasons), []).append(standing.distance)
    named = {standing.distance for standing in standings}
    for name, reason in not_here.items():
        if name not in named:
            names.setdefault(f"unavailable: {_kind(reason)}", []).append(name)
    for name in known:
        if name not in named and name not in not_here:
            names.setdefault("not asked", []).append(name)
    lines = [f"- {reason}: {', '.join(f'`{name}`' for name in who)}" for reason, who in names.items()]
    return "\n".join(lines or ["Every distance that was asked has every cell."]) + "\n"


def _kind(reason: str) -> str:
    return reason.partition(": ")[0]


def tasks_markdown(records: Sequence[Record]) -> str:
    """Distances by tasks: the worst column of pitch, and the worst of level (or tilt), in each; ends with a newline.

    Distances without any answer have no line.
    """
    tasks = list(dict.fromkeys(record.task.name for record in records))
    distances = list(dict.fromkeys(record.distance.name for record in records if record.status == "ok"))
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
        other = next((column.partition("_")[0] for column in record.metrics if not column.startswith("pitch_")), "")
        cells: list[str] = []
        for axis in ("pitch", other):
            found = {
                column.split("_")[1]: _with_interval(Proportion.from_metric(record.metrics[column]))
                for column in sorted(record.metrics, key=column_order)
                if column.startswith(f"{axis}_")
            }
            cells.append(found.pop("analytic", "–"))
            cells.extend([*found.values(), "–", "–"][:2])
        lines.append(f"| `{record.task.name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def column_order(column: str) -> tuple[bool, str, float]:
    """By axis, pitch first; within an axis the derivative first, then from small steps to large ones."""
    axis, _, step = column.partition("_")
    return axis != "pitch", axis, 0.0 if step == "analytic" else float(step.partition("_")[0])


def _with_interval(cell: Proportion) -> str:
    return f"{cell.value:.3f} ({cell.low:.3f}–{cell.high:.3f})"


def _worst(record: Record | None) -> str:
    if record is None or record.status != "ok":
        return "–" if record is None else record.status
    values = {column: Proportion.from_metric(metric).value for column, metric in record.metrics.items()}
    pitch = [value for column, value in values.items() if column.startswith("pitch_")]
    other = [value for column, value in values.items() if not column.startswith("pitch_")]
    return " · ".join(f"{min(several):.2f}" if several else "–" for several in (pitch, other))


def _estimate(value: float, interval: tuple[float, float] | None) -> str:
    return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def _difference(difference: Difference) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
