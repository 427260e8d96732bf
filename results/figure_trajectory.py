# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Trajectories in the latent space: how z moves through a song.

After Figure 7 of Grachten, Lattner & Deruty 2020: for each evaluation a panel for each dimension of z, one below the
other. The background shows the bass pattern in force, which the paper's song does not have.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .bassnet_evaluation import Evaluation, check_evaluations, conditions_text
from .panels import DETAIL_POINTS, Sizes, draw_heading, hide_unused, small_multiples
from .pattern_style import pattern_colours, region_colour
from .style import INK, TEXT_SIZE, colour, styled

_COLUMNS = 3
_SIZES = Sizes(panel=(3.0, 1.9), left=0.55, between=0.6, above=0.26 + DETAIL_POINTS / 72, below=0.42)
_HALF = 0.47
"""Of a panel's height: what each of its two dimensions takes."""


def figure_trajectory(evaluations: Sequence[Evaluation]) -> Figure:
    """Draw the song whose pattern changes most often; save it with :func:`tonedeaf.results.style.save_figure`.

    Args:
        evaluations: three stand side by side.

    Raises:
        ValueError: if there are none.
    """
    check_evaluations(evaluations)
    tables = [_song(evaluation) for evaluation in evaluations]
    columns = min(_COLUMNS, len(evaluations))
    rows = -(-len(evaluations) // columns)
    with styled():
        figure, axes = small_multiples(
            rows, columns, _SIZES, title="The latent variable through a song", caption=_caption(evaluations)
        )
        for panel, evaluation, table in zip(hide_unused(axes, len(evaluations)), evaluations, tables, strict=True):
            upper, lower = _halves(figure, panel)
            _draw(upper, evaluation, table, "z1")
            _draw(lower, evaluation, table, "z2")
            draw_heading(upper, evaluation.record.distance.name, evaluation.heading, evaluation.training)
            upper.tick_params(labelbottom=False)
            lower.set_xlabel("time (s)", labelpad=2)
    return figure


def _halves(figure: Figure, panel: Axes) -> tuple[Axes, Axes]:
    """Two panels, one below the other, in the place of one."""
    left, bottom, width, height = panel.get_position().bounds
    panel.remove()
    upper = figure.add_axes((left, bottom + (1 - _HALF) * height, width, _HALF * height))
    return upper, figure.add_axes((left, bottom, width, _HALF * height))


def _song(evaluation: Evaluation) -> pl.DataFrame:
    """The windows of the song with the most changes of pattern, the first of equals, in time."""
    ordered = evaluation.windows.sort("song", "seconds")
    changes = ordered.group_by("song", maintain_order=True).agg(
        (pl.col("pattern").diff().fill_null(0) != 0).sum().alias("changes")
    )
    chosen = changes["song"][int(changes["changes"].to_numpy().argmax())]
    return ordered.filter(pl.col("song") == chosen)


def _draw(axes: Axes, evaluation: Evaluation, table: pl.DataFrame, name: str) -> None:
    seconds, values = table["seconds"].to_numpy(), table[name].to_numpy()
    shades = [region_colour(each) for each in pattern_colours(evaluation.patterns)]
    for pattern, start, stop in _stretches(table):
        if pattern >= 0:
            axes.axvspan(start, stop, color=shades[pattern], lw=0, zorder=0)
            if name == "z1" and stop - start > 0.04 * (seconds[-1] - seconds[0]):
                axes.annotate(
                    f"{pattern + 1}",
                    ((start + stop) / 2, 1),
                    (0, -2),
                    ("data", "axes fraction"),
                    textcoords="offset points",
                    ha="center",
                    va="top",
                    fontsize=TEXT_SIZE - 1,
                    color=INK,
                )
    axes.plot(seconds, values, color=colour(evaluation.record.distance.name), lw=0.9, zorder=3)
    everything = evaluation.windows[name].to_numpy()
    low, high = (float(each) for each in np.quantile(everything, [0.002, 0.998]))
    low, high = min(low, float(values.min())), max(high, float(values.max()))
    room = 0.08 * (high - low) or 0.5
    axes.set_ylim(low - room, high + 3 * room)  # above: the patterns' numbers
    if seconds.size > 1:
        axes.set_xlim(float(seconds[0]), float(seconds[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(length=2.5, width=0.6, pad=2)
    axes.set_ylabel(f"${name[0]}_{name[1]}$", labelpad=2)


def _stretches(table: pl.DataFrame) -> list[tuple[int, float, float]]:
    """Pattern, start and end (in seconds) of each stretch of windows that share one."""
    seconds, pattern = table["seconds"].to_numpy(), table["pattern"].to_numpy()
    edges = np.flatnonzero(np.diff(pattern)) + 1
    starts = np.concatenate([[0], edges])
    between = [(seconds[edge - 1] + seconds[edge]) / 2 for edge in edges]
    ends = [float(seconds[0]), *(float(each) for each in between), float(seconds[-1])]
    return [(int(pattern[first]), ends[place], ends[place + 1]) for place, first in enumerate(starts)]


def _caption(evaluations: Sequence[Evaluation]) -> str:
    known = any((each.windows["pattern"] >= 0).any() for each in evaluations)
    background = (
        " The background, and the numbers above, are the bass pattern in force: a latent that stands for it moves only "
        "where it changes."
        if known
        else ""
    )
    return (
        "Mean of the posterior of z, window after window, in the song whose pattern changes most often; below, its "
        f"second dimension.{background} {conditions_text(evaluations)}."
    )
