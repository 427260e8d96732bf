"""Training and judging the arms of a study: each is a function of its own description, wherever it runs.

An arm leaves a run's folder, a record of kind ``training`` (what it cost, how its distance was scaled, how good the
evidence was from which it learnt, what the judges say of it, or why it failed), and one of kind ``evaluation``. What is
there already is not made again.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..bassnet.audio_term import AudioTerm
from ..bassnet.dataset import Dataset, open_dataset
from ..bassnet.features import FeatureSet, features
from ..bassnet.model import BassNet
from ..bassnet.paths import PATHS
from ..bassnet.run import Run, load_run
from ..bassnet.split import Split, split_songs
from ..bassnet.trainer import DivergedError, Trainer
from ..bassnet.training import train
from ..results.environment import environment, peak_memory_mib, revision
from ..results.record import Record, Status, TaskIdentity, record_key
from ..results.store import RecordStore
from .answers import reason_of, stored
from .arm_sound import sounds_of
from .bassnet_losses import audio_term, identify_loss, made
from .evaluations import HOW, TASK, VERSION, evaluation, judged
from .study import Arm, Start

KIND = "training"
JUDGE_DRAWS, JUDGE_SEED = 16, 12345
"""How many times segments are drawn for the judges, and from which seed: the same for every arm."""


class ArmRecords(NamedTuple):
    """What an arm left: the record of its training, and of its evaluation, None if the training failed."""

    training: Record
    evaluation: Record | None


def train_start(start: Start) -> Path:
    """Train what a condition's arms of one seed go on from, if it is not there yet; its folder."""
    data = _Data(start)
    train(
        start.config,
        data.training,
        data.validation,
        start.folder,
        about=_about(data, start),
        resume=True,
    )
    return start.folder


def train_arm(arm: Arm) -> ArmRecords:
    """Train an arm from its start, and judge it.

    Raises:
        ValueError: if the data are damaged, or the start was trained on others.
        OSError: if a record or a checkpoint cannot be written.
    """
    store = RecordStore(arm.study.out)
    data = _Data(arm.start)
    question = _question(arm, data)
    found = stored(store, question["key"])
    if found is None:
        found = store.write(_trained(arm, data, question))
    if found.status != "ok":
        return ArmRecords(found, None)
    run = load_run(arm.folder(found.key), device=arm.study.device)
    sounds = sounds_of if arm.seed == arm.study.heard_seed else None
    judges = arm.study.held_out or arm.study.data
    judgement = evaluation(judged(run, judges), store, device=arm.study.device, sounds=sounds)
    return ArmRecords(found, judgement)


class _Data:
    """The songs of a start and its arms."""

    def __init__(self, start: Start) -> None:
        self.dataset: Dataset = open_dataset(start.study.data)
        share, seed = start.config.training.validation_share, start.config.training.seed
        self.split: Split = split_songs(self.dataset.groups, share=share, seed=seed)
        self._cqt, self._device = start.config.cqt, start.study.device

    @property
    def training(self) -> FeatureSet:
        return features(self.dataset, self._cqt, device=self._device, songs=self.split.training)

    @property
    def validation(self) -> FeatureSet:
        return features(self.dataset, self._cqt, device=self._device, songs=self.split.validation)


def _about(data: _Data, start: Start, *, loss: str | None = None) -> dict[str, Any]:
    """What a run was trained on and with, for its folder; without a loss, of the start, which knows of no audio."""
    dataset, study = data.dataset, start.study
    how = {"path": study.term(start.condition).path, **study.shared()}
    of_arm = {"loss": "start"} if loss is None else {"loss": loss, **how}
    return {
        "dataset": {
            "folder": str(dataset.folder.resolve()),
            "dataset": dataset.manifest.dataset,
            "digest": dataset.digest,
        },
        "preset": study.preset,
        "condition": start.condition,
        "start_steps": study.start_steps,
        **of_arm,
    }


