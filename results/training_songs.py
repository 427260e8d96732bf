"""Losses of a study against each other, over the songs and seeds that judged them, as Markdown."""

from __future__ import annotations

from .seed_intervals import paired_difference
from .songs_and_seeds import Parts, interval, of_seeds, parts_of
from .studies import LABELS, Study
from .training_answer import comparable
from .training_comparison import PAPER
from .training_text import difference_text, value_text

COMMON = ("log_mss", "mss", "spectrogram")
"""What is commonly trained with, and a new distance has to be better than."""


def songs_markdown(study: Study) -> str:
    """What each loss taught, and by how much that is better than what the paper's objective and common losses taught.

    Pitch where a loss has to teach pitch; in ``replace``, where pitch is supervised, the harmonics' level-free error,
    of losses that were judged on about as many frames as the paper's objective. Intervals: 95 %, songs and seeds drawn
    anew (:mod:`.songs_and_seeds`); bold where it leaves 0 out, and the t-interval over seeds does, too.

    Returns:
        Markdown that ends with a newline; empty if the records do not tell songs apart.
    """
    metric = "harmonic_db_level_free" if study.condition == "replace" else "raw_pitch_accuracy"
    paper = next((arm for arm in study.arms if arm.arm.loss == PAPER), None)
    if paper is None:
        return ""
    arms = [arm for arm in study.arms if arm.seeds == paper.seeds]
    if study.condition == "replace":
        arms = [arm for arm in arms if comparable(arm, paper)]
    parts = {arm.arm.loss: parts_of(study.runs[arm.arm], arm.seeds, metric) for arm in arms}
    known = {loss: found for loss, found in parts.items() if found is not None and interval(found) is not None}
    others = [loss for loss in (PAPER, *COMMON) if loss in known]
    if PAPER not in known or len(known) < 2:
        return ""
    label, unit = LABELS[metric]
    better = "More" if metric == "raw_pitch_accuracy" else "Less"
    lines = [
        f"**{study.title}**",
        "",
        f"| loss | {label}{f' ({unit})' if unit else ''} | {' | '.join(f'against `{loss}`' for loss in others)} |",
        f"|---|--:|{'--:|' * len(others)}",
    ]
    for loss, own in known.items():
        found = interval(own)
        value = "–" if found is None else value_text(found.value, found.low, found.high)
        cells = ["–" if loss == other else _against(own, known[other]) for other in others]
        lines.append(f"| `{loss}` | {value} | {' | '.join(cells)} |")
    seeds, songs = known[PAPER].sums.shape
    which = f"the same {songs} songs" if known[PAPER].crossed else f"{songs} songs of its own"
    number = f"{seeds} seed{'s' if seeds > 1 else ', which tells nothing about others'}"
    lines += ["", f"{better} is better. {number}, each judged on {which}; no correction for so many comparisons."]
    if left_out := [f"`{arm.arm.loss}`" for arm in study.arms if arm.arm.loss not in known]:
        lines += [
            "",
            f"Left out, for lack of comparable frames, of a seed or of newer records: {', '.join(left_out)}.",
        ]
    return "\n".join(lines) + "\n"


def _against(ours: Parts, theirs: Parts) -> str:
    """A difference; bold where its interval and the t-interval over seeds, the songs as they are, both leave 0 out."""
    found, over_seeds = interval(ours, theirs), paired_difference(of_seeds(ours), of_seeds(theirs))
    if found is None:
        return "–"
    text = difference_text(found.value, found.low, found.high)
    ends = (None, None) if over_seeds is None else (over_seeds.low, over_seeds.high)
    sure = ends[0] is not None and ends[1] is not None and (ends[0] > 0 or ends[1] < 0)
    return text if sure else text.strip("*")
