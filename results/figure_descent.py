# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Paths of descent: where a gradient leads from the prediction, relative to the target, distance by distance.

Each panel shows the same trials: a hollow dot is a start, a filled one an end; the cross is the target of all of them.
A path that reaches it has the distance's colour and a solid line, another is grey and dashed.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .intervals import Proportion
from .panels import Sizes, draw_heading, hide_unused, small_multiples
from .record import Record
from .style import FAINT_INK, INK, PAPER, colour, styled

TRIALS = 12
"""Whose paths are drawn."""
_COLUMNS = 4
_OCTAVE = 1200.0


def figure_descent(
    records: Sequence[Record], outcomes: Callable[[Record], pl.DataFrame], *, trials: int = TRIALS
) -> Figure:
    """Draw the first trials' paths; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        records: of kind ``descent``, with an answer, of one task and seed: a panel each.
        outcomes: the trials of a record, as :meth:`~tonedeaf.results.store.RecordStore.trials`.
        trials: whose paths are drawn, from the first.

    Raises:
        ValueError: if there are no records, one has no answer or is of another kind, or they differ in task or seed.
    """
    _check(records)
    tables = [outcomes(record).head(trials) for record in records]
    across, along = (_range(tables, name) for name in ("path_cents", "path_db"))
    columns = min(_COLUMNS, len(records))
    rows = -(-len(records) // columns)
    sizes = Sizes(panel=(2.05, 1.75), left=0.6, between=0.22)
    first = records[0]
    with styled():
        figure, axes = small_multiples(
            rows,
            columns,
            sizes,
            title="Where descent leads",
            caption=_caption(records, min(trials, first.trials or trials)),
        )
        for number, panel in enumerate(hide_unused(axes, len(records))):
            record = records[number]
            _draw_paths(panel, tables[number], colour(record.distance.name))
            share = Proportion.from_metric(record.metrics["reached"])
            draw_heading(panel, record.distance.name, f"{record.distance.name}  {share.value:.2f}")
            panel.set_xlim(across[0] / _OCTAVE, across[1] / _OCTAVE)
            panel.set_ylim(*along)
            panel.tick_params(length=2.5, width=0.6, pad=2)
            _label(panel, left=number % columns == 0, below=number + columns >= len(records))
    return figure


def _range(tables: Sequence[pl.DataFrame], column: str) -> tuple[float, float]:
    """From the lowest to the highest point of all paths, the target included, and some room."""
    points = np.concatenate([[0.0], *(table[column].explode().to_numpy() for table in tables)])
    low, high = float(points.min()), float(points.max())
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _check(records: Sequence[Record]) -> None:
    if not records:
        raise ValueError("a figure needs at least one descent")
    first = records[0]
    for record in records:
        if record.kind != "descent" or record.status != "ok":
            raise ValueError(
                f"a descent with an answer was expected, got {record.kind} ({record.status}) of {record.distance.name}"
            )
        if (record.task.name, record.task.version, record.seed) != (first.task.name, first.task.version, first.seed):
            raise ValueError(f"{first.distance.name} and {record.distance.name} differ in task or seed: not one figure")


def _draw_paths(axes: Axes, table: pl.DataFrame, own_colour: str) -> None:
    axes.axhline(0, color=FAINT_INK, lw=0.4, zorder=0)
    axes.axvline(0, color=FAINT_INK, lw=0.4, zorder=0)
    for row in table.iter_rows(named=True):
        reached = row["end"] == "reached"
        octaves, decibels = [cents / _OCTAVE for cents in row["path_cents"]], row["path_db"]
        ink = own_colour if reached else FAINT_INK
        line = "solid" if reached else (0, (3, 1.5))
        axes.plot(octaves, decibels, color=ink, lw=1.0 if reached else 0.7, ls=line, zorder=3 if reached else 2)
        axes.plot(octaves[:1], decibels[:1], "o", ms=3, mfc=PAPER, mec=ink, mew=0.7, zorder=4)
        axes.plot(octaves[-1:], decibels[-1:], "o", ms=2.6, color=ink, mew=0, zorder=4)
    axes.plot([0], [0], "+", ms=9, mew=1.3, color=INK, zorder=5)


def _label(axes: Axes, *, left: bool, below: bool) -> None:
    if left:
        axes.set_ylabel("prediction − target (dB)", labelpad=2)
    else:
        axes.set_yticklabels([])
    if below:
        axes.set_xlabel("prediction − target (octaves)", labelpad=2)
    else:
        axes.set_xticklabels([])


def _caption(records: Sequence[Record], shown: int) -> str:
    first = records[0]
    params = first.task.params
    durations = sorted({float(record.task.params["duration"]) for record in records})
    seconds = " to ".join(f"{each:g}" for each in durations[:1] + durations[1:][-1:])
    steps = params["descent"]["steps"]
    return (
        f"Task {first.task.name} (version {first.task.version}), {seconds} s at {float(params['sample_rate']):g} Hz, "
        f"seed {first.seed}; {steps} steps of Adam on pitch and level, learning rate the best of a small grid for each "
        f"distance. The first {shown} trials, hollow at the start, filled at the end; solid: it ends within 50 cents "
        f"and 1 dB of the target (+). Beside each name, the share of all {first.trials} trials that does."
    )
