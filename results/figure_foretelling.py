# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Does a distance that ranks well train well? Sign accuracy against what a model learnt, distance by distance.

Many distances teach nearly alike, so points carry numbers. The names stand beside the panels, the best taught first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from .boards import Board
from .leaderboard import Standing
from .panels import Sizes, small_multiples
from .rank_association import Association
from .ranking_and_training import PRIMARY_CONDITION, PRIMARY_PATH, PRIMARY_RANKING, PRIMARY_TRAINING, Pair, associations
from .studies import LABELS, Study
from .style import INK, PAPER, TEXT_SIZE, colour, styled

RANKINGS = {PRIMARY_RANKING: "worst cell of pitch", "mean": "mean over the cells"}
"""Figures of a ranking that are shown; the first is the one that was named in advance."""
_SIZES = Sizes(panel=(2.75, 2.6), left=0.6, between=0.5, right=2.75, above=0.42, below=0.42)
_POINT = 8.0
"""Size of a point, in points: a number of two digits fits in."""
_LINE = 0.155
"""From one name to the next, in inches."""


@dataclass(frozen=True)
class Foretold:
    """One distance: how it ranks, and what was learnt with it, with the interval over seeds where there is one."""

    distance: str
    accuracy: float
    learnt: float
    low: float | None
    high: float | None


def shown_pairs(standings: Sequence[Standing], study: Study) -> list[Pair]:
    """The pairs of the figure: :data:`RANKINGS` with raw pitch accuracy; empty for fewer than three distances."""
    found = {pair.ranking: pair for pair in associations(standings, study.arms) if pair.training == PRIMARY_TRAINING}
    return [found[name] for name in RANKINGS if name in found]


def foretold(pair: Pair, study: Study) -> list[Foretold]:
    """The points of a pair, by name of the distance."""
    means = {arm.arm.loss: arm.metrics[pair.training] for arm in study.arms if pair.training in arm.metrics}
    return [
        Foretold(name, accuracy, learnt, means[name].low, means[name].high)
        for name, (accuracy, learnt) in sorted(pair.points.items())
    ]


def figure_foretelling(board: Board, standings: Sequence[Standing], study: Study) -> Figure:
    """Draw one study against the board; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Raises:
        ValueError: if fewer than three distances are on both.
    """
    pairs = shown_pairs(standings, study)
    if not pairs:
        raise ValueError(f"fewer than three distances are both on the board and in the study {study.title}")
    with styled():
        caption = _caption(board, study, pairs[0])
        title = "Does a distance that ranks well train well?"
        figure, axes = small_multiples(1, len(pairs), _SIZES, title=title, caption=caption)
        points = [foretold(pair, study) for pair in pairs]
        best_first = sorted({(-one.learnt, one.distance) for of_pair in points for one in of_pair})
        numbers = {distance: number for number, (_, distance) in enumerate(best_first, 1)}
        for panel, pair, of_pair in zip(axes[0], pairs, points, strict=True):
            _draw(panel, of_pair, pair, numbers)
        _name(axes[0][-1], numbers, set().union(*(pair.variants for pair in pairs)))
    return figure


def _draw(axes: Axes, points: Sequence[Foretold], pair: Pair, numbers: Mapping[str, int]) -> None:
    for point in sorted(points, key=lambda one: -numbers[one.distance]):  # the best lie above the others
        ink, place = colour(point.distance), 3 + 1 / numbers[point.distance]
        if point.low is not None and point.high is not None:
            axes.plot([point.accuracy] * 2, [point.low, point.high], color=ink, lw=1.0, alpha=0.7, zorder=2)
        marker = _marker(ink, hollow=point.distance in pair.variants)
        axes.plot([point.accuracy], [point.learnt], zorder=place, **marker)
        _number(axes, point.accuracy, point.learnt, numbers[point.distance], marker["mfc"], zorder=place)
    accuracies = [point.accuracy for point in points]
    room = 0.06 * (max(accuracies) - min(accuracies) or 1.0)
    axes.set_xlim(min(accuracies) - room, max(accuracies) + room)
    ends = [end for point in points for end in (point.learnt, point.low, point.high) if end is not None]
    above = 0.06 * (max(ends) - min(ends) or 1.0)
    axes.set_ylim(min(ends) - above, max(ends) + above)
    axes.set_xlabel(f"sign accuracy: {RANKINGS[pair.ranking]}", labelpad=2)
    axes.set_ylabel(LABELS[pair.training][0], labelpad=3)
    axes.tick_params(length=2.5, width=0.6, pad=2)
    axes.set_title(association_text(pair.found), loc="left", color=INK, fontsize=8, pad=5)


def _marker(ink: str, *, hollow: bool) -> dict[str, Any]:
    """Of a distance; hollow: of a variant, which is not in the correlation."""
    return {"marker": "o", "ms": _POINT, "mfc": PAPER if hollow else ink, "mec": ink if hollow else PAPER, "mew": 0.8}


def _name(axes: Axes, numbers: Mapping[str, int], variants: Collection[str]) -> None:
    """Which number is whose, to the right of a panel, from its top."""
    here, width = axes.transAxes, _SIZES.panel[0]
    for distance, number in numbers.items():
        x, y = 1 + 0.15 / width, 1 - (number - 0.5) * _LINE / _SIZES.panel[1]
        marker = _marker(colour(distance), hollow=distance in variants)
        axes.plot([x], [y], transform=here, clip_on=False, **marker)
        _number(axes, x, y, number, marker["mfc"], transform=here)
        where = x + 0.1 / width
        axes.text(where, y, distance, transform=here, va="center_baseline", fontsize=TEXT_SIZE - 0.5, color=INK)


def _number(axes: Axes, x: float, y: float, number: int, face: str, **where: Any) -> None:
    where |= {"ha": "center", "va": "center_baseline", "fontsize": 5.5, "color": _readable_on(face)}
    axes.text(x, y, str(number), **where)


def _readable_on(ink: str) -> str:
    """White or dark, whichever stands out from a colour (by its relative luminance, after ITU-R BT.709)."""
    red, green, blue = to_rgb(ink)
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.55 else PAPER


def association_text(found: Association) -> str:
    """As in ``Spearman's ρ = +0.61, p = 0.02, 12 distances``."""
    if found.rho is None or found.p is None:
        return f"no rank correlation: all equal, {found.n} distances"
    return f"Spearman's ρ = {found.rho:+.2f}, p = {found.p:.2g}, {found.n} distances".replace("-", "−")


def _caption(board: Board, study: Study, pair: Pair) -> str:
    hollow = " Hollow: variants of another distance, which are not in the correlation." if pair.variants else ""
    return (
        f"{pair.found.n} distances that were ranked ({board.title}, {len(board.tasks)} tasks) and trained with "
        f"({study.task}: {study.title}; seeds {', '.join(map(str, study.seeds))}; bars: 95 % t-intervals over seeds). "
        "p: two-sided permutation test, without correction for several tests. The pair named in advance is the worst "
        f"cell of pitch against raw pitch accuracy in the condition {PRIMARY_CONDITION} on the path {PRIMARY_PATH}; "
        f"all others explore.{hollow}"
    )
