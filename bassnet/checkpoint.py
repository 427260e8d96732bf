"""A run's folder: what it is, its weights, and the state from which it goes on.

::

    FOLDER/config.json         configuration, data, loss; which songs are which
    FOLDER/best.safetensors    the weights with the smallest validation loss
    FOLDER/last.safetensors    weights, optimizer and generators, as they were at its step
    FOLDER/history.jsonl       a line a mini-epoch
    FOLDER/tensorboard/        the same for TensorBoard

Files are written whole or not at all. ``best`` is written before ``last``, so that what ``last`` says of it is true; a
run that was killed goes on from ``last`` and writes again what came after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..results.atomic_write import write_atomically
from .config import BassNetConfig
from .model import BassNet

VERSION = 1
"""Of the folder: another version, another layout."""
CONFIG, BEST, LAST, HISTORY, TENSORBOARD = (
    "config.json",
    "best.safetensors",
    "last.safetensors",
    "history.jsonl",
    "tensorboard",
)
_BUDGET = ("max_steps", "max_seconds", "patience")
"""Fields of ``training`` that may change when a run goes on: they say when to stop, not what is learnt."""


@dataclass(frozen=True, kw_only=True)
class RunDocument:
    """``config.json``.

    Attributes:
        config: of model and training.
        about: what it was trained on and with, as plain JSON: dataset, songs, loss, path, condition.
    """

    config: BassNetConfig
    about: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class State:
    """What a checkpoint holds: tensors by name, and plain JSON."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def write_document(folder: Path, document: RunDocument) -> None:
    """Write ``config.json``; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"version": VERSION, "config": document.config.to_json(), **document.about}
    write_atomically(folder / CONFIG, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_document(folder: Path) -> RunDocument:
    """Read ``config.json``.

    Raises:
        ValueError: if there is none, or it is damaged or of another version.
    """
    path = folder / CONFIG
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"there is no run in {folder}: tonedeaf train makes one") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    version = content.pop("version", None) if isinstance(content, dict) else None
    if version != VERSION:
        raise ValueError(f"{path}: version {version!r} is unknown; this one reads version {VERSION}: train anew")
    try:
        config = BassNetConfig.from_json(content.pop("config", None))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return RunDocument(config=config, about=content)


def check_same(folder: Path, document: RunDocument) -> None:
    """Refuse to go on with a run of something else.

    Raises:
        ValueError: naming the first thing that differs.
    """
    there, here = (_decisive(each) for each in (read_document(folder), document))
    for name in dict.fromkeys((*there, *here)):
        if there.get(name) != here.get(name):
            raise ValueError(
                f"{folder} holds a run with {name} = {there.get(name)!r}, not {here.get(name)!r}: "
                "name another folder, or ask for the same"
            )


def _decisive(document: RunDocument) -> dict[str, Any]:
    """What decides a run, flat, without what may change when it goes on."""
    flat: dict[str, Any] = {}

    def flatten(value: Any, name: str) -> None:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                flatten(inner, f"{name}.{key}" if name else key)
        else:
            flat[name] = value

    flatten({"config": document.config.to_json(), **document.about}, "")
    decays = document.config.training.learning_rate_decay != "constant"
    for field in _BUDGET:
        if not (decays and field == "max_steps"):
            flat.pop(f"config.training.{field}")
    # Where the data lie is no part of what they are.
    flat.pop("dataset.folder", None)
    return flat


def write_state(path: Path, state: State) -> None:
    """Write a checkpoint."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    write_atomically(path, save(tensors, metadata={"facts": json.dumps(state.facts, allow_nan=False)}))


def read_state(path: Path) -> State | None:
    """Read a checkpoint; None if there is no such file.

    Raises:
        ValueError: if it is damaged.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
        return State(tensors=load_file(path), facts=facts)
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def model_of(config: BassNetConfig, weights: Mapping[str, Tensor], source: str) -> BassNet:
    """A model with some weights, in eval mode, on the CPU; no random number is drawn.

    Raises:
        ValueError: if they are those of a model of another configuration.
    """
    with torch.random.fork_rng(devices=[]):
        model = BassNet(config.model, config.cqt)
    load_weights(model, weights, source)
    # Channels last: the layout in which convolutions need no copies.
    return model.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def load_weights(model: torch.nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Put weights into a model.

    Raises:
        ValueError: if they are those of a model of another configuration.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if expected != found:
        name = next(name for name in (*expected, *found) if expected.get(name) != found.get(name))
        raise ValueError(
            f"{source} is a checkpoint of another configuration: {name} should be {expected.get(name, 'absent')}, "
            f"and is {found.get(name, 'absent')}"
        )
    model.load_state_dict(dict(weights))
