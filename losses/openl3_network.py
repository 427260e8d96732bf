"""OpenL3's audio network, and its weights as Keras and as torchopenl3 store them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .checkpoints import StateDict, read_checkpoint

_NAMES = (*(f"conv2d_{number}" for number in range(1, 8)), "audio_embedding_layer")
_POOLED = ("conv2d_2", "conv2d_4", "conv2d_6")
_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")
"""In the order in which Keras keeps them: gamma, beta, moving mean, moving variance."""

LAYERS = (*_NAMES[:-1], "audio_embedding_layer", "embedding")
"""From the input on: convolutions after batch norm and ReLU, the last one without either, and its maxima."""


class OpenL3Network(nn.Module):
    """Batch norm, eight convolutions of 3×3 (64, 64, 128, 128, 256, 256, 512, 512 channels), pooled after every other.

    Each convolution but the last is followed by batch norm and ReLU. The parameters have the names of torchopenl3's
    state dict.

    Args:
        pool: rows and columns of which the embedding is the maximum.
        channels: of the eight convolutions.
    """

    def __init__(
        self, *, pool: tuple[int, int], channels: tuple[int, ...] = (64, 64, 128, 128, 256, 256, 512, 512)
    ) -> None:
        super().__init__()
        self.pool = pool
        for number, (name, (before, after)) in enumerate(zip(_NAMES, pairwise((1, *channels)), strict=True), 1):
            self.add_module(f"batch_normalization_{number}", nn.BatchNorm2d(before, eps=1e-3))
            self.add_module(name, nn.Conv2d(before, after, 3, padding=1))

    def forward(self, spectrogram: Tensor, layer: str) -> Tensor:
        """``(windows, bands, frames)`` to the activations of a layer, ``(windows, …)``; see :data:`LAYERS`."""
        x: Tensor = self.get_submodule("batch_normalization_1")(spectrogram.unsqueeze(1))
        for number, name in enumerate(_NAMES, 2):
            x = self.get_submodule(name)(x)
            if name != _NAMES[-1]:
                x = self.get_submodule(f"batch_normalization_{number}")(x).relu()
            if name == layer:
                return x
            if name in _POOLED:
                x = nn.functional.max_pool2d(x, 2)
        maxima = nn.functional.max_pool2d(x, self.pool)
        return maxima.permute(0, 2, 3, 1).flatten(1)  # TensorFlow's order of the dimensions


def read_openl3(path: Path) -> Any:
    """What a checkpoint of either kind holds: Keras weights (``.h5``, ``.h5.gz``), or torchopenl3's ``.pth.tar``.

    Returns:
        A state dict, or a list of each Keras layer's arrays, in the model's order.

    Raises:
        ValueError: if the file cannot be read.
        ImportError: if it needs h5py, and that is not installed.
    """
    if not path.name.endswith((".h5", ".h5.gz")):
        return read_checkpoint(path)
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{path.name} needs h5py: pip install 'tonedeaf[neural]'") from error
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        with h5py.File(io.BytesIO(content), "r") as file:
            return _keras_layers(file.get("model_weights", file))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is truncated, or no file of Keras weights: {' '.join(str(error).split())}") from error


def _keras_layers(group: Any) -> list[list[NDArray[np.float32]]]:
    layers: list[list[NDArray[np.float32]]] = []
    for name in group.attrs["layer_names"]:
        layer = group[name]
        # kapre's layers hold the spectrogram's kernels: ours are computed
        if "spectrogram" not in _text(name):
            layers.append([np.asarray(layer[_text(each)]) for each in layer.attrs["weight_names"]])
    return [arrays for arrays in layers if arrays]


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def openl3_state(content: Any) -> StateDict:
    """The state of :class:`OpenL3Network` from what :func:`read_openl3` returned."""
    if isinstance(content, Mapping):
        return {name: tensor for name, tensor in content.items() if not name.startswith("speclayer.")}
    targets: list[str] = []
    for number, name in enumerate(_NAMES, 1):
        targets += [f"batch_normalization_{number}", name]
    if len(content) != len(targets):
        raise KeyError(f"{len(content)} layers with weights, not {len(targets)}")
    state: dict[str, Tensor] = {}
    for name, arrays in zip(targets, content, strict=True):
        if name.startswith("batch"):
            state |= {f"{name}.{part}": torch.as_tensor(array) for part, array in zip(_BATCH_NORM, arrays, strict=True)}
            state[f"{name}.num_batches_tracked"] = torch.tensor(0)
        else:
            kernel, bias = map(torch.as_tensor, arrays)
            state |= {f"{name}.weight": kernel.permute(3, 2, 0, 1).contiguous(), f"{name}.bias": bias}
    return state
