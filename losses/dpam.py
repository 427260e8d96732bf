"""DPAM, a perceptual distance learned from just noticeable differences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .neural import NeuralDistance
from .norms import Norm
from .tensorflow_checkpoint import read_tensors

_SAMPLE_RATE = 22050
_FULL_SCALE = 32768.0
_CHANNELS = tuple(32 * 2 ** (layer // 5) for layer in range(14))
_WIDTH = 3
_SMALLEST_VARIANCE = 0.001
"""Added to the variance: TensorFlow's default for batch normalisation."""


class DpamNetwork(nn.Module):
    """Fourteen convolutions, each halving the signal but the last, and the weights of their channels.

    Source:
        Manocha et al. 2020 (arXiv:2001.04460); order, sizes and slopes as in dpam 0.0.4, ``lossnet`` and
        ``featureloss``, the latter's normalisation being the one of each signal by itself over time: so does the
        package's batch normalisation, which it runs in training mode on a batch of one.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = (1, *_CHANNELS[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, _WIDTH, 1 if layer == len(_CHANNELS) - 1 else 2, bias=False)
            for layer, (before, after) in enumerate(zip(inputs, _CHANNELS, strict=True))
        )
        self.offsets = nn.ParameterList(torch.zeros(channels) for channels in _CHANNELS)
        self.channel_weights = nn.ParameterList(torch.ones(channels) for channels in _CHANNELS)

    def forward(self, signal: Tensor) -> list[Tensor]:
        """``(batch, samples)``, in 16-bit integers' range, to 14 weighted activations ``(batch, channels, time)``."""
        activations, weighted = signal.unsqueeze(1), list[Tensor]()
        for convolution, offset, weights in zip(self.convolutions, self.offsets, self.channel_weights, strict=True):
            stride = 1 if len(weighted) == len(_CHANNELS) - 1 else 2
            filtered = convolution(F.pad(activations, _same_padding(activations.shape[-1], stride)))
            variance, mean = torch.var_mean(filtered, -1, correction=0, keepdim=True)
            normalised = (filtered - mean) * (variance + _SMALLEST_VARIANCE).rsqrt()
            activations = F.leaky_relu(normalised + offset.unsqueeze(-1), 0.2)
            weighted.append(activations * weights.unsqueeze(-1))
        return weighted


def _same_padding(samples: int, stride: int) -> tuple[int, int]:
    """TensorFlow's ``SAME``: as many outputs as steps begin in the signal; the odd zero is at the end."""
    missing = max((-(-samples // stride) - 1) * stride + _WIDTH - samples, 0)
    return missing // 2, missing - missing // 2


def read_dpam(path: Path) -> Mapping[str, Any]:
    """The network's variables in the TensorFlow checkpoint ``NAME.index``, its data beside it."""
    return read_tensors(path, lambda name: name.startswith(("loss_conv_", "weights_")) and "Adam" not in name)


def from_dpam(content: Mapping[str, Any]) -> StateDict:
    """The port's state from the package's variables; the moving statistics, which it does not use, are left out."""
    state: dict[str, Tensor] = {}
    for layer in range(len(_CHANNELS)):
        kernel = torch.tensor(content[f"loss_conv_{layer}/weights"])  # (1, width, inputs, outputs)
        state[f"convolutions.{layer}.weight"] = kernel[0].permute(2, 1, 0).contiguous()
        state[f"offsets.{layer}"] = torch.tensor(content[f"loss_conv_{layer}/BatchNorm/beta"])
        state[f"channel_weights.{layer}"] = torch.tensor(content[f"weights_{layer}"])
    return state


class Dpam(NeuralDistance):
    """The deep perceptual audio metric.

    ``d = Σ_l mean_{c,t} |w_lc (F_l(prediction) − F_l(target))_ct|`` with ``F_l`` the activations of fourteen layers,
    each normalised over time, and ``w`` weights per channel, trained on what listeners could tell apart. At 22,050 Hz,
    full scale being 32,768. The normalisation of the first layer makes it nearly blind to level.

    Args:
        sample_rate: in Hz, a whole number.
        norm: ``l1`` as published, ``l2`` or ``l2_squared``.
        weights: a folder of one's own that holds a checkpoint of dpam's, ``my_test_model``; empty for its default,
            ``scratch``.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if dpam's weights are not here. ``pip install --no-deps dpam`` brings them: only the
            checkpoint is read, so that TensorFlow 1, which the package itself needs, is not needed.

    Source:
        Manocha, Finkelstein, Zhang, Bryan, Mysore & Jin 2020, "A Differentiable Perceptual Audio Metric Learned from
        Just Noticeable Differences" (arXiv:2001.04460); pranaymanocha/PerceptualAudio, ``dpam`` 0.0.4 (MIT).

    Departures:
        The reference code rounds samples to whole numbers, through which no gradient passes; these are not rounded.
    """

    source = "Manocha et al. 2020, DPAM (arXiv:2001.04460); pranaymanocha/PerceptualAudio, dpam 0.0.4"
    native_sample_rate: ClassVar[int | None] = _SAMPLE_RATE
    packages = ("dpam",)

    def __init__(
        self, *, sample_rate: float = 44100, norm: Norm = "l1", weights: str = "", random_weights: bool = False
    ) -> None:
        super().__init__(sample_rate=sample_rate, layer="all", layers=("all",), norm=norm, average=False)
        network, sha256 = build_network(
            DpamNetwork, "dpam", weights=weights, random_weights=random_weights, read=read_dpam, adapt=from_dpam
        )
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """One step of the deepest layers: 8192 samples (zeros at the edges are part of the published distance)."""
        return 2 ** (len(_CHANNELS) - 1)

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 22,050 Hz to all activations, over their layer's size: ``(batch, 1, features)``."""
        layers: list[Tensor] = self.network.at(signal)(_FULL_SCALE * signal)
        return torch.cat([layer.flatten(1) / layer[0].numel() for layer in layers], -1).unsqueeze(1)
