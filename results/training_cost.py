"""What training with each loss costs: time a step, and memory, from the records of kind ``training``."""

from __future__ import annotations

from collections.abc import Sequence

from .record import Record
from .seed_intervals import SeedMean, seed_mean
from .training_comparison import PAPER, SHARED, ArmName, arm_of, setting

KIND = "training"


def training_cost_markdown(records: Sequence[Record]) -> str:
    """A table for each condition, path and setting; one line a loss, the cheapest first; empty without any.

    Time is of a whole step, the mean over seeds, and by that of the paper's own objective on the same machines. Memory
    is the largest that the process ever had in which an arm was trained and judged, so a bound for the arm.

    Args:
        records: of any kinds; answers of kind ``training`` that are arms of a comparison are used.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if record.kind == KIND and record.status == "ok" and record.metrics.get("milliseconds_per_step"):
            params = record.task.params
            if params.get("condition") and params.get("start_steps"):
                alike = (*(str(setting(params, name)) for name in SHARED), str(params["condition"]))
                groups.setdefault(alike, []).append(record)
    return "\n".join(_table(group) for _, group in sorted(groups.items()))


def _table(records: Sequence[Record]) -> str:
    arms: dict[ArmName, list[Record]] = {}
    for record in records:
        arms.setdefault(arm_of(record), []).append(record)
    steps = {arm: seed_mean([one.metrics["milliseconds_per_step"] for one in of_arm]) for arm, of_arm in arms.items()}
    paper = next((mean.value for arm, mean in steps.items() if arm.loss == PAPER), None)
    first = records[0].task.params
    lines = [
        f"**{first['condition']}, path {first['path']}, preset {first['preset']}, {first['segments']} segments of "
        f"{first['segment_seconds']} s a step**",
        "",
        "| loss | seeds | ms a step | times the paper's objective | process memory, at most (MiB) |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [_line(arm, arms[arm], mean, paper) for arm, mean in sorted(steps.items(), key=lambda one: one[1].value)]
    return "\n".join(lines) + "\n"


def _line(arm: ArmName, records: Sequence[Record], mean: SeedMean, paper: float | None) -> str:
    ratio = "–" if paper is None else f"{mean.value / paper:.1f}"
    memory = [one.peak_memory_mib for one in records if one.peak_memory_mib is not None]
    most = f"{max(memory):.0f}" if memory else "–"
    return f"| `{arm.loss}` | {len(records)} | {mean.value:.0f} | {ratio} | {most} |"
