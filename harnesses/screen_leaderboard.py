"""The leaderboard that ends a ranking over several tasks."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ..results.leaderboard import Difference, Standing


def leaderboard_table(standings: Sequence[Standing]) -> Table:
    """The standings, best first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("distance", overflow="fold")
    table.add_column("minimum", justify="right")
    table.add_column("where", no_wrap=True)
    table.add_column("mean", justify="right")
    table.add_column("minimum ahead of\nthe next (95 %)", justify="right")
    table.add_column("mean ahead of\nthe next (95 %)", justify="right")
    for heading in ("forward\nms", "backward\nms", "kept\nMiB"):
        table.add_column(heading, justify="right")
    for place, one in enumerate(standings, 1):
        cost = one.cost
        times = (None, None, None) if cost is None else (cost.forward_ms, cost.backward_ms, cost.kept_mib)
        table.add_row(
            str(place) if one.complete else "–",
            Text(one.distance + ("*" if one.longer else ""), style="bold" if place == 1 else ""),
            f"{one.minimum:.3f}" if one.cells else "–",
            " ".join(one.worst) if one.worst else "",
            f"{one.mean:.3f}" if one.cells else "–",
            *((_difference(one.lead.minimum), _difference(one.lead.mean)) if one.lead else ("", "")),
            *("–" if value is None else f"{value:.2f}" for value in times),
        )
    return table


def leaderboard_notes(standings: Sequence[Standing]) -> list[str]:
    """What must be said below :func:`leaderboard_table`."""
    notes = [
        "minimum and mean over tasks and columns; ahead of the next: a paired bootstrap over the same trials; cost for "
        "each pair of signals; kept: tensors for the backward pass"
    ]
    if any(one.longer for one in standings):
        notes.append("* longer signals on some task, as the distance needs: not compared on the same trials")
    notes.extend(
        f"– {one.distance} lacks {one.missing} of {one.missing + len(one.cells)} cells: it stands below the others"
        for one in standings
        if one.missing
    )
    return notes


def _difference(difference: Difference) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f}…{difference.high:+.3f})"
