"""Training in detail, as Markdown: differences within seeds, errors of each harmonic, every pair of two figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .figure_foretelling import RANKINGS
from .publication import Publication
from .ranking_and_training import Pair, associations
from .record import Record
from .seed_intervals import SeedMean, seed_mean
from .studies import LABELS, Study
from .training_answer import comparable
from .training_comparison import METRICS, NONE, PAPER
from .training_text import difference_text

OF_EACH = "harmonic_db_level_free_of_each"
"""The metric that has a figure for each harmonic."""
_ROWS = {**RANKINGS, "minimum": "worst cell"}
SIGNIFICANT = 0.05
FEWEST = 5
"""Distances of a pair that is shown: of fewer, no order at all would be unlikely enough by chance."""


def differences_markdown(study: Study) -> str:
    """What each loss changes against the paper's own objective, within seeds; empty if no two share a seed.

    A line an arm: mean difference and its 95 % t-interval over seeds, bold where the interval leaves 0 out.
    """
    arms = [arm for arm in study.arms if arm.arm.loss != PAPER and arm.against_paper]
    names = [name for name in METRICS if any(name in arm.against_paper for arm in arms)]
    if not arms:
        return ""
    heads = [f"{_label(name)} {'↑' if METRICS[name] else '↓'}" for name in names]
    lines = [
        f"**{study.title}**",
        "",
        f"| loss | seeds | {' | '.join(heads)} |",
        f"|---|--:|{'--:|' * len(heads)}",
    ]
    for arm in arms:
        n = max(difference.n for difference in arm.against_paper.values())
        cells = " | ".join(_difference(arm.against_paper.get(name), n) for name in names)
        lines.append(f"| `{arm.arm.loss}` | {n} | {cells} |")
    return "\n".join(lines) + "\n"


def harmonics_markdown(study: Study) -> str:
    """The mean error of each harmonic in dB, level-free, means over seeds; empty if no loss has any.

    Only of arms that are right about pitch in about as many frames as the paper's own objective: others are judged on
    other, easier frames.
    """
    paper = next((result for result in study.arms if result.arm.loss == PAPER), None)
    rows = {
        result.arm.loss: found
        for result in study.arms
        if paper is not None
        and comparable(result, paper)
        and (found := _of_each([study.runs[result.arm][seed] for seed in result.seeds]))
    }
    if not set(rows) - {PAPER, NONE}:
        return ""
    harmonics = sorted({harmonic for of_one in rows.values() for harmonic in of_one})
    if not harmonics:
        return ""
    lines = [
        f"**{study.title}**",
        "",
        f"| loss | {' | '.join(map(str, harmonics))} |",
        f"|---|{'--:|' * len(harmonics)}",
    ]
    for loss, of_one in rows.items():
        cells = (f"{of_one[harmonic]:.1f}" if harmonic in of_one else "–" for harmonic in harmonics)
        lines.append(f"| `{loss}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def pairs_markdown(publication: Publication) -> str:
    """Spearman's ρ of every figure of a ranking with every one of a training, a table for each study; or a line."""
    tables: list[str] = []
    for study in publication.studies:
        ranking = publication.ranking_of(study)
        pairs = associations(ranking[1], study.arms) if ranking else []
        pairs = [pair for pair in pairs if pair.found.n >= FEWEST]
        if ranking and pairs:
            tables.append(_pairs(f"**{study.title}**; ranking: {ranking[0].title}", pairs))
    return "\n".join(tables) or f"No {FEWEST} distances have been both ranked and trained with yet.\n"


def _pairs(title: str, pairs: list[Pair]) -> str:
    found = {(pair.ranking, pair.training): pair for pair in pairs}
    trainings = [name for name in METRICS if any(pair.training == name for pair in pairs)]
    rankings = [*_ROWS, *sorted({pair.ranking for pair in pairs} - set(_ROWS))]
    corrected = [pair.holm for pair in pairs if pair.holm is not None]
    lines = [
        title,
        "",
        f"| sign accuracy | {' | '.join(_label(name) for name in trainings)} |",
        f"|---|{'--:|' * len(trainings)}",
    ]
    for ranking in rankings:
        cells = " | ".join(_rho(found.get((ranking, training))) for training in trainings)
        lines.append(f"| {_ROWS.get(ranking, ranking.replace('_', ' '))} | {cells} |")
    least = (
        f"; the smallest corrected p of {len(corrected)} exploratory pairs: {min(corrected):.2g}" if corrected else ""
    )
    n = " or ".join(map(str, sorted({pair.found.n for pair in pairs})))
    lines += [
        "",
        f"{n} distances. Signed so that + is better with better{least}. "
        "†: named in advance; **bold**: corrected p < .05.",
    ]
    return "\n".join(lines) + "\n"


def _rho(pair: Pair | None) -> str:
    if pair is None or pair.found.rho is None:
        return "–"
    text = f"{pair.found.rho:+.2f}".replace("-", "−")
    if pair.holm is not None and pair.holm < SIGNIFICANT:
        text = f"**{text}**"
    return f"{text}†" if pair.primary else text


def _label(metric: str) -> str:
    label, unit = LABELS[metric]
    return f"{label} ({unit})" if unit else label


def _difference(mean: SeedMean | None, seeds: int) -> str:
    """A cell; one that rests on fewer seeds than the row says so."""
    if mean is None:
        return "–"
    text = difference_text(mean.value, mean.low, mean.high)
    return text if mean.n == seeds else f"{text}, {mean.n} of {seeds} seeds"


def _of_each(records: list[Record]) -> Mapping[int, float]:
    """Harmonic to its mean error over some runs, where every run has one."""
    by_run: list[dict[int, float]] = []
    for record in records:
        rows: Any = record.metrics.get(OF_EACH) or []
        by_run.append({int(row["harmonic"]): float(row["value"]) for row in rows if row["value"] is not None})
    shared = set.intersection(*map(set, by_run)) if by_run else set[int]()
    return {harmonic: seed_mean([run[harmonic] for run in by_run]).value for harmonic in sorted(shared)}
