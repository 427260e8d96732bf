"""Evaluations of trained models: what is judged on what, and the records that say how it went."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from ..bassnet.checkpoint import BEST
from ..bassnet.dataset import Dataset, open_dataset
from ..bassnet.evaluation import Findings, evaluate_run, fit_onset_threshold, typical_timbre_of
from ..bassnet.evaluation_pitch_grid import PitchGrid, pitch_grid
from ..bassnet.run import Run
from ..bassnet.split import Split, check_apart, split_songs
from ..results.bassnet_evaluation import EVALUATION
from ..results.bassnet_relative_pitch import RELATIVE_PITCH
from ..results.environment import environment, peak_memory_mib, revision
from ..results.record import Record, TaskIdentity, record_key
from ..results.store import RecordStore
from .answers import stored
from .bassnet_losses import identify_loss

TASK, VERSION = "bassnet", 1
USUAL_ONSET_THRESHOLD = 0.5
"""Where the songs that a model was trained on are not at hand, so that none can be fitted."""
HOW = (
    "preset",
    "fields",
    "condition",
    "path",
    "target",
    "segments",
    "segment_seconds",
    "calibrate_every",
    "start_steps",
    "steps",
)
"""What a run's folder says of how it was trained, if it says so: beside the preset, how a distance took part."""
ABLATION = "no cross-reconstruction"
"""Condition of a run that lacks it and is no arm of a study, so that it is not mistaken for one that has it."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A model, and the songs that it is judged on.

    Attributes:
        run: the model, on the device that computes.
        dataset: whose songs.
        songs: their numbers.
        split: ``validation`` songs of the dataset that it was trained on, or ``all`` songs of another one.
        training: dataset and songs that it was trained on; None if the dataset is not where it was.
        notes: what a reader must be told.
    """

    run: Run
    dataset: Dataset
    songs: tuple[int, ...]
    split: Literal["validation", "all"]
    training: tuple[Dataset, tuple[int, ...]] | None
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the run, as it is told from others."""
        return self.run.folder.name

    @property
    def loss(self) -> str:
        """What it was trained with: ``paper``, ``none``, or the text of a distance."""
        return str(self.run.about["loss"])


def judged(run: Run, data: Path | None) -> Judged:
    """Choose the songs that a run is judged on.

    Args:
        run: on the device that computes.
        data: folder of the dataset; None is the one that it was trained on.

    Raises:
        ValueError: if the run does not say what it was trained on; the dataset is missing, half-written or damaged; or
            it is another one and has songs of the one that the run was trained on.
    """
    if not {"dataset", "loss"} <= set(run.about):
        raise ValueError(f"{run.folder} does not say what it was trained on: train it by tonedeaf train")
    trained_on = run.about["dataset"]
    folder, notes = Path(trained_on["folder"]), list[str]()
    if data is None and not folder.is_dir():
        raise ValueError(f"the dataset that {run.folder} was trained on is not in {folder} any more: name it by --data")
    dataset = open_dataset(folder if data is None else data)
    own = dataset if dataset.digest == trained_on["digest"] else _dataset(folder, trained_on["digest"])
    parted = None if own is None else _split(run, own)
    if dataset.digest == trained_on["digest"]:
        assert parted is not None
        songs, split = parted.validation, "validation"
    else:
        if own is not None:
            check_apart(dataset, own)
        songs, split = list(range(len(dataset))), "all"
        notes.append(
            f"{run.folder.name} was trained on another dataset ({trained_on['dataset']}, digest "
            f"{trained_on['digest'][:8]}…): it is judged on all {len(songs)} songs of {dataset.folder}"
        )
        if own is None:
            notes.append(
                f"whether {run.folder.name} was trained on some of them cannot be told: its dataset is not in {folder}"
            )
    if not run.finished:
        notes.append(f"the training of {run.folder.name} has not come to its end: its best weights so far are judged")
    return Judged(
        run=run,
        dataset=dataset,
        songs=tuple(songs),
        split="validation" if split == "validation" else "all",
        training=None if own is None or parted is None else (own, tuple(parted.training)),
        notes=tuple(notes),
    )


def evaluation(
    one: Judged,
    store: RecordStore,
    *,
    device: str,
    progress: Callable[[int], None] = lambda _songs: None,
    sounds: Callable[[Judged], Mapping[str, bytes]] | None = None,
) -> Record:
    """The record of kind ``evaluation``: the one in the store, or a new one, written to it.

    Args:
        one: what is judged.
        store: where records are.
        device: that computes, for the record.
        progress: called with the number of songs done since the last call.
        sounds: MP3 files that go with the record, by name.

    Raises:
        ValueError: if no song is as long as a window, or a file of the dataset is missing or damaged.
        OSError: if the record cannot be written.
    """
    question = _question(one, EVALUATION, Findings)
    if found := stored(store, question["key"]):
        progress(len(one.songs))
        return found
    began = _Clock(device)
    threshold = (
        USUAL_ONSET_THRESHOLD
        if one.training is None
        else fit_onset_threshold(one.run, one.training[0], songs=one.training[1])
    )
    timbre = None if one.training is None else typical_timbre_of(*one.training)
    found = evaluate_run(one.run, one.dataset, songs=one.songs, onsets_from=threshold, timbre=timbre, progress=progress)
    metrics: dict[str, Any] = {
        **found.metrics,
        "onset_threshold_is_fitted": one.training is not None,
        "training_seconds": one.run.seconds,
        "steps": one.run.steps,
        "best_step": one.run.step,
    }
    return store.write(
        began.record(question, metrics), pl.DataFrame(found.windows), sounds=sounds(one) if sounds else None
    )


def relative_pitch(
    one: Judged, judgement: Record, store: RecordStore, *, device: str, progress: Callable[[int], None]
) -> Record | None:
    """The record of kind ``relative_pitch``: the one in the store, or a new one, written to it.

    Args:
        one: what is judged.
        judgement: its evaluation, whose windows say where the latent plane is inhabited.
        store: where records are.
        device: that computes, for the record.
        progress: called with the number of points done since the last call.

    Returns:
        None if z is not a plane.
    """
    if one.run.config.model.latent < 2:
        return None
    question = _question(one, RELATIVE_PITCH, PitchGrid)
    if found := stored(store, question["key"]):
        return found
    began = _Clock(device)
    windows = store.trials(judgement)
    z = np.stack([windows[f"z{place + 1}"].to_numpy() for place in range(one.run.config.model.latent)], axis=1)
    found = pitch_grid(one.run, one.dataset, songs=one.songs, z=z, progress=progress)
    metrics = {"reference": found.reference, "seconds": found.seconds, "songs": list(found.songs)}
    return store.write(began.record(question, metrics), pl.DataFrame(found.columns))


class _Clock:
    """Begins with the computing, ends with the record."""

    def __init__(self, device: str) -> None:
        self._device, self._started, self._clock = device, datetime.now(UTC), time.perf_counter()

    def record(self, question: dict[str, Any], metrics: dict[str, Any]) -> Record:
        return Record(
            **question,
            status="ok",
            reason=None,
            metrics=metrics,
            artefacts=(),
            seconds=round(time.perf_counter() - self._clock, 3),
            peak_memory_mib=peak_memory_mib(),
            environment=environment(self._device),
            revision=revision(),
            started=self._started,
        )


def _question(one: Judged, kind: str, code: type[Any]) -> dict[str, Any]:
    """The fields of a record that say what was asked."""
    run, about = one.run, one.run.about
    identity, digest = identify_loss(one.loss, [code])
    how = {name: about[name] for name in HOW if about.get(name) is not None}
    if not run.config.objective.cross_reconstruction:
        how.setdefault("condition", ABLATION)
    task = TaskIdentity(
        name=TASK,
        version=VERSION,
        params={
            "dataset": one.dataset.manifest.dataset,
            "digest": one.dataset.digest,
            "renderer": one.dataset.manifest.renderer.name,
            "songs": len(one.songs),
            "split": one.split,
            "trained_on": {name: about["dataset"][name] for name in ("dataset", "digest")},
            **how,
            "config": run.config.to_json(),
        },
    )
    seed = run.config.training.seed
    weights = sha256((run.folder / BEST).read_bytes()).hexdigest()
    return {
        "kind": kind,
        "distance": identity,
        "task": task,
        "seed": seed,
        "trials": None,
        "key": record_key(
            kind=kind, distance=identity, task=task, seed=seed, trials=None, weights=weights, source_digest=digest
        ),
    }


def _dataset(folder: Path, digest: str) -> Dataset | None:
    """The dataset in a folder, if it is still the one of this digest."""
    try:
        found = open_dataset(folder)
    except ValueError:
        return None
    return found if found.digest == digest else None


def _split(run: Run, dataset: Dataset) -> Split:
    training = run.config.training
    return split_songs(dataset.groups, share=training.validation_share, seed=training.seed)
