"""A study: which models are trained so that losses can be compared, and what all of them share.

For each condition and seed one **start** is trained, with the objective that lacks the term under test. From it every
**arm** goes on: one loss, in this condition, with this seed. So arms of one condition and seed have the same initial
weights, and the same batches, and differ in nothing but the loss.

| condition    | what the start lacks                 | what an arm adds                                            |
|--------------|--------------------------------------|-------------------------------------------------------------|
| `replace`    | the squared error of the magnitude   | a distance; or (`paper`) the squared error; or nothing      |
| `audio-only` | f0's cross-entropy                   | a distance in place of both; or (`paper`) both; or neither  |

In `audio-only` the start has learnt what the bass sounds like, but its f0 output is untrained: what it learns there the
distance alone teaches. An arm in this condition no longer has the squared error either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..bassnet.audio_term import AudioTermConfig, Condition
from ..bassnet.config import BassNetConfig, preset
from ..bassnet.level import check_absolute
from ..bassnet.trainer import Trainer
from ..results.canonical import canonical_digest
from .bassnet_losses import USUAL_PATHS, config_with
from .sources import source_digest

SLOWER = 1 / 3
"""Learning rate of an arm, by that of its start: it goes on from what is there, and is not to destroy it."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What all arms of a study share.

    Attributes:
        data: folder of the dataset.
        out: folder of records and runs.
        preset: of model and training.
        device: where arms are trained.
        path: how a distance's gradient reaches f0; None: as is usual in each condition.
        target: what audio is compared with.
        segments: of audio, a step.
        segment_seconds: their length.
        start_steps: of training before the arms.
        steps: of an arm.
        judges: distances that judge every arm, whatever it was trained with.
        heard_seed: the seed whose arms leave sounds.
        held_out: folder of a dataset by all of whose songs every arm is judged; None: by its own validation songs.
    """

    data: Path
    out: Path
    preset: str = "tiny"
    device: str = "cpu"
    path: str | None = None
    target: str = "oracle"
    segments: int = 4
    segment_seconds: float = 0.5
    start_steps: int = 1000
    steps: int = 200
    judges: tuple[str, ...] = ()
    heard_seed: int = 0
    held_out: Path | None = None

    def __post_init__(self) -> None:
        check_absolute(preset(self.preset), "no distance can be trained with")  # whichever losses are chosen later
        for name in ("start_steps", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def shared(self) -> dict[str, Any]:
        """What the arms of one comparison must have in common beside data, preset and path."""
        return {
            "target": self.target,
            "segments": self.segments,
            "segment_seconds": self.segment_seconds,
            "start_steps": self.start_steps,
            "steps": self.steps,
        }

    def term(self, condition: Condition) -> AudioTermConfig:
        """How a distance takes part in training in a condition.

        Raises:
            ValueError: if path, target or segments are none.
        """
        return AudioTermConfig(
            path=self.path or USUAL_PATHS[condition],
            condition=condition,
            target=self.target,  # pyright: ignore[reportArgumentType] (checked there)
            segments=self.segments,
            segment_seconds=self.segment_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class Start:
    """The training from which a condition's arms of one seed go on."""

    study: Study
    condition: Condition
    seed: int

    @property
    def folder(self) -> Path:
        """Of the run: another one for other code, or another configuration."""
        digest = canonical_digest([source_digest([Trainer]), self.config.to_json()])[:8]
        return self.study.out / "starts" / f"{self.condition}-{self.study.start_steps}-seed{self.seed}-{digest}"

    @property
    def config(self) -> BassNetConfig:
        """The preset's, without the term under test, and with ``fp32`` for a precision of ``auto``.

        ``auto`` follows the processor, and arms that are compared may be trained on different ones.
        """
        config = preset(self.study.preset)
        precision = "fp32" if config.training.precision == "auto" else config.training.precision
        missing = {"spectral_weight": 0.0} if self.condition == "replace" else {"f0_weight": 0.0}
        return replace(
            config,
            objective=replace(config.objective, **missing),
            training=replace(
                config.training,
                seed=self.seed,
                max_steps=self.study.start_steps,
                learning_rate_decay="cosine",
                keep="last",
                precision=precision,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One loss, in one condition, with one seed."""

    study: Study
    loss: str
    condition: Condition
    seed: int

    @property
    def start(self) -> Start:
        """What it goes on from."""
        return Start(study=self.study, condition=self.condition, seed=self.seed)

    @property
    def term(self) -> AudioTermConfig:
        """How its loss takes part in training."""
        return self.study.term(self.condition)

    def folder(self, key: str) -> Path:
        """Of the run: readable, and another one for each question, since a loss's code may change, too.

        Args:
            key: of the record of the training.
        """
        readable = re.sub(r"[^A-Za-z0-9._]+", "_", self.loss).strip("._")[:40] or "loss"
        return self.study.out / "arms" / f"{self.condition}-{readable}-seed{self.seed}-{key[:8]}"

    @property
    def config(self) -> BassNetConfig:
        """The start's, with the terms of its loss."""
        config = config_with(self.loss, self.term, preset(self.study.preset))
        training = self.start.config.training
        return replace(
            config,
            objective=replace(config.objective, kl_warmup_steps=0),  # the start has warmed up
            training=replace(training, max_steps=self.study.steps, learning_rate=SLOWER * training.learning_rate),
        )

    def judging(self, *, has_harmonics: bool) -> AudioTermConfig | None:
        """How judges hear the model: at the pitch it is read at, against the true controls; None where these lack."""
        if not has_harmonics:
            return None
        path = "soft" if self.config.model.f0_reading == "mean" else "local"
        return AudioTermConfig(path=path, segments=self.study.segments, segment_seconds=self.study.segment_seconds)
