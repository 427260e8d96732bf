"""Models of the library ``transformers``, from a folder or the hub's cache, and the activations of their layers."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoints import randomly, state_sha256
from .torchaudio_import import import_torchaudio
from .weights import (
    FromHub,
    WeightsUnavailableError,
    cache_folder,
    downloads_are_allowed,
    file_sha256,
    locate,
    weights_row,
)

CONFIGURATION = "config.json"
PREPROCESSOR = "preprocessor_config.json"
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""In the order of preference: a hub repository may hold both."""
_UNUSED = {"masked_spec_embed"}
"""What a network has for training only, so that a checkpoint may lack it."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class HubModel:
    """A model with its weights.

    Attributes:
        network: an instance of the model class that was asked for, on the CPU, float32.
        settings: what ``preprocessor_config.json`` says; empty without one.
        sha256: of the file of weights; of the tensors, if they are random.
    """

    network: nn.Module
    settings: Mapping[str, Any]
    sha256: str


def import_transformers() -> ModuleType:
    """The module ``transformers``.

    Raises:
        ImportError: if it is not installed.
    """
    import_torchaudio()  # which transformers imports itself, where it can
    return _import("transformers")


def _import(library: str) -> ModuleType:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"needs {library} ({error}): pip install 'tonedeaf[neural]'") from error


def build_hub_model(
    model_class: str,
    row: str,
    *,
    configuration: Mapping[str, Any],
    weights: str = "",
    random_weights: bool = False,
    adapt_configuration: Callable[[dict[str, Any]], dict[str, Any]] = lambda config: config,
) -> HubModel:
    """A model, and what identifies its weights. Nothing is downloaded unless downloads are allowed.

    Args:
        model_class: its name in ``transformers``.
        row: of the table of weights.
        configuration: where the published model's differs from the class's defaults; for random weights.
        weights: a folder with ``config.json`` and ``model.safetensors`` or ``pytorch_model.bin``, or the name of a
            repository whose files are in the hub's cache; empty for the table's.
        random_weights: leave the weights at random, from a fixed seed; nothing is looked for then.
        adapt_configuration: from the file's configuration to that of ``model_class``; raises ``ValueError`` for one
            that it cannot express.

    Raises:
        ValueError: if ``weights`` names nothing, the files cannot be read, or hold another architecture.
        ImportError: if ``transformers`` is not installed, or the weights are not here.
    """
    if random_weights and weights:
        raise ValueError(f"give weights or random_weights=true, not both: {weights!r}")
    folder = None if random_weights else model_folder(row, weights)  # before the import, which takes seconds
    transformers = import_transformers()
    cls: Any = getattr(transformers, model_class)
    if folder is None:
        network = randomly(lambda: cls(cls.config_class(**configuration)))
        return HubModel(network, {}, state_sha256(network.state_dict()))
    config = adapt_configuration(_read_json(folder / CONFIGURATION))
    expected = cls.config_class.model_type
    if config.get("model_type") != expected:
        raise ValueError(f"{folder} holds a model of type {config.get('model_type')!r}, not {expected!r}")
    settings_file = folder / PREPROCESSOR
    settings = _read_json(settings_file) if settings_file.is_file() else {}
    file = _weights_file(folder)
    network = _load(transformers, cls, folder, cls.config_class.from_dict(config), file)
    return HubModel(network, settings, file_sha256(file))


def model_folder(row: str, weights: str = "") -> Path:
    """The folder that holds a model's configuration and weights.

    The table's model is looked for in the suite's cache, then in the hub's.

    Args:
        row: of the table of weights.
        weights: a folder, or the name of a repository; empty for the table's.

    Raises:
        ValueError: if ``weights`` is neither, or the folder lacks a file.
        WeightsUnavailableError: if the files are not here.
    """
    if weights and Path(weights).is_dir():
        folder = Path(weights)
        _weights_file(folder)
        if not (folder / CONFIGURATION).is_file():
            raise ValueError(f"{folder} holds no {CONFIGURATION}")
        return folder
    if weights:
        if not _HUB_NAME.fullmatch(weights):
            raise ValueError(f"there is no folder {weights}, and it is no repository's name (owner/name) either")
        folder = _from_hub(weights) if downloads_are_allowed() else _in_hub_cache(weights)
        if folder is None:
            raise WeightsUnavailableError(
                f"needs weights that are not here: {weights} is not in the hub's cache; --download fetches it"
            )
        return folder
    origin = weights_row(row).origin
    assert isinstance(origin, FromHub)
    own = cache_folder() / row
    if not own.is_dir() and (cached := _in_hub_cache(origin.repository)) is not None:
        return cached
    return locate(row).paths[0].parent


def _in_hub_cache(repository: str) -> Path | None:
    """The folder of a repository in the hub's own cache, if it holds what a model needs."""
    hub = _import("huggingface_hub")
    for name in _WEIGHT_FILES:
        found = [hub.try_to_load_from_cache(repository, file) for file in (CONFIGURATION, name)]
        if all(isinstance(path, str) for path in found):
            return Path(str(found[0])).parent
    return None


