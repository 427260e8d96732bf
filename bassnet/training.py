"""Training: Adam on symmetric pairs of windows, validation after every mini-epoch, and the best weights kept.

Both windows of a pair are reconstructed, each from the other's latent, so that the encodings serve both directions. A
run is a pure function of its configuration and data: on a CPU a run that was killed and goes on ends with the same bits
as one that was not, given the same number of threads.

Source: Grachten, Lattner & Deruty 2020, 5.3.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from .checkpoint import (
    BEST,
    CONFIG,
    LAST,
    RunDocument,
    State,
    check_same,
    model_of,
    read_state,
    write_document,
    write_state,
)
from .config import BassNetConfig
from .features import FeatureSet
from .history import Entry, History
from .model import BassNet
from .processes import Processes, alone
from .run import Run, assemble_run
from .trainer import AudioTerm, DivergedError, Trainer
from .validation import fit_voicing_threshold, validate
from .windows import WindowSource

CHECKPOINT_SECONDS = 60.0
"""From one checkpoint to the next, at least: they are written where a mini-epoch ends. So what a killed run has to do
again is up to this, and a mini-epoch more."""
_THRESHOLD_WINDOWS = 256


class Progress(NamedTuple):
    """What :func:`train` reports after every step.

    Attributes:
        step: so many have been made.
        steps: the limit; None without one.
        seconds: that training has taken so far.
        seconds_left: until a limit stops it; None if there is none, or too little is known yet.
        training: means of the terms over the latest mini-epoch; empty before its end.
        validation: terms and ``loss`` after it; empty before its end.
        best_loss: smallest validation loss; None before the first.
    """

    step: int
    steps: int | None
    seconds: float
    seconds_left: float | None
    training: Mapping[str, float]
    validation: Mapping[str, float]
    best_loss: float | None


def train(
    config: BassNetConfig,
    training_features: FeatureSet,
    validation_features: FeatureSet,
    folder: Path,
    *,
    audio_term: AudioTerm | None = None,
    about: Mapping[str, Any] | None = None,
    initial: BassNet | None = None,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
    processes: Processes | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Run:
    """Train until a limit is reached, or the validation loss has not improved for long enough.

    Args:
        config: of model and training.
        training_features: on the device that computes.
        validation_features: of other songs, on the same.
        folder: of the run.
        audio_term: what is added to the objective, if anything.
        about: what is trained on and with, as plain JSON; written to the folder, and compared when a run goes on.
        initial: whose weights training starts from; None draws them from the seed.
        resume: go on with the run in the folder; begin it if there is none.
        progress: called after every step.
        processes: this one among its like.
        checkpoint_seconds: from one checkpoint to the next, at least; one more is written at the end.

    Returns:
        The run, with its best weights.

    Raises:
        ValueError: if no song is as long as a window; the folder holds a run and ``resume`` is not asked for; or it
            holds a run of something else.
        DivergedError: if the loss is no number any more.
    """
    processes = processes or alone(training_features.device)
    training, validation = (
        WindowSource(features, config.model, config.cqt, config.objective.level)
        for features in (training_features, validation_features)
    )
    trainer = Trainer(config, training, audio_term=audio_term, initial=initial, processes=processes)
    course = _Course(trainer, training, validation, folder, processes)
    document = RunDocument(config=config, about=about or {})
    last = read_state(folder / LAST) if resume else None
    if (folder / CONFIG).exists():
        if not resume:
            raise ValueError(f"{folder} holds a run: go on with it by --resume, or name another folder")
        check_same(folder, document)
    if last is not None:
        course.restore(last, f"{folder / LAST}")
    processes.wait()
    if not course.finished and processes.main:
        write_document(folder, document)
    course.complete(progress, checkpoint_seconds)
    processes.wait()
    return assemble_run(folder, document, device=training_features.device)


class _Course:
    """A training from one mini-epoch to the next."""

    def __init__(
        self, trainer: Trainer, training: WindowSource, validation: WindowSource, folder: Path, processes: Processes
    ) -> None:
        self._config, self._trainer = trainer.config, trainer
        self._training, self._validation = training, validation
        self._folder, self._processes = folder, processes
        self._best: State | None = None
        self._best_is_written = True
        self._best_loss: float | None = None
        self._seconds_before = 0.0
        self._waited = 0
        self._means: Mapping[str, float] = {}
        self._validated: Mapping[str, float] = {}
        self.finished = False

    def restore(self, last: State, source: str) -> None:
        """Go on from a checkpoint; with a larger budget, a finished run goes on too."""
        self._trainer.restore(last, source)
        self._best_loss = last.facts["best_loss"]
        self._waited = int(last.facts["waited"])
        self._seconds_before = float(last.facts["seconds"])
        self.finished = self._reached_limit(self._seconds_before)

    def complete(self, progress: Callable[[Progress], None] | None, checkpoint_seconds: float) -> None:
        """Train to the end."""
        if self.finished:
            return
        began = time.monotonic()
        written = began
        steps_before = self._trainer.step

        def seconds() -> float:
            return self._seconds_before + time.monotonic() - began

        def report() -> None:
            if progress:
                pace = (time.monotonic() - began) / max(1, self._trainer.step - steps_before)
                progress(self._progress(seconds(), pace))

        with History(self._folder, step=steps_before) if self._processes.main else _NoHistory() as history:
            while not self.finished:
                self._means = self._trainer.advance(self._steps_ahead(), report)
                self._trainer.average_statistics()
                self._judge()
                elapsed = self._processes.from_main([seconds()])[0]
                self.finished = self._reached_limit(elapsed)
                history.add(self._entry(elapsed))
                report()
                if self._processes.main and (self.finished or time.monotonic() - written >= checkpoint_seconds):
                    self._write(elapsed)
                    written = time.monotonic()

    def _steps_ahead(self) -> int:
        training = self._config.training
        steps = training.steps_per_mini_epoch
        return steps if training.max_steps is None else min(steps, training.max_steps - self._trainer.step)

    def _judge(self) -> None:
        """Validate, and keep the weights if they are the best so far."""
        found = validate(
            self._trainer.model,
            self._validation,
            self._config.objective,
            windows=self._config.training.validation_windows,
        )
        self._validated = dict(zip(found, self._processes.from_main(list(found.values())), strict=True))
        for name, value in self._validated.items():
            if not math.isfinite(value):
                raise DivergedError(
                    f"validation's {name} is {value} after step {self._trainer.step - 1}: training has diverged "
                    f"(learning rate {self._trainer.learning_rate:g}); the last checkpoint is kept"
                )
        self._waited += 1
        improved = self._best_loss is None or self._validated["loss"] < self._best_loss
        if improved:
            self._best_loss, self._waited = self._validated["loss"], 0
        if improved or self._config.training.keep == "last":
            self._best = self._snapshot()
            self._best_is_written = False

    def _snapshot(self) -> State:
        weights: dict[str, Tensor] = {name: each.clone() for name, each in self._trainer.model.state_dict().items()}
        return State(tensors=weights, facts={"step": self._trainer.step, "validation": dict(self._validated)})

    def _reached_limit(self, seconds: float) -> bool:
        training = self._config.training
        return (
            self._waited >= training.patience
            or (training.max_steps is not None and self._trainer.step >= training.max_steps)
            or (training.max_seconds is not None and seconds >= training.max_seconds)
        )

    def _write(self, seconds: float) -> None:
        if self._best is not None and not self._best_is_written:
            model = model_of(self._config, self._best.tensors, "the best weights").to(self._training.features.device)
            threshold = fit_voicing_threshold(model, self._training, windows=_THRESHOLD_WINDOWS)
            facts = {**self._best.facts, "threshold": threshold}
            write_state(self._folder / BEST, State(tensors=self._best.tensors, facts=facts))
            self._best_is_written = True
        state = self._trainer.state()
        facts = {
            **state.facts,
            "best_loss": self._best_loss,
            "waited": self._waited,
            "seconds": seconds,
            "finished": self.finished,
        }
        write_state(self._folder / LAST, State(tensors=state.tensors, facts=facts))

    def _entry(self, seconds: float) -> Entry:
        return Entry(self._trainer.step, seconds, self._trainer.learning_rate, self._means, self._validated)

    def _progress(self, seconds: float, pace: float) -> Progress:
        training = self._config.training
        left = [
            limit
            for limit in (
                None if training.max_steps is None else pace * (training.max_steps - self._trainer.step),
                None if training.max_seconds is None else max(0.0, training.max_seconds - seconds),
            )
            if limit is not None
        ]
        return Progress(
            step=self._trainer.step,
            steps=training.max_steps,
            seconds=seconds,
            seconds_left=min(left) if left else None,
            training=self._means,
            validation=self._validated,
            best_loss=self._best_loss,
        )


class _NoHistory:
    """What a process writes that is not the main one."""

    def __enter__(self) -> _NoHistory:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def add(self, entry: Entry) -> None:
        """Nothing."""
