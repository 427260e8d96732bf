"""Training as Markdown: what a model learnt with each loss, and whether ranking foretold it."""

from __future__ import annotations

from .figure_foretelling import RANKINGS, shown_pairs
from .publication import Publication
from .seed_intervals import SeedMean
from .studies import LABELS, Study
from .training_comparison import METRICS


def study_markdown(study: Study) -> str:
    """One line an arm, with means and 95 % t-intervals over seeds; ends with a newline."""
    heads = [_heading(name) for name in study.metrics]
    lines = [
        f"**{study.task}: {study.title}**; seeds {', '.join(map(str, study.seeds))}{_judged_on(study)}",
        "",
        f"| loss | seeds | {' | '.join(heads)} |",
        f"|---|--:|{'--:|' * len(heads)}",
    ]
    for arm in study.arms:
        cells = " | ".join(mean_text(arm.metrics.get(name)) for name in study.metrics)
        lines.append(f"| `{arm.arm.loss}` | {len(arm.seeds)} | {cells} |")
    if study.typical_timbre is not None:
        lines += [
            "",
            "Harmonics, level-free: the training songs' typical timbre, named without listening, errs by "
            f"{mean_text(study.typical_timbre)} dB over all voiced frames.",
        ]
    if study.failed:
        lines += ["", *(f"- {line}" for line in study.failed)]
    return "\n".join(lines) + "\n"


def _judged_on(study: Study) -> str:
    """How many held-out songs judge a run; nothing where the records do not say."""
    return f"; each judged on {' or '.join(map(str, study.songs))} held-out songs" if study.songs else ""


def _heading(metric: str) -> str:
    label, unit = LABELS[metric]
    return f"{label}{f' ({unit})' if unit else ''} {'↑' if METRICS[metric] else '↓'}"


def mean_text(mean: SeedMean | None) -> str:
    """A mean with its interval, as many digits as tell something; a dash without one."""
    return "–" if mean is None else value_text(mean.value, mean.low, mean.high)


def value_text(value: float, low: float | None, high: float | None) -> str:
    """The same of three numbers."""
    digits = 3 if abs(value) < 10 else 1
    text = f"{value:.{digits}f}"
    if low is None or high is None:
        return text
    return f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def difference_text(value: float, low: float | None, high: float | None) -> str:
    """A difference with its sign and its interval, bold if that leaves 0 out."""
    digits = 1 if abs(value) >= 10 else 3
    text = f"{value:+.{digits}f}".replace("-", "−")
    if low is None or high is None:
        return text
    text = f"{text} ({low:+.{digits}f} to {high:+.{digits}f})".replace("-", "−")
    return f"**{text}**" if low > 0 or high < 0 else text


def foretelling_markdown(publication: Publication) -> str:
    """Spearman's ρ of a board's figures with raw pitch accuracy, a line for each study and figure."""
    lines = [
        "| study | ranking | sign accuracy | Spearman's ρ with raw pitch accuracy | p | distances |",
        "|---|---|---|--:|--:|--:|",
    ]
    head = len(lines)
    for study in publication.studies:
        ranking = publication.ranking_of(study)
        for pair in shown_pairs(ranking[1], study) if ranking else []:
            if pair.found.rho is not None and pair.found.p is not None:
                named = ", named in advance" if pair.primary else ""
                cells = (
                    study.title,
                    ranking[0].title if ranking else "",
                    f"{RANKINGS[pair.ranking]}{named}",
                    f"{pair.found.rho:+.2f}",
                    f"{pair.found.p:.2g}",
                    str(pair.found.n),
                )
                lines.append(f"| {' | '.join(cells)} |")
    if len(lines) == head:
        return "No three distances have been both ranked and trained with yet.\n"
    return "\n".join(lines) + "\n"
