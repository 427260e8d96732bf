"""A record of kind ``speed`` as Markdown: ``results/published/speed.md``."""

from __future__ import annotations

from collections.abc import Sequence

from .record import Record
from .speed import OURS, Measurement, measurements

HEADING = """# How fast

Made by `make speed` from the record in [speed/](speed/); never typed. Times are the fastest of several rounds and
belong to the machine; what can be compared is the ratios. Above 1, the other takes longer.
"""
RANKING = """## Ranking

The engine beside the plain per-trial loop (a batch of one, each of the 16 representations of a trial by itself), and
its numeric columns beside nothing but the Fourier transforms of the six signals of a trial. All cores.
"""
THROUGHPUT = """## Trials per second

`tonedeaf rank` of sines, all cores. House mode: 0.5 s, frames that fit; paper's mode: 2 s, mirrored edges.
"""
PEERS = """## The same work by others

Losses with their gradients, representations without; 8 signals of one second at 44.1 kHz, one thread.
"""
SIGNALS = """## Signals and features

One thread.
"""
TRAINING = """## Training step
"""
DISTANCES = """## Every distance

Milliseconds for one pair of signals of half a second (or the shortest that the distance takes), in batches of 1, 4 and
16; forward without a gradient, and backward to the prediction. One thread.
"""
_TITLED = {"ranking": RANKING, "throughput": THROUGHPUT, "peers": PEERS, "signals": SIGNALS, "training": TRAINING}


def speed_markdown(record: Record) -> str:
    """The page.

    Raises:
        ValueError: if the record is of another kind.
    """
    found = measurements(record)
    environment = record.environment
    parts = [
        HEADING,
        f"{environment.platform}, {environment.threads} threads, {environment.device}, torch {environment.torch}, "
        f"Python {environment.python}, {record.started:%Y-%m-%d}.\n",
    ]
    tables = list(dict.fromkeys(each.table for each in found))
    for table in (*_TITLED, *(other for other in tables if other not in {*_TITLED, "distances"})):
        rows = [each for each in found if each.table == table]
        if rows:
            parts.append(_TITLED.get(table, f"## {table.capitalize()}\n"))
            parts.append(_throughput(rows) if table == "throughput" else _compared(rows))
    if rows := [each for each in found if each.table == "distances"]:
        parts.extend([DISTANCES, _distances(rows)])
    return "\n".join(parts)


def _compared(rows: Sequence[Measurement]) -> str:
    lines = ["| work | ours | other | | other / ours |", "|---|--:|---|--:|--:|"]
    for work in dict.fromkeys(each.work for each in rows):
        of_work = {each.who: each.seconds for each in rows if each.work == work}
        ours = of_work.pop(OURS, None)
        shown = "–" if ours is None else _time(ours)
        if not of_work:
            lines.append(f"| {work} | {shown} | – | – | – |")
        for who, seconds in of_work.items():
            ratio = "–" if ours is None else f"{seconds / ours:.2f}"
            lines.append(f"| {work} | {shown} | {who} | {_time(seconds)} | {ratio} |")
    return "\n".join(lines) + "\n"


def _throughput(rows: Sequence[Measurement]) -> str:
    modes = list(dict.fromkeys(str(each.facts["mode"]) for each in rows))
    lines = [f"| distance | {' | '.join(modes)} |", "|---|" + "--:|" * len(modes)]
    for name in dict.fromkeys(str(each.facts["distance"]) for each in rows):
        rates = {
            str(each.facts["mode"]): each.facts["trials"] / each.seconds
            for each in rows
            if each.facts["distance"] == name
        }
        lines.append(f"| `{name}` | {' | '.join(f'{rates[mode]:.0f}' if mode in rates else '–' for mode in modes)} |")
    return "\n".join(lines) + "\n"


def _distances(rows: Sequence[Measurement]) -> str:
    batches = sorted({int(each.facts["batch"]) for each in rows})
    columns = [(direction, batch) for direction in ("forward", "backward") for batch in batches]
    heading = " | ".join(f"{direction} {batch}" for direction, batch in columns)
    lines = [f"| distance | seconds | {heading} |", "|---|--:|" + "--:|" * len(columns)]
    for name in dict.fromkeys(str(each.facts["distance"]) for each in rows):
        own = [each for each in rows if each.facts["distance"] == name]
        pair = {(each.who, int(each.facts["batch"])): 1e3 * each.seconds / int(each.facts["batch"]) for each in own}
        cells = " | ".join(f"{pair[column]:.3g}" if column in pair else "–" for column in columns)
        lines.append(f"| `{name}` | {float(own[0].facts['seconds']):.3g} | {cells} |")
    return "\n".join(lines) + "\n"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
