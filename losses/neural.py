"""Neural distances: what a frozen network makes of a signal, and a norm of the difference."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from .base import RepresentationDistance
from .norms import Norm, check_norm, norm_of_difference
from .resampling import Resampler

Pooling = Literal["none", "mean"]
"""What is done with the frames before they are compared: nothing, or the mean over time."""


class FrozenNetwork(nn.Module):
    """A network that is only ever asked: in evaluation mode, its weights without gradients.

    Gradients pass through it to the signal. Weights are kept as they are, and cast once for every other dtype or device
    that a signal comes in.

    Args:
        network: is changed in place: it is frozen.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self._casts: dict[tuple[torch.dtype, torch.device], nn.Module] = {}

    def train(self, mode: bool = True) -> FrozenNetwork:
        """Stay in evaluation mode, whatever a training loop says to the distance."""
        del mode
        return super().train(False)

    def at(self, signal: Tensor) -> nn.Module:
        """The network in the dtype and on the device of a signal."""
        where = (signal.dtype, signal.device)
        own = next((each for each in self.network.parameters() if each.is_floating_point()), None)
        if own is None or (own.dtype, own.device) == where:
            return self.network
        if where not in self._casts:
            self._casts[where] = copy.deepcopy(self.network).to(dtype=signal.dtype, device=signal.device).eval()
        return self._casts[where]


class NeuralDistance(RepresentationDistance):
    """``d = ‖E(prediction) − E(target)‖``, with ``E`` a layer's activations in a frozen network.

    A subclass sets :attr:`native_sample_rate` (signals of another rate are resampled by
    :class:`~tonedeaf.losses.resampling.Resampler`), calls :meth:`freeze` in its constructor, and implements
    :meth:`embed` and :attr:`own_min_samples`.

    Args:
        sample_rate: in Hz.
        layer: whose activations; one of ``layers``.
        layers: those there are.
        pooling: ``none`` compares frame by frame, ``mean`` the mean over time.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.

    Raises:
        ValueError: if a parameter is not one of those allowed; an unknown layer is answered by all there are.
    """

    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions that take part in the numbers, for the record."""
    weights_sha256: str
    """What identifies the weights: see :func:`~tonedeaf.losses.checkpoints.build_network`."""

    def __init__(
        self,
        *,
        sample_rate: float,
        layer: str,
        layers: Sequence[str],
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if layer not in layers:
            raise ValueError(f"{type(self).__name__} has no layer {layer!r}; there are: {', '.join(layers)}")
        if pooling not in ("none", "mean"):
            raise ValueError(f"pooling must be none or mean, got {pooling!r}")
        self.layer, self.pooling = layer, pooling
        self.norm: Norm = check_norm(norm)
        self.average = average
        own_rate = self.native_sample_rate
        self.resample = None if own_rate is None else Resampler(from_rate=sample_rate, to_rate=own_rate)

    def freeze(self, network: nn.Module, weights_sha256: str) -> None:
        """Take a network and what identifies its weights."""
        self.network = FrozenNetwork(network)
        self.weights_sha256 = weights_sha256

    @property
    @abstractmethod
    def own_min_samples(self) -> int:
        """The samples, at the network's own rate, that the first frame of the layer sees: its receptive field."""

    @abstractmethod
    def embed(self, signal: Tensor) -> Tensor:
        """A signal at the network's own rate, ``(batch, samples)``, to activations ``(batch, frames, …)``.

        An item's activations must not depend on the rest of the batch; ``self.network.at(signal)`` is the network to
        ask.
        """

    @property
    def min_samples(self) -> int:
        """The receptive field, in samples at :attr:`sample_rate`."""
        needed = self.own_min_samples
        return needed if self.resample is None else self.resample.samples_needed(needed)

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, …)``, or ``(batch, …)`` if pooled."""
        activations = self.embed(signal if self.resample is None else self.resample(signal))
        return activations.mean(1) if self.pooling == "mean" else activations

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)
