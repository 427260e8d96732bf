"""What ``tonedeaf swap`` shows: the arms side by side, and whether ranking foretold them."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ..results.ranking_and_training import PRIMARY_RANKING, PRIMARY_TRAINING, Pair
from ..results.seed_intervals import SeedMean
from ..results.training_comparison import METRICS, ArmResult

SHOWN = {
    "raw_pitch_accuracy": ("raw pitch\naccuracy", 3),
    "raw_chroma_accuracy": ("raw chroma\naccuracy", 3),
    "octave_errors": ("octave\nerrors", 3),
    "harmonic_db": ("harmonics\ndB", 2),
    "harmonic_db_level_free": ("level-free\ndB", 2),
    "level_db": ("level\ndB", 2),
    "qda_accuracy": ("QDA\nof z", 3),
}
"""The metrics that fit a terminal, their headings and digits; the records hold all of them."""


def arms_table(results: Sequence[ArmResult]) -> Table:
    """One condition's arms; the best of each metric is bold, an interval stands where there are several seeds."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("loss", overflow="fold")
    table.add_column("seeds", justify="right")
    for heading, _ in SHOWN.values():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("seconds", justify="right")
    best = {
        name: (max if METRICS[name] else min)(values)
        for name in SHOWN
        if (values := [result.metrics[name].value for result in results if name in result.metrics])
    }
    for result in results:
        cells = [
            Text(_mean(result.metrics[name], digits), style="bold" if result.metrics[name].value == best[name] else "")
            if name in result.metrics
            else Text("–")
            for name, (_, digits) in SHOWN.items()
        ]
        seconds = f"{result.seconds.value:.0f}" if result.seconds else "–"
        table.add_row(Text(result.arm.loss), str(len(result.seeds)), *cells, seconds)
    return table


def arms_notes(results: Sequence[ArmResult]) -> list[str]:
    """What the table leaves out: runs without an answer, and what the intervals are."""
    notes = [
        f"{result.arm.loss}, seed {seed}: {reason}" for result in results for seed, reason in result.failed.items()
    ]
    if any(len(result.seeds) > 1 for result in results):
        notes.append("±: half of the 95 % t-interval over seeds")
    return notes


def association_lines(pairs: Sequence[Pair], *, most: int = 5) -> list[str]:
    """The primary pair, the same pair of figures in other studies, and the surest of all exploratory ones."""
    lines = [f"primary: {_association(pair)}" for pair in pairs if pair.primary]
    exploratory = [pair for pair in pairs if not pair.primary]
    named = (PRIMARY_RANKING, PRIMARY_TRAINING)
    lines += [f"exploratory: {_association(one)}" for one in exploratory if (one.ranking, one.training) == named]
    if exploratory:
        lines.append(f"the surest of {len(exploratory)} exploratory pairs (p corrected by Holm):")
        lines.extend(f"  {_association(pair)}" for pair in exploratory[:most])
    return lines


def _association(pair: Pair) -> str:
    rho, p = pair.found.rho, pair.found.p if pair.holm is None else pair.holm
    found = "no correlation: all are equal" if rho is None else f"Spearman {rho:+.2f}, p = {p:.3g}"
    corrected = "" if pair.holm is None else " (corrected)"
    where = f"{pair.condition}, path {pair.path}"
    return f"{pair.ranking} and {pair.training} ({where}): {found}{corrected} over {pair.found.n} distances"


def _mean(mean: SeedMean, digits: int) -> str:
    width = "" if mean.half_width is None else f" ±{mean.half_width:.{digits}f}"
    return f"{mean.value:.{digits}f}{width}"
