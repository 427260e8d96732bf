"""A trained model, read back from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .checkpoint import BEST, CONFIG, LAST, RunDocument, model_of, read_document, read_state
from .config import BassNetConfig
from .model import BassNet


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What training has left.

    Attributes:
        folder: where it is.
        config: of model and training.
        about: what it was trained on and with: dataset, songs, loss.
        model: with the weights whose validation loss was smallest, in eval mode.
        threshold: a step whose predicted level is at least this is voiced; fitted on the training songs.
        step: of the best weights.
        steps: that were made in all.
        seconds: that they took.
        validation: terms and ``loss`` of the best weights on the validation songs.
        finished: whether training has come to its end.
    """

    folder: Path
    config: BassNetConfig
    about: Mapping[str, Any]
    model: BassNet
    threshold: float
    step: int
    steps: int
    seconds: float
    validation: Mapping[str, float]
    finished: bool


def load_run(folder: str | Path, *, device: torch.device | str = "cpu") -> Run:
    """The run in a folder.

    Raises:
        ValueError: if there is none, it has no checkpoint yet, or one that is damaged or of another configuration.
    """
    folder = Path(folder)
    return assemble_run(folder, read_document(folder), device=device)


def assemble_run(folder: Path, document: RunDocument, *, device: torch.device | str) -> Run:
    """The run of a document that was read already; see :func:`load_run`."""
    best, last = read_state(folder / BEST), read_state(folder / LAST)
    if best is None or last is None:
        raise ValueError(f"the run in {folder} has no checkpoint yet: go on with it by tonedeaf train --resume")
    model = model_of(document.config, best.tensors, f"{folder / BEST} does not fit {folder / CONFIG}; it")
    try:
        return Run(
            folder=folder,
            config=document.config,
            about=document.about,
            model=model.to(device),
            threshold=float(best.facts["threshold"]),
            step=int(best.facts["step"]),
            steps=int(last.facts["step"]),
            seconds=float(last.facts["seconds"]),
            validation=dict(best.facts["validation"]),
            finished=bool(last.facts["finished"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder} is damaged: a checkpoint lacks {error}") from error
