"""Descent as Markdown: who reaches the target, how soon, and how that goes with sign accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from .boards import given_longer
from .descent_correlation import Correlation
from .intervals import Proportion
from .record import Record


def descent_markdown(records: Sequence[Record], rankings: Mapping[str, Record]) -> str:
    """One line a distance, the most successful first; ends with a newline.

    Args:
        records: of kind ``descent``, of one task.
        rankings: distance to its ranking on the same task, whose sign accuracy stands beside the descent; that of
            signals of another duration is marked.
    """
    marked = given_longer(records)
    ranked = sorted(
        (record for record in records if record.status == "ok"),
        key=lambda record: (-Proportion.from_metric(record.metrics["reached"]).value, record.distance.name),
    )
    lines = [
        "| distance | reached (95 %) | median steps | learning rate | median error at the end "
        "| sign accuracy: worst cell · mean |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{record.distance.name}`{' *' if record.distance.name in marked else ''} | {_cells(record)} "
        f"| {_signs(rankings.get(record.distance.name), record)} |"
        for record in ranked
    ]
    if marked:
        lines += ["", "\\* Needs longer signals than the others, and was given them: other trials."]
    return "\n".join(lines) + "\n"


def descents_of_tasks_markdown(records: Sequence[Record]) -> str:
    """One line for a distance on a task, in the order given; ends with a newline."""
    lines = [
        "| distance | task | reached (95 %) | median steps | learning rate | median error at the end "
        "| where others end |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for record in records:
        cells = f"{_cells(record)} | {_missed(record)}" if record.status == "ok" else f"{record.status} | – | – | – | –"
        lines.append(f"| `{record.distance.name}` | {record.task.name} | {cells} |")
    return "\n".join(lines) + "\n"


def _signs(ranking: Record | None, descent: Record) -> str:
    if ranking is None:
        return "–"
    cells = [Proportion.from_metric(metric).value for metric in ranking.metrics.values()]
    theirs, ours = (float(one.task.params.get("duration", 0.0)) for one in (ranking, descent))
    return f"{min(cells):.2f} · {fmean(cells):.2f}{'' if theirs == ours else f' (of {theirs:g} s)'}"


_ENDS = {
    "level": "at the pitch, not the level",
    "octave": "octaves away",
    "quietest": "at the lowest level",
    "edge": "at an edge of the range",
    "elsewhere": "elsewhere",
}


def _missed(record: Record) -> str:
    counted = record.metrics["ends"]
    return ", ".join(f"{counted[end]} {words}" for end, words in _ENDS.items() if counted.get(end)) or "–"


def _cells(record: Record) -> str:
    reached = Proportion.from_metric(record.metrics["reached"])
    metrics, steps = record.metrics, record.metrics["median_steps"]
    return (
        f"{reached.value:.2f} ({reached.low:.2f}–{reached.high:.2f}) | {'–' if steps is None else f'{steps:.0f}'} "
        f"| {metrics['learning_rate']:g} | {metrics['median_cents']:.0f} cents, {metrics['median_db']:.1f} dB"
    )


def correlation_markdown(correlations: Sequence[Correlation]) -> str:
    """One line a kind of sign accuracy; ends with a newline."""
    lines = ["| sign accuracy | Spearman's ρ with the share that is reached | 95 % |", "|---|--:|--:|"]
    for each in correlations:
        value, low, high = ("–" if number is None else f"{number:+.2f}" for number in (each.value, each.low, each.high))
        lines.append(f"| {each.column} | {value} | {low} to {high} |")
    return "\n".join(lines) + "\n"
