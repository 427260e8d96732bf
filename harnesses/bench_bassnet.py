"""BassNet on its artificial datasets (``make bench-bassnet``): over seeds, with and without cross-reconstruction.

Run as ``python -m tonedeaf.harnesses.bench_bassnet --out FOLDER``. Interrupted, it goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from ..bassnet.patterns import PATTERNS
from ..bassnet.run import load_run
from ..results.record import Record
from ..results.store import RecordStore
from . import data_run, screens
from .cli import run_command
from .evaluations import evaluation, judged
from .resources import AUTO, opened
from .screen_training import clock
from .train_run import TrainOptions, train_record

ABLATION = {"without": (False,), "with": (False, True), "only": (True,)}
COLUMNS = ("f0_cross_entropy", "raw_pitch_accuracy", "qda_accuracy")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model: how it was trained, and the records of that and of its evaluation (None if the training failed)."""

    dataset: str
    ablation: bool
    seed: int
    training: Record
    evaluation: Record | None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is to be trained: every dataset with every seed."""

    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    preset: str
    ablation: str
    songs: int
    renderer: str
    seconds: float | None
    device: str
    out: Path

    def run(self) -> list[Trained]:
        """Render, train, judge; what is there already is not made again."""
        found: list[Trained] = []
        for dataset in self.datasets:
            data = self.out / "data" / f"{dataset}-{self.renderer}-{self.songs}"
            data_run.run(
                data_run.DataOptions(dataset=dataset, songs=self.songs, renderer=self.renderer, out=data),
                as_json=False,
            )
            for without in ABLATION[self.ablation]:
                for seed in self.seeds:
                    name = f"{self.preset}-{dataset}-{seed}{'-ablation' if without else ''}"
                    options = TrainOptions(
                        data=data,
                        preset=self.preset,
                        ablation=without,
                        seed=seed,
                        seconds=self.seconds,
                        device=self.device,
                        resume=True,
                        out=self.out / name,
                    )
                    found.append(_trained(options, dataset, self.out))
                    screens.note(f"{name}: {_figures(found[-1])}")
        return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dataset", "datasets", multiple=True, default=[*PATTERNS], show_default=True, help="May be repeated.")
@click.option("--seed", "seeds", type=int, multiple=True, default=[0, 1, 2], show_default=True, help="May be repeated.")
@click.option("--preset", default="tiny", show_default=True, help="tiny, small or paper.")
@click.option(
    "--ablation",
    type=click.Choice([*ABLATION]),
    default="with",
    show_default=True,
    help="Whether to train without cross-reconstruction, too.",
)
@click.option("--songs", type=int, default=24, show_default=True, help="Of each dataset.")
@click.option("--renderer", default="additive", show_default=True, help="As of tonedeaf data.")
@click.option("--seconds", type=float, help="Of training, at most; then the best weights so far are judged.")
@click.option("--device", default="auto", show_default=True, help="auto takes a GPU if there is one.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/bench-bassnet"), show_default=True, help="Folder."
)
def bench_bassnet(**options: Any) -> int:
    """Render the datasets, train and judge a model for each seed, and print a table; records are kept."""
    bench = Bench(**options)
    found = bench.run()
    screens.out().print(table(found))
    screens.out().print(f"records: {bench.out}", markup=False)
    return 1 if any(each.evaluation is None for each in found) else 0


def _trained(options: TrainOptions, dataset: str, out: Path) -> Trained:
    """A model that is trained, and judged, unless it is there already."""
    store = RecordStore(out)
    training = store.write(train_record(options))
    judgement: Record | None = None
    if training.status == "ok":
        with opened(options.device, AUTO) as resources:
            run = load_run(options.out, device=resources.device)
            judgement = evaluation(judged(run, options.data), store, device=str(resources.device))
    return Trained(
        dataset=dataset,
        ablation=options.ablation,
        seed=options.config.training.seed,
        training=training,
        evaluation=judgement,
    )


def table(found: Sequence[Trained]) -> Table:
    """What came out."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("dataset")
    drawn.add_column("cross-\nreconstruction")
    for heading in ("seed", "f0 cross-\nentropy", "raw pitch\naccuracy", "quadratic\nclassifier", "steps", "training"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for each in found:
        seconds = each.training.metrics.get("training_seconds")
        drawn.add_row(
            each.dataset,
            "no" if each.ablation else "yes",
            str(each.seed),
            *(_value(each, name) for name in COLUMNS),
            str(each.training.metrics.get("steps", "–")),
            "failed" if seconds is None else clock(seconds),
        )
    return drawn


def _figures(one: Trained) -> str:
    return ", ".join(f"{name} {_value(one, name)}" for name in COLUMNS)


def _value(one: Trained, name: str) -> str:
    value = None if one.evaluation is None else one.evaluation.metrics[name]["value"]
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], bench_bassnet))
