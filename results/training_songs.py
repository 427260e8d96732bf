"""Losses of a study against each other, over the songs and seeds that judged them, as Markdown."""

from __future__ import annotations

from collections.abc import Callable

from .songs_and_seeds import Interval, interval, parts_of
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
    anew (:mod:`.songs_and_seeds`); bold where one leaves 0 out.

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
    better = "more" if metric == "raw_pitch_accuracy" else "less"
    lines = [
        f"**{study.title}**",
        "",
        f"| loss | {label}{f' ({unit})' if unit else ''} | {' | '.join(f'against `{loss}`' for loss in others)} |",
        f"|---|--:|{'--:|' * len(others)}",
    ]
    for loss, own in known.items():
        cells = ["–" if loss == one else _shown(interval(own, known[one]), difference_text) for one in others]
        lines.append(f"| `{loss}` | {_shown(interval(own), value_text)} | {' | '.join(cells)} |")
    songs = next(iter(known.values()))
    which = "the same" if songs.crossed else "other"
    seeds, songs = known[PAPER].sums.shape
    which = f"the same {songs} songs" if known[PAPER].crossed else f"{songs} songs of its own"
    lines += ["", f"{better.capitalize()} is better. {seeds} seeds, each judged on {which}."]
    return "\n".join(lines) + "\n"


def _shown(found: Interval | None, text: Callable[[float, float, float], str]) -> str:
    return "–" if found is None else text(found.value, found.low, found.high)
