"""The suite's question: does a distance that ranks well train well?

One pair of figures was named before any arm was trained, the **primary pair**: the worst pitch cell of the ladder,
against the raw pitch accuracy of the arm in the condition ``audio-only``, on the path ``marginal`` (then the usual
one). Every other pair of a ranking's and a training's figure is exploratory, and corrected for how many there are
(Holm).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from .leaderboard import Standing
from .rank_association import Association, association, holm
from .training_comparison import METRICS, NONE, PAPER, ArmResult

PRIMARY_RANKING, PRIMARY_TRAINING = "pitch_minimum", "raw_pitch_accuracy"
PRIMARY_CONDITION, PRIMARY_PATH = "audio-only", "marginal"
FEWEST = 3
"""Distances that a rank correlation needs; the design asks for 12."""


@dataclass(frozen=True)
class Pair:
    """A figure of rankings and one of trainings, over the distances that have both.

    Attributes:
        condition: of the trainings.
        path: to f0, of the trainings.
        ranking: name of the ranking's figure.
        training: name of the training's.
        points: distance to the two figures; the training's is signed so that more is better.
        found: their rank correlation, over all but the variants.
        holm: its p corrected for all exploratory pairs; None for the primary pair, and where there is no p.
    """

    condition: str
    path: str
    ranking: str
    training: str
    points: Mapping[str, tuple[float, float]]
    found: Association
    holm: float | None = None

    @property
    def variants(self) -> set[str]:
        """Those that are another of the distances with other parameters (``mss[power=2]``): no distances more."""
        return variants(self.points)

    @property
    def primary(self) -> bool:
        """Whether it is the pair that was named in advance."""
        ours = self.ranking, self.training, self.condition, self.path
        return ours == (PRIMARY_RANKING, PRIMARY_TRAINING, PRIMARY_CONDITION, PRIMARY_PATH)


def variants(names: Collection[str]) -> set[str]:
    """Which names are variants of another one among them."""
    return {name for name in names if name.endswith("]") and name.partition("[")[0] in names}


def ranking_figures(standing: Standing) -> dict[str, float]:
    """What a leaderboard says of a distance: its worst cells, its mean, and the mean of each column over the tasks."""
    figures = {
        PRIMARY_RANKING: standing.pitch_minimum,
        "minimum": standing.minimum,
        "mean": standing.mean,
    }
    for column in sorted({column for _, column in standing.cells}):
        values = [value for (_, name), value in standing.cells.items() if name == column]
        figures[column] = sum(values) / len(values)
    return figures


def associations(standings: Sequence[Standing], arms: Sequence[ArmResult]) -> list[Pair]:
    """Every pair: the primary one first (if its arms are there), then the exploratory ones, the surest first.

    Distances without every cell, baselines and arms without an answer take no part. Variants of a distance that is
    there are among the points, but not in the correlation: they are not independent of it, and who tries many of one
    would outvote the others; and one that was designed on what a pair had shown must not test that pair.

    Args:
        standings: of the distances, on the same tasks.
        arms: of :func:`~tonedeaf.results.training_comparison.compare_arms`.
    """
    ranked = {standing.distance: ranking_figures(standing) for standing in standings if standing.complete}
    columns = sorted({name for figures in ranked.values() for name in figures})
    pairs: list[Pair] = []
    with_distances = [result for result in arms if result.arm.loss not in (PAPER, NONE) and result.seeds]
    for condition, path in sorted({(result.arm.condition, result.arm.path) for result in with_distances}):
        trained = {
            result.arm.loss: result
            for result in with_distances
            if (result.arm.condition, result.arm.path) == (condition, path)
        }
        for ranking in columns:
            for training, more_is_better in METRICS.items():
                points = {
                    name: (ranked[name][ranking], result.metrics[training].value * (1 if more_is_better else -1))
                    for name, result in trained.items()
                    if ranking in ranked.get(name, {}) and training in result.metrics
                }
                counted = [point for name, point in points.items() if name not in variants(points)]
                if len(counted) >= FEWEST:
                    ours, theirs = zip(*counted, strict=True)
                    pairs.append(Pair(condition, path, ranking, training, points, association(ours, theirs)))
    return [*(pair for pair in pairs if pair.primary), *_corrected([pair for pair in pairs if not pair.primary])]


def _corrected(pairs: Sequence[Pair]) -> list[Pair]:
    tested = [pair for pair in pairs if pair.found.p is not None]
    corrected = holm([pair.found.p for pair in tested if pair.found.p is not None])
    found = [replace(pair, holm=p) for pair, p in zip(tested, corrected, strict=True)]
    return sorted(found, key=lambda pair: (pair.found.p or 0.0, pair.condition, pair.ranking, pair.training))
