"""YAMNet: a MobileNet that names AudioSet's sounds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from .audioset_log_mel import SAMPLE_RATE, AudioSetLogMel
from .checkpoints import build_network
from .neural import NeuralDistance, Pooling
from .norms import Norm

_PATCH_HOP = 48
"""Frames from one patch to the next: 0.48 s, as published."""
_CLASSES = 521
_STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)

LAYERS = (*(f"layer{number}" for number in range(1, len(_STRIDES) + 1)), "embedding", "logits")
"""From the input on; the embedding is the last layer's mean over time and frequency."""


class _Convolution(nn.Module):
    """A convolution padded as TensorFlow does (``SAME``: what is odd goes to the end), batch norm and ReLU."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=1e-4)

    def forward(self, x: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.conv.kernel_size, self.conv.stride
        margins: list[int] = []
        for length in (x.shape[-1], x.shape[-2]):
            total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
            margins += [total // 2, total - total // 2]
        activations: Tensor = self.bn(self.conv(nn.functional.pad(x, margins)))
        return activations.relu()


class _Fused(nn.Module):
    """The first layer: one convolution over both dimensions."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.fused = _Convolution(before, after, 3, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.fused(x)


class _Separable(nn.Module):
    """A convolution of each channel by itself, then one that mixes the channels."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.depthwise_conv = _Convolution(before, before, 3, stride, groups=before)
        self.pointwise_conv = _Convolution(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))


class YamnetNetwork(nn.Module):
    """Fourteen layers of (separable) convolutions, mean, and a linear layer for 521 classes.

    The parameters have the names of torch_audioset's state dict (``layer1.fused.conv.weight`` … ``classifier.bias``).

    Args:
        channels: of the fourteen layers.
    """

    def __init__(self, *, channels: tuple[int, ...] = _CHANNELS) -> None:
        super().__init__()
        for number, (stride, (before, after)) in enumerate(zip(_STRIDES, pairwise((1, *channels)), strict=True), 1):
            self.add_module(f"layer{number}", (_Separable if number > 1 else _Fused)(before, after, stride))
        self.classifier = nn.Linear(channels[-1], _CLASSES)

    def forward(self, patches: Tensor, layer: str) -> Tensor:
        """``(patches, 96, 64)`` to the activations of a layer, ``(patches, …)``."""
        x = patches.unsqueeze(1)
        for name, module in self.named_children():
            if name == "classifier":
                break
            x = module(x)
            if name == layer:
                return x
        embedding = x.mean((-2, -1))
        return embedding if layer == "embedding" else self.classifier(embedding)


class Yamnet(NeuralDistance):
    """The norm of the difference of two signals' YAMNet activations, in patches of 0.96 s, one every 0.48 s.

    The signal is continued by silence to a whole number of patches, as the published code does it.

    Args:
        sample_rate: in Hz.
        layer: whose activations: ``layer1`` to ``layer14``, ``embedding`` or ``logits``.
        pooling: ``none`` compares patch by patch, ``mean`` the mean over patches.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: path of a state dict of one's own, of torch_audioset or torch-vggish-yamnet; empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or a file of one's own cannot be used.
        WeightsUnavailableError: if the weights are not here.

    Source:
        github.com/tensorflow/models, research/audioset/yamnet; weights converted by github.com/w-hc/torch_audioset.

    Departures:
        Resampling is ours.
    """

    native_sample_rate = SAMPLE_RATE
    source = "Plakal & Ellis 2019; tensorflow/models, research/audioset/yamnet"
    network_type: Callable[[], YamnetNetwork] = YamnetNetwork

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "embedding",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=LAYERS, pooling=pooling, norm=norm, average=average
        )
        self.front_end = AudioSetLogMel(log_offset=0.001, patch_hop=_PATCH_HOP)
        self.freeze(*build_network(self.network_type, "yamnet", weights=weights, random_weights=random_weights))

    @property
    def own_min_samples(self) -> int:
        """Any signal makes a patch: see above."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, patches, …)``."""
        patches = self.front_end(nn.functional.pad(signal, (0, self._missing(signal.shape[-1]))))
        activations: Tensor = self.network.at(signal)(patches.flatten(0, 1), self.layer)
        return activations.unflatten(0, patches.shape[:2])

    def _missing(self, samples: int) -> int:
        """The samples that a whole number of patches, at least one, takes beyond these."""
        first = self.front_end.min_samples
        hop = self.front_end.hop_samples
        return first - samples if samples <= first else (first - samples) % hop
