"""VGGish: the audio counterpart of VGG, trained on YouTube's soundtracks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .audioset_log_mel import SAMPLE_RATE, AudioSetLogMel
from .checkpoints import StateDict, build_network, read_checkpoint
from .neural import FrozenNetwork, NeuralDistance, Pooling
from .norms import Norm
from .numpy_archive import read_archive

# What torch.load may make in torchvggish's file of the whitening: arrays, by the names of NumPy 1 and 2.
_ARRAYS: list[Any] = [
    np.ndarray,
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    *((np._core.multiarray._reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),  # pyright: ignore
]

_CONVOLUTIONS = ("conv1", "conv2", "conv3_1", "conv3_2", "conv4_1", "conv4_2")
_POOLED = ("conv1", "conv2", "conv3_2", "conv4_2")
_FULLY_CONNECTED = ("fc1_1", "fc1_2")
EMBEDDING_SIZE = 128

LAYERS = (*_CONVOLUTIONS, *_FULLY_CONNECTED, "raw", "relu", "pca")
"""From the input on: convolutions and fully connected layers after their ReLU, then the embedding: as TensorFlow's code
gives it (``raw``), after a ReLU (``relu``, torchvggish), or whitened (``pca``, AudioSet's released features)."""


class VggishNetwork(nn.Module):
    """Six convolutions of 3×3, four poolings of 2×2, three fully connected layers.

    Pooled after the first, second, fourth and sixth convolution. The parameters have the names of torchvggish's state
    dict (``features.0.weight`` … ``embeddings.4.bias``).

    Args:
        channels: of the six convolutions.
        hidden: units of the first two fully connected layers.
    """

    def __init__(self, *, channels: tuple[int, ...] = (64, 128, 256, 256, 512, 512), hidden: int = 4096) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        self._last = dict[str, int]()
        for name, (before, after) in zip(_CONVOLUTIONS, pairwise((1, *channels)), strict=True):
            modules += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
            self._last[name] = len(modules)
            if name in _POOLED:
                modules.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules)
        self.embeddings = nn.Sequential(
            nn.Linear(channels[-1] * 6 * 4, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, EMBEDDING_SIZE),
        )

    def forward(self, patches: Tensor, layer: str) -> Tensor:
        """``(patches, 96, 64)`` to the activations of a layer, ``(patches, …)``."""
        x: Tensor = self.features[: self._last.get(layer)](patches.unsqueeze(1))
        if layer in self._last:
            return x
        flat = x.permute(0, 2, 3, 1).flatten(1)  # TensorFlow's order of the dimensions
        depth = {"fc1_1": 2, "fc1_2": 4}.get(layer)
        embedding: Tensor = self.embeddings[:depth](flat)
        return embedding.relu() if layer == "relu" else embedding


class Whitening(nn.Module):
    """``clip(P(x − m), −2, 2)``: principal components of equal variance."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(EMBEDDING_SIZE))
        self.means = nn.Parameter(torch.zeros(EMBEDDING_SIZE))

    def forward(self, embedding: Tensor) -> Tensor:
        """``(…, 128)`` to the same shape."""
        return ((embedding - self.means) @ self.matrix.T).clamp(-2, 2)


def vggish_state(content: Mapping[str, Tensor]) -> StateDict:
    """The state of :class:`VggishNetwork` in a published one, which may hold a classifier or the whitening as well."""
    return {name: tensor for name, tensor in content.items() if name.startswith(("features.", "embeddings."))}


def read_whitening(path: Path) -> Mapping[str, Any]:
    """The two arrays of the published file: NumPy's archive (``.npz``) or torchvggish's ``.pth``.

    Raises:
        ValueError: if it can be read as neither.
    """
    if path.suffix != ".npz":
        with torch.serialization.safe_globals(_ARRAYS):
            return read_checkpoint(path)
    return read_archive(path)


def whitening_state(content: Mapping[str, Any]) -> StateDict:
    """The state of :class:`Whitening` from the published file's two arrays, the means as a column or a row."""
    matrix, means = (torch.as_tensor(content[key]).float() for key in ("pca_eigen_vectors", "pca_means"))
    return {"matrix": matrix, "means": means.flatten()}


class Vggish(NeuralDistance):
    """The norm of the difference of two signals' VGGish activations, in patches of 0.96 s that do not overlap.

    Args:
        sample_rate: in Hz.
        layer: whose activations: ``conv1``, ``conv2``, ``conv3_1``, ``conv3_2``, ``conv4_1``, ``conv4_2``, ``fc1_1``,
            ``fc1_2``, or the embedding as ``raw``, ``relu`` or ``pca`` (see :data:`LAYERS`).
        pooling: ``none`` compares patch by patch, ``mean`` the mean over patches.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: path of a state dict of one's own, of torchvggish or torch-vggish-yamnet; empty for the table's.
        pca_weights: path of the whitening's two arrays, for the layer ``pca``; empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or a file of one's own cannot be used.
        WeightsUnavailableError: if the weights are not here.

    Source:
        Hershey et al. 2017, "CNN architectures for large-scale audio classification" (arXiv:1609.09430);
        github.com/tensorflow/models, research/audioset/vggish; weights converted by github.com/harritaylor/torchvggish.

    Departures:
        ``pca`` is not rounded to 8 bits: rounding has no derivative. Resampling is ours.
    """

    native_sample_rate = SAMPLE_RATE
    source = "Hershey et al. 2017 (arXiv:1609.09430); tensorflow/models, research/audioset/vggish"
    network_type: Callable[[], VggishNetwork] = VggishNetwork

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "raw",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        pca_weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=LAYERS, pooling=pooling, norm=norm, average=average
        )
        self.front_end = AudioSetLogMel(log_offset=0.01)
        network, sha256 = build_network(
            self.network_type, "vggish", weights=weights, random_weights=random_weights, adapt=vggish_state
        )
        self.whitening: FrozenNetwork | None = None
        if layer == "pca":
            whitening, its_sha256 = build_network(
                Whitening,
                "vggish_pca",
                weights=pca_weights,
                random_weights=random_weights,
                read=read_whitening,
                adapt=whitening_state,
            )
            self.whitening = FrozenNetwork(whitening)
            sha256 = hashlib.sha256(f"{sha256}\n{its_sha256}\n".encode()).hexdigest()
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """One patch."""
        return self.front_end.min_samples

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, patches, …)``."""
        patches = self.front_end(signal)
        activations = self.network.at(signal)(patches.flatten(0, 1), self.layer)
        if self.whitening is not None:
            activations = self.whitening.at(signal)(activations)
        return activations.unflatten(0, patches.shape[:2])
