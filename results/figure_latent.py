# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""The latent plane: where the windows of each bass pattern lie, and how a quadratic classifier divides it.

After Figures 5 and 6 of Grachten, Lattner & Deruty 2020: a panel for each evaluation. Background: the likeliest
pattern; lines: where its probability is 0.75.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .bassnet_evaluation import Evaluation, QuadraticClassifier, check_evaluations, conditions_text, value
from .panels import DETAIL_POINTS, Sizes, draw_heading, hide_unused, small_multiples
from .pattern_style import UNKNOWN_COLOUR, pattern_colours, pattern_marker, pattern_name, region_colour
from .style import INK, TEXT_SIZE, styled

ISOLINE = 0.75
MOST_POINTS = 1000
"""So many windows are drawn, evenly spread over all."""

_COLUMNS = 3
_GRID = 240
_PANEL, _ONLY_PANEL = (2.5, 2.3), (4.2, 3.6)
_LEGEND_POINTS = 17.0 + DETAIL_POINTS
"""Above the panel: room for its heading below the legend."""


def figure_latent(evaluations: Sequence[Evaluation]) -> Figure:
    """Draw latent planes; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        evaluations: a panel each.

    Raises:
        ValueError: if there are none.
    """
    check_evaluations(evaluations)
    columns = min(_COLUMNS, len(evaluations))
    rows = -(-len(evaluations) // columns)
    panel = _PANEL if len(evaluations) > 1 else _ONLY_PANEL
    sizes = Sizes(panel=panel, left=0.55, between=0.62, above=0.56 + DETAIL_POINTS / 72, below=0.42)
    with styled():
        figure, axes = small_multiples(
            rows, columns, sizes, title="Bass patterns in the latent plane", caption=_caption(evaluations)
        )
        for one, evaluation in zip(hide_unused(axes, len(evaluations)), evaluations, strict=True):
            _draw(one, evaluation)
            _draw_legend(one, evaluation, 1 + _LEGEND_POINTS / 72 / panel[1])
    return figure


def _draw(axes: Axes, evaluation: Evaluation) -> None:
    windows = evaluation.windows
    every = max(1, -(-windows.height // MOST_POINTS))
    shown = windows.gather_every(every)
    across, along = (_range(windows[name].to_numpy()) for name in ("z1", "z2"))
    classifier = evaluation.classifier
    known = () if classifier is None else classifier.patterns.tolist()
    patterns = sorted({*(int(each) for each in windows["pattern"].unique()), *known} - {-1})
    # By its number, so that a pattern has one colour in all panels of its dataset, whichever of them are there.
    colours = dict(enumerate(pattern_colours(evaluation.patterns))) | {-1: UNKNOWN_COLOUR}
    if classifier is not None:
        _draw_regions(axes, classifier, colours, across, along)
    for pattern in [*patterns, -1]:
        of_pattern = shown.filter(pl.col("pattern") == pattern)
        if of_pattern.is_empty():
            continue
        axes.plot(
            of_pattern["z1"].to_numpy(),
            of_pattern["z2"].to_numpy(),
            pattern_marker(pattern),
            ms=3.4,
            color=colours[pattern],
            label=pattern_name(pattern),
            zorder=3,
            markeredgecolor=colours[pattern] if pattern < 0 else INK,
            markeredgewidth=0.3,
            rasterized=True,  # thousands of marks as paths make an SVG that no page should carry
        )
    axes.set_xlim(*across)
    axes.set_ylim(*along)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(length=2.5, width=0.6, pad=2)
    axes.set_xlabel("$z_1$", labelpad=1)
    axes.set_ylabel("$z_2$", labelpad=1)
    draw_heading(axes, evaluation.record.distance.name, evaluation.heading, evaluation.training)


def _draw_legend(axes: Axes, evaluation: Evaluation, height: float) -> None:
    """Above the heading: the markers, and how many windows the classifier knows."""
    accuracy = value(evaluation.record, "qda_accuracy")
    if accuracy is not None:
        axes.annotate(
            f"accuracy {accuracy:.3f}",
            (1, height),
            (0, 2),
            "axes fraction",
            textcoords="offset points",
            fontsize=TEXT_SIZE - 0.5,
            color=INK,
            ha="right",
        )
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels if len(labels) < 3 else [label.removeprefix("pattern ") for label in labels],
            loc="lower left",
            bbox_to_anchor=(-0.02, height - 0.02),
            ncols=len(labels),
            fontsize=TEXT_SIZE - 0.5,
            handletextpad=0.0,
            columnspacing=0.6,
            borderpad=0.1,
        )


def _draw_regions(
    axes: Axes,
    classifier: QuadraticClassifier,
    colours: dict[int, str],
    across: tuple[float, float],
    along: tuple[float, float],
) -> None:
    z1, z2 = np.meshgrid(np.linspace(*across, _GRID), np.linspace(*along, _GRID))
    posterior = classifier.posterior(np.stack([z1, z2], axis=-1))
    likeliest = posterior.argmax(axis=-1)
    inks = [colours[int(pattern)] for pattern in classifier.patterns]
    edges = np.arange(len(inks) + 1) - 0.5
    regions = axes.contourf(z1, z2, likeliest, levels=edges, colors=[region_colour(ink) for ink in inks], zorder=0)
    regions.set_rasterized(True)  # the steps of the grid along a border as paths are most of an SVG's size
    for place, ink in enumerate(inks):
        axes.contour(z1, z2, posterior[..., place], levels=[ISOLINE], colors=[ink], linewidths=0.9, zorder=2)


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Where all but a few stray windows lie, with some room; of a latent that has collapsed, a little around it."""
    low, high = (float(each) for each in np.quantile(values, [0.002, 0.998]))
    room = 0.12 * (high - low) or 0.5
    return low - room, high + room


def _caption(evaluations: Sequence[Evaluation]) -> str:
    return (
        "Each mark is the mean of the posterior of one window, its shape and colour the bass pattern in force at the "
        f"window's center ({', '.join(dict.fromkeys(str(each.windows.height) for each in evaluations))} windows, of "
        f"which at most {MOST_POINTS} are drawn). Background: what a quadratic classifier that was fitted to these "
        f"windows takes for the likeliest pattern; lines: where its probability is {ISOLINE:g}; accuracy: on these "
        f"windows. {conditions_text(evaluations)}."
    )
