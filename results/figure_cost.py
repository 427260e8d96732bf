# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Cost against accuracy: which distances are not beaten in both, and by how much the others are.

A distance is **efficient** if none is at least as accurate and cheaper, or as cheap and more accurate (Pareto).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .boards import Board
from .leaderboard import Standing
from .panels import Sizes, small_multiples
from .point_labels import label_points
from .style import FAINT_INK, INK, colour, is_landmark, styled

_BEST_NAMED = 6
"""Of the most accurate, that have their names beside their points where there are many."""
_SIZES = Sizes(panel=(3.35, 2.7), left=0.55, between=0.55, right=0.2, above=0.3, below=0.42)


@dataclass(frozen=True)
class CostPoint:
    """One distance: what it costs, how accurate it is, and whether it is efficient.

    Attributes:
        distance: its name.
        milliseconds: forward and backward, for a pair.
        accuracy: from 0 to 1.
        low: lower end of its 95 % interval.
        high: upper end.
        efficient: whether no other one is better in one and not worse in the other.
    """

    distance: str
    milliseconds: float
    accuracy: float
    low: float
    high: float
    efficient: bool


def by_worst_cell(standing: Standing) -> tuple[float, float, float]:
    """The worst cell, and its interval."""
    low, high = (standing.minimum,) * 2 if standing.worst is None else standing.intervals[standing.worst]
    return standing.minimum, low, high


def by_mean(standing: Standing) -> tuple[float, float, float]:
    """The mean over the cells, and its interval."""
    low, high = standing.mean_interval or (standing.mean, standing.mean)
    return standing.mean, low, high


def cost_points(
    standings: Sequence[Standing], accuracy: Callable[[Standing], tuple[float, float, float]]
) -> list[CostPoint]:
    """The distances that have every cell and a measured cost, cheapest first."""
    measured = [
        (standing.distance, standing.cost.forward_ms + (standing.cost.backward_ms or 0.0), *accuracy(standing))
        for standing in standings
        if standing.complete and standing.cost is not None
    ]
    points = [
        CostPoint(
            *one,
            efficient=not any(
                other[1] <= one[1] and other[2] >= one[2] and (other[1] < one[1] or other[2] > one[2])
                for other in measured
            ),
        )
        for one in measured
    ]
    return sorted(points, key=lambda point: (point.milliseconds, -point.accuracy, point.distance))


def figure_cost(board: Board, standings: Sequence[Standing]) -> Figure:
    """Draw both accuracies against the cost; save with :func:`tonedeaf.results.style.save_figure`.

    Args:
        board: whose standings they are.
        standings: of a leaderboard.

    Raises:
        ValueError: if no distance has every cell and a measured cost.
    """
    panels = [(by_worst_cell, "worst cell"), (by_mean, "mean over the cells")]
    points = [cost_points(standings, accuracy) for accuracy, _ in panels]
    if not points[0]:
        raise ValueError("no distance of the board has every cell and a measured cost")
    with styled():
        unnamed = any(len(_named(found)) < len(found) for found in points)
        title, caption = "What accuracy costs", _caption(board, len(points[0]), unnamed=unnamed)
        figure, axes = small_multiples(1, len(panels), _SIZES, title=title, caption=caption)
        for panel, found, (_, label) in zip(axes[0], points, panels, strict=True):
            _draw(panel, found, label)
    return figure


def _draw(axes: Axes, points: Sequence[CostPoint], label: str) -> None:
    efficient = [point for point in points if point.efficient]
    axes.set_xscale("log")
    times = [point.milliseconds for point in points]
    axes.set_xlim(min(times) / 1.8, max(times) * 3.2)
    axes.set_ylim(min(0.45, *(point.low for point in points)) - 0.03, 1.03)
    axes.axhline(0.5, color=FAINT_INK, lw=0.6, ls=(0, (1, 2)), zorder=1)
    corners = [(efficient[0].milliseconds, efficient[0].accuracy)]
    for point in efficient[1:]:
        corners += [(point.milliseconds, corners[-1][1]), (point.milliseconds, point.accuracy)]
    frontier = axes.plot(*zip(*corners, strict=True), color=FAINT_INK, lw=0.8, zorder=1)
    named = _named(points)
    for point in points:
        ink = colour(point.distance) if point in named else FAINT_INK
        axes.plot([point.milliseconds] * 2, [point.low, point.high], color=ink, lw=1.0, zorder=2)
        face = ink if point.efficient else "white"
        axes.plot([point.milliseconds], [point.accuracy], "o", ms=5, mfc=face, mec=ink, mew=1.2, zorder=3)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("forward + backward (ms a pair)", labelpad=2)
    axes.set_title(label, loc="left", color=INK, fontweight="bold", pad=5)
    axes.tick_params(length=2.5, width=0.6, pad=2)
    first = sorted(named, key=lambda point: (not point.efficient, point.milliseconds))
    places = [(point.milliseconds, point.accuracy) for point in (*first, *(one for one in points if one not in named))]
    label_points(axes, places, [point.distance for point in first], frontier)


def _named(points: Sequence[CostPoint]) -> list[CostPoint]:
    """Whose names are shown: the efficient, the landmarks and the most accurate; those of all would hide the points."""
    best = sorted(points, key=lambda point: -point.accuracy)[:_BEST_NAMED]
    return [point for point in points if point.efficient or is_landmark(point.distance) or point in best]


def _caption(board: Board, shown: int, *, unnamed: bool) -> str:
    machines = sorted({f"{one.environment.device}, torch {one.environment.torch}" for one in board.costs})
    durations = sorted({float(one.task.params.get("duration", 0)) for one in board.costs})
    seconds = " to ".join(f"{each:g}" for each in durations[:1] + durations[1:][-1:])
    tasks = f"{len(board.tasks)} task{'s' * (len(board.tasks) != 1)}"
    return (
        f"Sign accuracy over {tasks} ({board.title}) with 95 % intervals, and the time of one pair of "
        f"{seconds} s signals on {' and on '.join(machines)}, fastest of several calls on one thread. {shown} "
        "distances that have every cell; filled: efficient, none is both cheaper and more accurate; the step is their "
        f"frontier; dotted: chance.{' Grey and without a name: others, which are in the table.' if unnamed else ''}"
    )
