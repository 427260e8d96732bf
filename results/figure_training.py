# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""What a model learnt with each loss: a row an arm, a panel a metric, a dot a seed, a bar the mean's interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .panels import Sizes, small_multiples
from .seed_intervals import SeedMean
from .studies import BASELINES, LABELS, Study
from .style import FAINT_INK, INK, colour, styled
from .training_comparison import METRICS

SHOWN = (
    "raw_pitch_accuracy",
    "raw_chroma_accuracy",
    "median_cents",
    "octave_errors",
    "harmonic_db",
    "harmonic_db_level_free",
)
"""The metrics of the figure, those that a study has."""
_ROW = 0.2
_DECADES = 100
"""Values that differ by more than this factor are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class ArmRow:
    """One arm in one panel: its loss, its label, the value of each seed, and their mean with its interval."""

    distance: str
    label: str
    values: tuple[float, ...]
    mean: SeedMean


def training_rows(study: Study, metric: str) -> list[ArmRow | None]:
    """What a panel shows, in the order of the study's arms; None for an arm without the metric."""
    rows: list[ArmRow | None] = []
    for arm in study.arms:
        values, mean = study.values(arm, metric), arm.metrics.get(metric)
        rows.append(mean and ArmRow(arm.arm.loss, arm.arm.loss, tuple(values.values()), mean))
    return rows


def figure_training(study: Study) -> Figure:
    """Draw a study; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Raises:
        ValueError: if the study has none of the metrics that are shown.
    """
    metrics = [name for name in SHOWN if name in study.metrics]
    if not metrics:
        raise ValueError(f"the study {study.title} has none of {', '.join(SHOWN)}")
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    names = [arm.arm.loss for arm in study.arms]
    longest = max(map(len, names))
    sizes = Sizes(
        panel=(1.9, _ROW * (len(study.arms) + 0.6)), left=0.25 + 0.068 * longest, between=0.22, above=0.3, below=0.36
    )
    with styled():
        figure, axes = small_multiples(
            rows, columns, sizes, title="What the model learnt with each loss", caption=_caption(study)
        )
        panels = [panel for row in axes for panel in row]
        for number, panel in enumerate(panels):
            if number >= len(metrics):
                panel.set_axis_off()
                continue
            _draw(panel, training_rows(study, metrics[number]), metrics[number])
            panel.set_yticks(range(len(names)), names if number % columns == 0 else [""] * len(names))
    return figure


def _draw(axes: Axes, rows: Sequence[ArmRow | None], name: str) -> None:
    label, unit = LABELS[name]
    axes.set_ylim(len(rows) - 0.4, -0.6)
    for place, row in enumerate(rows):
        if row is None:
            axes.text(0.02, place, "–", transform=axes.get_yaxis_transform(), va="center", color=FAINT_INK)
            continue
        ink = colour(row.distance)
        if row.distance in BASELINES:
            axes.axvline(row.mean.value, color=ink, lw=0.6, ls=(0, (1, 2)), zorder=0)
        axes.plot(row.values, [place] * len(row.values), "o", ms=2.6, mfc="none", mec=ink, mew=0.7, zorder=3)
        if row.mean.low is not None and row.mean.high is not None:
            axes.plot([row.mean.low, row.mean.high], [place] * 2, color=ink, lw=1.6, alpha=0.75, zorder=2)
        axes.plot([row.mean.value], [place], "|", ms=7, mew=1.6, color=ink, zorder=4)
    _scale(axes, [value for row in rows if row is not None for value in row.values])
    more = METRICS[name]
    better = "→ better" if more else "← better"
    axes.set_title(f"{label} ({unit})" if unit else label, loc="left", color=INK, fontweight="bold", fontsize=8, pad=4)
    axes.set_xlabel(better, loc="right" if more else "left", color=FAINT_INK, labelpad=1)
    axes.tick_params(length=2.5, width=0.6, pad=2)
    axes.grid(axis="y", color="#eeeeee", lw=0.5)
    axes.set_axisbelow(True)


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """Show all seeds; intervals, which few seeds make as wide as anything, may be cut off."""
    low, high = min(values), max(values)
    if low > 0 and high > _DECADES * low:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.3, high * 1.3)
        axes.minorticks_off()
    else:
        room = 0.06 * (high - low or 1.0)
        axes.set_xlim(low - room, high + room)


def _caption(study: Study) -> str:
    failed = f" Without an answer: {'; '.join(study.failed)}." if study.failed else ""
    return (
        f"{study.task} (version {study.version}): {study.title}; seeds {', '.join(map(str, study.seeds))}. Circle: one "
        "seed; stroke: their mean; bar: its 95 % t-interval over seeds, cut where it leaves the panel. Dotted: the "
        "baselines, BassNet's own objective (paper) and no spectral term (none). Equal initial weights and batches "
        f"within a seed.{failed}"
    )
