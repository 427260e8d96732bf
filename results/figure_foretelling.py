# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Does a distance that ranks well train well? Sign accuracy against what a model learnt, distance by distance."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .boards import Board
from .leaderboard import Standing
from .panels import Sizes, small_multiples
from .point_labels import label_points
from .rank_association import Association
from .ranking_and_training import PRIMARY_CONDITION, PRIMARY_PATH, PRIMARY_RANKING, PRIMARY_TRAINING, Pair, associations
from .studies import LABELS, Study
from .style import INK, colour, styled

RANKINGS = {PRIMARY_RANKING: "worst cell of pitch", "mean": "mean over the cells"}
"""Figures of a ranking that are shown; the first is the one that was named in advance."""
_SIZES = Sizes(panel=(3.2, 2.6), left=0.6, between=0.55, right=0.2, above=0.42, below=0.42)


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
        for panel, pair in zip(axes[0], pairs, strict=True):
            _draw(panel, foretold(pair, study), pair)
    return figure


def _draw(axes: Axes, points: Sequence[Foretold], pair: Pair) -> None:
    for point in points:
        ink = colour(point.distance)
        if point.low is not None and point.high is not None:
            axes.plot([point.accuracy] * 2, [point.low, point.high], color=ink, lw=1.0, zorder=2)
        axes.plot([point.accuracy], [point.learnt], "o", ms=5, mfc=ink, mec="white", mew=0.6, zorder=3)
    accuracies = [point.accuracy for point in points]
    room = 0.06 * (max(accuracies) - min(accuracies) or 1.0)
    axes.set_xlim(min(accuracies) - room, max(accuracies) + room)
    learnt = [point.learnt for point in points]
    above = 0.06 * (max(learnt) - min(learnt) or 1.0)
    axes.set_ylim(min(learnt) - above, max(learnt) + above)
    axes.set_xlabel(f"sign accuracy: {RANKINGS[pair.ranking]}", labelpad=2)
    axes.set_ylabel(LABELS[pair.training][0], labelpad=3)
    axes.tick_params(length=2.5, width=0.6, pad=2)
    axes.set_title(association_text(pair.found), loc="left", color=INK, fontsize=8, pad=5)
    label_points(axes, [(point.accuracy, point.learnt) for point in points], [point.distance for point in points])


def association_text(found: Association) -> str:
    """As in ``Spearman's ρ = +0.61, p = 0.02, 12 distances``."""
    if found.rho is None or found.p is None:
        return f"no rank correlation: all equal, {found.n} distances"
    return f"Spearman's ρ = {found.rho:+.2f}, p = {found.p:.2g}, {found.n} distances".replace("-", "−")


def _caption(board: Board, study: Study, pair: Pair) -> str:
    return (
        f"{len(pair.points)} distances that were ranked ({board.title}, {len(board.tasks)} tasks) and trained with "
        f"({study.task}: {study.title}; seeds {', '.join(map(str, study.seeds))}; bars: 95 % t-intervals over seeds, "
        "cut where they leave the panel). "
        "p: two-sided permutation test, without correction for several tests. The pair named in advance is the worst "
        f"cell of pitch against raw pitch accuracy in the condition {PRIMARY_CONDITION} on the path {PRIMARY_PATH}; "
        "all others explore."
    )