def _from_hub(repository: str) -> Path:
    hub = _import("huggingface_hub")
    try:
        return Path(hub.snapshot_download(repository, allow_patterns=[CONFIGURATION, PREPROCESSOR, *_WEIGHT_FILES]))
    except Exception as error:  # of the connection, the hub, or the disk
        raise WeightsUnavailableError(f"{repository} could not be fetched: {' '.join(str(error).split())}") from error


def _weights_file(folder: Path) -> Path:
    for name in _WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder} holds neither {' nor '.join(_WEIGHT_FILES)}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no JSON document: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no JSON object")
    return content


def _load(transformers: ModuleType, cls: Any, folder: Path, config: Any, file: Path) -> nn.Module:
    with _quiet(transformers):
        try:
            network, report = cls.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=file.suffix == ".safetensors",
                dtype=torch.float32,
                output_loading_info=True,
            )
        except Exception as error:  # a damaged file, or other shapes, make it raise nearly anything
            reason = " ".join(str(error).split())[:160]
            raise ValueError(
                f"{file} is truncated, or of another architecture than {cls.__name__}: {reason}"
            ) from error
    missing = sorted(set(report["missing_keys"]) - _UNUSED)
    if missing:
        raise ValueError(f"{file} is of another architecture than {cls.__name__}: it lacks {missing[0]}")
    return network


@contextmanager
def _quiet(transformers: ModuleType) -> Generator[None]:
    """Without the library's progress bars and remarks on weights that a part of a model does not use."""
    logging = transformers.utils.logging
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


class _ReachedError(Exception):
    """Raised where the activations that were asked for are made: what comes after them need not be computed."""

    def __init__(self, activations: Tensor) -> None:
        super().__init__()
        self.activations = activations


def _stop(_module: nn.Module, _inputs: Any, output: Any) -> None:
    raise _ReachedError(output if isinstance(output, Tensor) else output[0])


def _stop_before(_module: nn.Module, inputs: Any) -> None:
    raise _ReachedError(inputs[0])


class LayerOf(nn.Module):
    """A network that stops at one of its modules and returns what that one returns (the first part, if several).

    Args:
        network: is changed in place: it stops there for everyone.
        module: dotted name of the module.
        at_input: return what the module is given instead.
    """

    def __init__(self, network: nn.Module, module: str, *, at_input: bool = False) -> None:
        super().__init__()
        self.network = network
        reached = network.get_submodule(module)
        if at_input:
            reached.register_forward_pre_hook(_stop_before)
        else:
            reached.register_forward_hook(_stop)

    def forward(self, *inputs: Any) -> Tensor:
        """The activations, for the network's inputs."""
        try:
            self.network(*inputs)
        except _ReachedError as reached:
            return reached.activations
        raise RuntimeError("the network did not pass through the module that was asked for")
