"""The command ``train``: a model from options, and the record of how it was trained."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..bassnet.config import BassNetConfig, preset
from ..bassnet.dataset import Dataset, open_dataset
from ..bassnet.features import FeatureSet, features
from ..bassnet.model import parameters_in
from ..bassnet.processes import Processes, among_launched
from ..bassnet.run import Run
from ..bassnet.split import Split, split_songs
from ..bassnet.trainer import DivergedError, Trainer
from ..bassnet.training import train
from ..results.environment import environment, peak_memory_mib, revision
from ..results.record import Record, Status, TaskIdentity, record_key
from ..results.store import RecordStore
from ..results.training_comparison import NONE, PAPER
from . import screens
from .answers import reason_of, stored
from .evaluations import TASK, VERSION
from .identity import identify_loss
from .rank_run import print_json
from .resources import opened
from .screen_training import training_bar, training_table

KIND = "training"
"""Of the record."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What ``tonedeaf train`` was told; the fields are its options."""

    data: Path
    preset: str = "tiny"
    loss: Literal["paper", "none"] = "paper"
    ablation: bool = False
    seed: int | None = None
    steps: int | None = None
    seconds: float | None = None
    device: str = "auto"
    resume: bool = False
    out: Path
    debug: bool = False

    @property
    def config(self) -> BassNetConfig:
        """The preset, with what was said beside it.

        Raises:
            ValueError: if there is no such preset, or a value cannot be.
        """
        chosen = preset(self.preset)
        objective, training = chosen.objective, chosen.training
        if self.loss == NONE:
            objective = replace(objective, spectral_weight=0.0)
        if self.ablation:
            objective = replace(objective, cross_reconstruction=False)
        said = {"seed": self.seed, "max_steps": self.steps, "max_seconds": self.seconds}
        training = replace(training, **{name: value for name, value in said.items() if value is not None})
        return replace(chosen, objective=objective, training=training)


def run(options: TrainOptions, *, as_json: bool) -> int:
    """Train, print, and return the exit status: 1 if training diverged.

    Raises:
        ValueError: if the call is wrong, or the data or the run in the folder are of no use for it.
        OSError: if the disk is full; the last checkpoint is kept.
    """
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        with opened(options.device, "512MiB") as resources:
            processes = among_launched(resources.device)
        record = _record(options, options.config, processes)
    if not processes.main:
        return 0
    if as_json:
        print_json([record])
    elif record.status == "ok":
        console = screens.out()
        console.print(training_table([record]))
        console.print(f"run: {options.out}; judge it by tonedeaf evaluate {options.out}", markup=False)
    else:
        screens.note(f"error: {record.reason}")
    return 0 if record.status == "ok" else 1


def _record(options: TrainOptions, config: BassNetConfig, processes: Processes) -> Record:
    """The record of a training: the one in the run's folder, or a new one."""
    dataset = open_dataset(options.data)
    share, seed = config.training.validation_share, config.training.seed
    split = split_songs(dataset.groups, share=share, seed=seed)
    question = _question(options, config, dataset)
    store = RecordStore(options.out)
    found = stored(store, question["key"])
    if found is not None:
        return found
    started, clock = datetime.now(UTC), time.perf_counter()
    metrics: dict[str, Any] = {}
    status: Status = "ok"
    reason: str | None = None
    try:
        metrics = _metrics(_trained(options, config, dataset, split, processes), split, processes)
    except DivergedError as error:
        if options.debug:
            raise
        status, reason = "failed", reason_of(error)
    record = Record(
        **question,
        status=status,
        reason=reason,
        metrics=metrics,
        artefacts=(),
        seconds=round(time.perf_counter() - clock, 3),
        peak_memory_mib=peak_memory_mib(),
        environment=environment(str(processes.device)),
        revision=revision(),
        started=started,
    )
    return store.write(record) if processes.main else record


def _trained(options: TrainOptions, config: BassNetConfig, dataset: Dataset, split: Split, processes: Processes) -> Run:
    limits = config.training.max_steps, config.training.max_seconds
    with screens.progress_bar(len(dataset), "songs") if processes.main else nullcontext(_quiet) as bar:
        if not processes.main:
            processes.wait()  # the main process fills the cache

        def of(songs: list[int]) -> FeatureSet:
            return features(
                dataset,
                config.cqt,
                device=processes.device,
                songs=songs,
                progress=lambda done: bar("features", done),
            )

        training, validation = of(split.training), of(split.validation)
        if processes.main:
            processes.wait()
    with training_bar(*limits) if processes.main else nullcontext(None) as report:
        return train(
            config,
            training,
            validation,
            options.out,
            about=_about(options, dataset),
            resume=options.resume,
            progress=report,
            processes=processes,
        )


_quiet: Callable[[str, int], None] = lambda _name, _done: None  # noqa: E731


def _about(options: TrainOptions, dataset: Dataset) -> dict[str, Any]:
    """What a run was trained on and with, for its folder."""
    where = {
        "folder": str(dataset.folder.resolve()),
        "dataset": dataset.manifest.dataset,
        "digest": dataset.digest,
    }
    return {"dataset": where, "preset": options.preset, "loss": options.loss, "condition": None, "path": None}


def _metrics(run: Run, split: Split, processes: Processes) -> dict[str, Any]:
    windows = run.steps * run.config.training.batch
    return {
        "validation": dict(run.validation),
        "best_step": run.step,
        "steps": run.steps,
        "training_seconds": run.seconds,
        "windows_per_second": windows / run.seconds,
        "parameters": parameters_in(run.model),
        "voicing_threshold": run.threshold,
        "training_songs": len(split.training),
        "validation_songs": len(split.validation),
        "processes": processes.count,
    }


def _question(options: TrainOptions, config: BassNetConfig, dataset: Dataset) -> dict[str, Any]:
    """The fields of the record that say what was asked."""
    identity, digest = identify_loss(options.loss, [Trainer])
    params = {
        "dataset": dataset.manifest.dataset,
        "digest": dataset.digest,
        "renderer": dataset.manifest.renderer.name,
        "preset": options.preset,
        "config": config.to_json(),
    }
    task = TaskIdentity(name=TASK, version=VERSION, params=params)
    seed = config.training.seed
    key = record_key(
        kind=KIND, distance=identity, task=task, seed=seed, trials=None, weights=None, source_digest=digest
    )
    return {"kind": KIND, "distance": identity, "task": task, "seed": seed, "trials": None, "key": key}


__all__ = ["NONE", "PAPER", "TrainOptions", "run"]
