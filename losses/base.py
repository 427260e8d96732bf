"""The contract of an audio distance.

Conventions, for every distance of the suite:

* signals are mono, real, floating point, shaped ``(batch, samples)``, full scale 1.0;
* a distance maps ``(prediction, target)`` to one number per item, shaped ``(batch,)``;
* the number is at least 0, smaller is closer, and 0 at equality;
* an item's number does not depend on the rest of its batch.

Finiteness is not checked here: that would make every call wait for the device. A harness checks it once per batch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from .specification import Specification

Representation = Any
"""A tensor, or a tuple of them, whose first dimension is the batch; only the distance looks inside."""


class AudioDistance(nn.Module, ABC):
    """A distance between audio signals: what a plug-in subclasses.

    A subclass implements :meth:`distance`. If it is a representation plus a norm, it subclasses
    :class:`RepresentationDistance` instead, so that a harness can represent each signal once.

    Args:
        sample_rate: samples per second of the signals that the distance will be given, in Hz.

    Raises:
        ValueError: if ``sample_rate`` is not positive.

    Example:
        >>> import torch
        >>> class MeanAbsolute(AudioDistance):
        ...     def distance(self, prediction, target):
        ...         return (prediction - target).abs().mean(-1)
        >>> MeanAbsolute(sample_rate=16000)(torch.zeros(2, 100), torch.ones(2, 100))
        tensor([1., 1.])
    """

    differentiable: ClassVar[bool] = True
    """Whether autograd's derivative with respect to the prediction means something."""
    symmetric: ClassVar[bool] = True
    """Whether exchanging prediction and target leaves the number unchanged."""
    source: ClassVar[str] = ""
    """Where the distance comes from: the paper and the reference code."""
    native_sample_rate: ClassVar[int | None] = None
    """The one sample rate the distance works at (it resamples others), or None if any will do."""

    specification: Specification | None = None
    """What :func:`tonedeaf.make` was asked for, in full; None on a distance constructed by hand."""

    def __init__(self, *, sample_rate: float = 44100) -> None:
        super().__init__()
        if not 0 < sample_rate < math.inf:
            raise ValueError(f"sample_rate must be positive and finite (Hz), got {sample_rate}")
        self.sample_rate = sample_rate

    @property
    def min_samples(self) -> int:
        """The shortest signal, in samples, for which the distance is defined."""
        return 1

    @abstractmethod
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The distance of each item: ``(batch, samples)`` twice to ``(batch,)``."""

    def represent(self, signal: Tensor) -> Representation:
        """What :meth:`compare` needs of a signal ``(batch, samples)``; the signal itself by default."""
        return signal

    def compare(self, prediction: Representation, target: Representation) -> Tensor:
        """The distance ``(batch,)`` of two representations."""
        return self.distance(prediction, target)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Check both signals, then measure: ``(batch, samples)`` twice to ``(batch,)``.

        Raises:
            ValueError: if the signals are not two real tensors, float32 or float64, of one shape ``(batch, samples)``,
                dtype and device, or are shorter than :attr:`min_samples`. NaN is not looked for (see above): it gives
                NaN.
        """
        self.check_signals(prediction, target)
        return self.distance(prediction, target)

    def check_signals(self, prediction: Tensor, target: Tensor) -> None:
        """Raise ``ValueError`` unless the two signals can be compared (see :meth:`forward`)."""
        for role, signal in (("prediction", prediction), ("target", target)):
            if not isinstance(signal, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ValueError(f"{role} must be a torch.Tensor, got {type(signal).__name__}")
            if signal.ndim != 2 or len(signal) == 0:
                raise ValueError(f"{role} must be shaped (batch, samples), batch at least 1, got {tuple(signal.shape)}")
            if signal.dtype not in (torch.float32, torch.float64):
                raise ValueError(f"{role} must be real floating-point audio, float32 or float64, got {signal.dtype}")
        for what, ours, theirs in (
            ("shape", tuple(prediction.shape), tuple(target.shape)),
            ("dtype", prediction.dtype, target.dtype),
            ("device", prediction.device, target.device),
        ):
            if ours != theirs:
                raise ValueError(f"prediction and target must have one {what}, got {ours} and {theirs}")
        if prediction.shape[-1] < self.min_samples:
            raise ValueError(
                f"{type(self).__name__} needs at least {self.min_samples} samples, got {prediction.shape[-1]}"
            )


class RepresentationDistance(AudioDistance):
    """A distance that is a representation of each signal and a norm of the difference.

    A subclass implements :meth:`represent` and :meth:`compare`; the representation of a signal can then be used again.
    """

    @abstractmethod
    def represent(self, signal: Tensor) -> Representation:
        """The representation of a signal ``(batch, samples)``; its first dimension is the batch."""

    @abstractmethod
    def compare(self, prediction: Representation, target: Representation) -> Tensor:
        """The distance ``(batch,)`` of two representations."""

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``compare(represent(prediction), represent(target))``."""
        return self.compare(self.represent(prediction), self.represent(target))
