"""The command ``train``: a model from options, and the record of how it was trained."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from ..bassnet.audio_term import LOGGED, AudioTerm, AudioTermConfig, Condition, Target
from ..bassnet.config import BassNetConfig, preset
from ..bassnet.dataset import Dataset, open_dataset
from ..bassnet.features import FeatureSet, features
from ..bassnet.history import read_history
from ..bassnet.model import parameters_in
from ..bassnet.paths import PATHS
from ..bassnet.processes import Processes, among_launched
from ..bassnet.run import Run
from ..bassnet.split import Split, split_songs
from ..bassnet.trainer import DivergedError, Trainer, initial_model
from ..bassnet.training import train
from ..results.environment import environment, peak_memory_mib, revision
from ..results.record import Record, Status, TaskIdentity, record_key
from ..results.store import RecordStore
from ..results.training_comparison import PAPER
from . import screens
from .answers import reason_of, stored
from .bassnet_losses import BASELINES, USUAL_PATHS, audio_term, config_with, distance_of, identify_loss
from .config_fields import check_set, with_fields
from .evaluations import TASK, VERSION
from .rank_run import print_json
from .resources import AUTO, opened
from .screen_training import training_bar, training_table

KIND = "training"
"""Of the record."""
_GO_ON = (
    "the last checkpoint is kept: go on by --resume when more memory is free, or begin another run with a smaller "
    "batch (--set training.batch=10)"
)


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What ``tonedeaf train`` was told; the fields are its options."""

    data: Path
    preset: str = "tiny"
    fields: tuple[str, ...] = ()
    loss: str = PAPER
    condition: Condition = "replace"
    path: str | None = None
    target: Target = "oracle"
    segments: int = 4
    segment_seconds: float = 0.5
    calibrate_every: int = 0
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
        """The preset, with its fields that were set, and what was said beside them.

        Raises:
            ValueError: if there is no such preset, or a value cannot be.
        """
        chosen = config_with(self.loss, self.term, with_fields(preset(self.preset), self.fields))
        objective, training = chosen.objective, chosen.training
        if self.loss not in BASELINES:
            training = replace(training, keep="last")  # the distance is no part of the validation loss
        if self.ablation:
            objective = replace(objective, cross_reconstruction=False)
        said = {"seed": self.seed, "max_steps": self.steps, "max_seconds": self.seconds}
        training = replace(training, **{name: value for name, value in said.items() if value is not None})
        if self.calibrate_every:
            for what, steps in (("a mini-epoch", training.steps_per_mini_epoch), ("a run", training.max_steps or 0)):
                if steps % self.calibrate_every:  # a run goes on from there, where scales have to be set
                    raise ValueError(
                        f"--calibrate-every must divide {what} ({steps} steps), got {self.calibrate_every}"
                    )
        config = replace(chosen, objective=objective, training=training)
        check_set(config, self.fields)
        return config

    @property
    def term(self) -> AudioTermConfig:
        """How a distance takes part.

        Raises:
            ValueError: if a value cannot be.
        """
        return AudioTermConfig(
            path=self.path or USUAL_PATHS[self.condition],
            condition=self.condition,
            target=self.target,
            segments=self.segments,
            segment_seconds=self.segment_seconds,
            calibrate_every=self.calibrate_every,
        )

    @property
    def how(self) -> dict[str, Any]:
        """What the run's folder and the record say of the distance's part; nothing for the baselines."""
        if self.loss in BASELINES:
            return {}
        said = asdict(self.term)
        if not self.calibrate_every:
            del said["calibrate_every"]  # older runs do not have it, and are the same
        return said