def _question(arm: Arm, data: _Data) -> dict[str, Any]:
    """The fields of a training's record that say what was asked."""
    identity, digest = identify_loss(arm.loss, [Trainer, AudioTerm, PATHS[arm.term.path]])
    about = _about(data, arm.start, loss=arm.loss)
    where = {name: about["dataset"][name] for name in ("dataset", "digest")}
    how = {name: about[name] for name in HOW if name in about}
    params = {**where, **how, "judges": list(arm.study.judges), "config": arm.config.to_json()}
    task = TaskIdentity(name=TASK, version=VERSION, params=params)
    key = record_key(
        kind=KIND,
        distance=identity,
        task=task,
        seed=arm.seed,
        trials=None,
        weights=identity.weights_sha256,
        source_digest=digest,
    )
    return {"kind": KIND, "distance": identity, "task": task, "seed": arm.seed, "trials": None, "key": key}


def _trained(arm: Arm, data: _Data, question: dict[str, Any]) -> Record:
    """The record of an arm's training, which is done now."""
    started, clock = datetime.now(UTC), time.perf_counter()
    metrics: dict[str, Any] = {}
    status: Status = "ok"
    reason: str | None = None
    try:
        metrics = _train(arm, data, question["key"])
    except (ValueError, DivergedError, torch.OutOfMemoryError) as error:  # of this distance; the other arms go on
        status, reason = "failed", reason_of(error)
    return Record(
        **question,
        status=status,
        reason=reason,
        metrics=metrics,
        artefacts=(),
        seconds=round(time.perf_counter() - clock, 3),
        peak_memory_mib=peak_memory_mib(),
        environment=environment(arm.study.device),
        revision=revision(),
        started=started,
    )


def _train(arm: Arm, data: _Data, key: str) -> dict[str, Any]:
    study = arm.study
    training, validation = data.training, data.validation
    start = load_run(train_start(arm.start), device=study.device).model
    term = audio_term(
        arm.loss,
        arm.term,
        training,
        start,
        dataset=data.dataset,
        songs=data.split.training,
        seed=arm.seed,
        transposition=arm.config.training.transposition,
    )
    evidence = None if term is None else _evidence(arm, start, validation)
    run = train(
        arm.config,
        training,
        validation,
        arm.folder(key),
        audio_term=term,
        initial=start,
        about=_about(data, arm.start, loss=arm.loss),
        resume=True,
    )
    return {
        "steps": run.steps,
        "training_seconds": run.seconds,
        "milliseconds_per_step": 1000 * run.seconds / run.steps,
        "scales": None if term is None else term.scales,
        "evidence": evidence,
        "judged_by": _judged_by(arm, run, validation),
    }


def _evidence(arm: Arm, start: BassNet, validation: FeatureSet) -> dict[str, Any] | None:
    """How often, before the arm's training, the pitch that its distance prefers is the true one.

    Of drawn notes of the validation songs: the share whose nearest bin is the true pitch's, the share whose nearest bin
    is within a semitone of it, and how far above it these lie in the mean, in semitones. None where the distance is not
    asked for pitches: in ``replace``, on a path that tries none; and where its targets are not rendered.
    """
    asked = arm.condition == "audio-only" and PATHS[arm.term.path].tries_pitches and arm.term.target == "oracle"
    if not asked or validation.harmonics is None:
        return None
    moved = arm.config.training.transposition
    term = AudioTerm(arm.loss, made(arm.loss), arm.term, validation, start, transposition=moved)
    off = term.preferred(start.eval(), draws=JUDGE_DRAWS, seed=JUDGE_SEED)
    if not len(off):
        return None
    near = off[off.abs() <= 1]
    return {
        "notes": len(off),
        "right": (off == 0).double().mean().item(),
        "near": len(near) / len(off),
        "semitones_above": near.double().mean().item() if len(near) else None,
    }


def _judged_by(arm: Arm, run: Run, validation: FeatureSet) -> dict[str, float | None]:
    """What every judge says of the model, on the same segments of the validation songs, sounding as it decodes them."""
    config = arm.judging(has_harmonics=validation.harmonics is not None)
    if config is None:
        return {}
    found = {
        name: AudioTerm(name, made(name), config, validation, run.model).value(
            run.model, draws=JUDGE_DRAWS, seed=JUDGE_SEED
        )
        for name in arm.study.judges
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
