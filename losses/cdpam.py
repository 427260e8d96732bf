"""CDPAM, a perceptual distance learned from listeners."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .neural import NeuralDistance
from .norms import Norm

_SAMPLE_RATE = 22050
_FULL_SCALE = 32768.0
_WIDTH, _LAYERS, _BLOCK = 15, 16, 4
"""Taps of a convolution, convolutions, and after how many of them every second sample is dropped."""
_DISTANCE_SIZES = (512, 256, 64, 16, 4)


class CdpamNetwork(nn.Module):
    """Sixteen convolutions, a mean over time, and four layers whose weighted differences are the distance.

    Source:
        Manocha, Jin, Zhang & Finkelstein 2021 (arXiv:2102.05109); names, order and slopes as in cdpam 0.0.6,
        ``base_encoder`` and ``lossnet_dfl``.
    """

    layers = ("acoustics", "content", "distance")

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.ebatch = nn.ModuleList(), nn.ModuleList()
        inputs = 1
        for layer in range(_LAYERS):
            outputs = 64 * 2 ** ((layer + 1) // _BLOCK)
            stride = (
                2 if (layer + 1) % _BLOCK == 0 else 1
            )  # dropped after the layer in the reference: the same, at half
            self.encoder.append(nn.Conv1d(inputs, outputs, _WIDTH, stride, padding=_WIDTH // 2))
            self.ebatch.append(nn.BatchNorm1d(outputs))
            inputs = outputs
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Linear(before, after)) for before, after in pairwise(_DISTANCE_SIZES)
        )
        self.chan_w = nn.ParameterList(torch.ones(size) for size in _DISTANCE_SIZES[1:])

    def forward(self, signal: Tensor, layer: str) -> Tensor:
        """``(batch, samples)``, 16-bit integers' range, to ``(batch, 512)``, or ``(batch, 340)`` for ``distance``.

        The latter holds the outputs of the four layers times their channels' weights: their ℓ1 distance is CDPAM.
        """
        activations = signal.unsqueeze(1)
        for convolution, normalisation in zip(self.encoder, self.ebatch, strict=True):
            activations = F.leaky_relu(normalisation(convolution(activations)), 0.1)
        acoustics, content = activations.mean(-1).chunk(2, -1)
        if layer == "content":
            return content
        acoustics = F.normalize(acoustics, dim=-1)
        if layer == "acoustics":
            return acoustics
        weighted: list[Tensor] = []
        for place, (linear, weights) in enumerate(zip(self.convs, self.chan_w, strict=True), start=1):
            acoustics = linear(acoustics)
            if place < len(self.convs):
                acoustics = F.leaky_relu(acoustics, 0.01)
            weighted.append(acoustics * weights)
        return torch.cat(weighted, -1)


def from_cdpam(state: StateDict) -> StateDict:
    """The tensors of cdpam's ``FINnet`` that the distance is made of: all but the classifier it was trained with."""
    prefixes = ("base_encoder.", "model_dist.")
    return {name.partition(".")[2]: tensor for name, tensor in state.items() if name.startswith(prefixes)}


class Cdpam(NeuralDistance):
    """The contrastive deep perceptual audio metric.

    ``d = Σ_l Σ_c |w_lc (F_l(prediction) − F_l(target))_c|`` with ``F_l`` the outputs of four layers on top of the
    "acoustics" half of an encoder's output (averaged over time, then of length 1), and ``w`` weights per channel,
    trained on what listeners called the same or closer. At 22,050 Hz, full scale being 32,768.

    Args:
        sample_rate: in Hz, a whole number.
        layer: ``distance``, or the encoder's output itself: ``acoustics`` (of length 1) or ``content``.
        norm: ``l1`` as published, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the published sum.
        weights: a safetensors file of one's own with cdpam's names; empty for cdpam's.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if cdpam's weights are not here.

    Source:
        Manocha, Jin, Zhang & Finkelstein 2021, "CDPAM: Contrastive learning for perceptual audio similarity"
        (arXiv:2102.05109); pranaymanocha/PerceptualAudio, ``cdpam`` 0.0.6 (MIT).

    Departures:
        The reference code rounds samples to whole numbers, through which no gradient passes; these are not rounded.
    """

    source = "Manocha et al. 2021, CDPAM (arXiv:2102.05109); pranaymanocha/PerceptualAudio, cdpam 0.0.6"
    native_sample_rate: ClassVar[int | None] = _SAMPLE_RATE
    packages = ("cdpam",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "distance",
        norm: Norm = "l1",
        average: bool = False,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(sample_rate=sample_rate, layer=layer, layers=CdpamNetwork.layers, norm=norm, average=average)
        network, sha256 = build_network(
            CdpamNetwork, "cdpam", weights=weights, random_weights=random_weights, adapt=from_cdpam
        )
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """The receptive field of the encoder's first output: 841 samples."""
        return 1 + sum((_WIDTH - 1) * 2 ** (layer // _BLOCK) for layer in range(_LAYERS))

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 22,050 Hz to ``(batch, 1, features)``: the network averages over time."""
        activations: Tensor = self.network.at(signal)(_FULL_SCALE * signal, self.layer)
        return activations.unsqueeze(1)