def run(options: TrainOptions, *, as_json: bool) -> int:
    """Train, print, and return the exit status: 1 if training diverged or memory was short.

    Raises:
        ValueError: if the call is wrong, or the data or the run in the folder are of no use for it.
        OSError: if the disk is full; the last checkpoint is kept.
    """
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        processes = _processes(options)
        record = _record(options, processes)
    if not processes.main:
        return 0
    if as_json:
        print_json([record])
    elif record.status == "ok":
        console = screens.out()
        console.print(training_table([record]))
        console.print(f"run: {options.out}; judge it by tonedeaf evaluate {options.out}", markup=False, soft_wrap=True)
    else:
        screens.note(f"error: {record.reason}")
    return 0 if record.status == "ok" else 1


def train_record(options: TrainOptions) -> Record:
    """Train, and return the record: the one in the run's folder if there is one, or a new one, written to it.

    Raises:
        ValueError: as :func:`run`.
        OSError: as :func:`run`.
    """
    return _record(options, _processes(options))


def _processes(options: TrainOptions) -> Processes:
    with opened(options.device, AUTO) as resources:
        return among_launched(resources.device)


def _record(options: TrainOptions, processes: Processes) -> Record:
    """The record of a training: the one in the run's folder, or a new one."""
    config = options.config
    distance_of(options.loss, options.term, config.cqt)  # refused before anything is computed
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
        run, scales = _trained(options, config, dataset, split, processes)
        metrics = _metrics(run, split, processes) | {"scales": scales}
        if options.calibrate_every:
            metrics["last_scales"] = _last_scales(run.folder)
    except DivergedError as error:
        if options.debug:
            raise
        status, reason = "failed", reason_of(error)
    except torch.OutOfMemoryError as error:
        if options.debug:
            raise
        status, reason = "failed", f"{reason_of(error)}; {_GO_ON}"
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


def _trained(
    options: TrainOptions, config: BassNetConfig, dataset: Dataset, split: Split, processes: Processes
) -> tuple[Run, dict[str, float] | None]:
    """The run, and the scales at first of the distance's parts, if one takes part."""
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
        term = audio_term(
            options.loss,
            options.term,
            training,
            initial_model(config, training).to(training.device),
            dataset=dataset,
            songs=split.training,
            seed=config.training.seed,
            transposition=config.training.transposition,
        )
        at_first = None if term is None else dict(term.scales)
        run = train(
            config,
            training,
            validation,
            options.out,
            audio_term=term,
            about=_about(options, dataset),
            resume=options.resume,
            progress=report,
            processes=processes,
        )
        return run, at_first


def _last_scales(folder: Path) -> dict[str, float]:
    """The scales of the distance's parts in the last mini-epoch, as the run's history has them."""
    last = read_history(folder)[-1].training
    return {name: last[f"{logged}_scale"] for name, logged in LOGGED.items() if f"{logged}_scale" in last}


_quiet: Callable[[str, int], None] = lambda _name, _done: None  # noqa: E731


def _about(options: TrainOptions, dataset: Dataset) -> dict[str, Any]:
    """What a run was trained on and with, for its folder; a distance's code is part of it."""
    where = {
        "folder": str(dataset.folder.resolve()),
        "dataset": dataset.manifest.dataset,
        "digest": dataset.digest,
    }
    about: dict[str, Any] = {"dataset": where, "preset": options.preset, "loss": options.loss, **options.how}
    if options.fields:
        about["fields"] = " ".join(options.fields)
    if options.loss not in BASELINES:
        about["loss_code"] = identify_loss(options.loss, [])[1][:16]
    return about


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
    identity, digest = identify_loss(options.loss, [Trainer, AudioTerm, PATHS[options.term.path]])
    params = {
        "dataset": dataset.manifest.dataset,
        "digest": dataset.digest,
        "renderer": dataset.manifest.renderer.name,
        "preset": options.preset,
        **options.how,
        "config": config.to_json(),
    }
    task = TaskIdentity(name=TASK, version=VERSION, params=params)
    seed = config.training.seed
    key = record_key(
        kind=KIND,
        distance=identity,
        task=task,
        seed=seed,
        trials=None,
        weights=identity.weights_sha256,
        source_digest=digest,
    )
    return {"kind": KIND, "distance": identity, "task": task, "seed": seed, "trials": None, "key": key}
