"""What the command line shows of a training: a bar while it goes on, and a table when it has ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from ..bassnet.training import Progress as TrainingProgress
from ..results.record import Record

SHOWN = {
    "loss": "loss",
    "spectral": "spectral",
    "f0": "f0",
    "level": "level",
    "onset": "onset",
    "kl": "KL",
    "cross_kl": "cross KL",
}
"""The terms of the objective, and how they are called."""


class _TimeLeft(ProgressColumn):
    """What training says of the time that is left: it knows its limits."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("seconds_left")
        return Text("until it stops improving" if left is None else f"{clock(left)} left", style="progress.remaining")


@contextmanager
def training_bar(limit_steps: int | None, limit_seconds: float | None) -> Generator[Callable[[TrainingProgress], None]]:
    """A bar with the latest losses and the time left, on a terminal; nothing elsewhere.

    Args:
        limit_steps: that end the training; None without such a limit.
        limit_seconds: likewise; the bar shows them if there is no limit of steps.

    Yields:
        What is called after every step.
    """
    if not sys.stderr.isatty():
        yield lambda _progress: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=8),
        TextColumn("{task.fields[done]}"),
        _TimeLeft(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=limit_steps or limit_seconds, done="", seconds_left=None)

        def report(progress: TrainingProgress) -> None:
            bar.update(
                shown,
                description=losses(progress.validation),
                completed=progress.step if limit_steps else progress.seconds,
                done=f"{progress.step}" + (f"/{limit_steps}" if limit_steps else " steps"),
                seconds_left=progress.seconds_left,
            )

        yield report


def losses(validation: Mapping[str, float]) -> str:
    """The validation losses in a few words: 80 columns hold them, the bar and the time left."""
    if not validation:
        return "first mini-epoch"
    digits = {"loss": 2, "f0": 2, "level": 2, "onset": 3, "kl": 1}
    return " ".join(f"{SHOWN[name]} {validation[name]:.{places}f}" for name, places in digits.items())


def clock(seconds: float) -> str:
    """As 1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def training_table(records: Sequence[Record]) -> Table:
    """The validation losses of trained models."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("loss", overflow="fold")
    terms = [name for name in SHOWN if name != "cross_kl"]
    for name in terms:
        table.add_column(f"validation\n{SHOWN[name]}", justify="right", no_wrap=True)
    for heading in ("best step", "steps", "windows/s", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in records:
        metrics = record.metrics
        table.add_row(
            record.distance.name,
            *(f"{metrics['validation'][name]:.3f}" for name in terms),
            str(metrics["best_step"]),
            str(metrics["steps"]),
            f"{metrics['windows_per_second']:.0f}",
            clock(metrics["training_seconds"]),
        )
    return table
