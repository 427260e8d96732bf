"""Signal-to-noise ratios turned into distances.

A ratio of ``r`` dB grows without limit as the error vanishes, and is negative for large errors. The distance is
``10·log10(1 + ‖e‖²/‖s‖²) = 10·log10(1 + 10^(−r/10))`` dB: 0 at equality, ``−r`` where the error is large, and the same
order of signals as the ratio's. The three differ in what is the signal ``s`` and what the error ``e``.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from .base import RepresentationDistance

_SMALLEST_SHARE = 1e-8
"""Of an energy that a scaled target is credited with at least: no distance is above 80 dB for being orthogonal."""


class _SignalToNoise(RepresentationDistance):
    """What the three have in common: the mean is removed, and silence is given a direction.

    Silence has none, so that a scale-invariant ratio is 0/0 there. Every signal is therefore continued by one sample of
    height ``√eps``: two silences are equal, silence and a sound are far apart, and louder signals do not notice.
    """

    def __init__(self, *, sample_rate: float = 44100, zero_mean: bool = True, eps: float = 1e-8) -> None:
        super().__init__(sample_rate=sample_rate)
        if not 0 < eps < math.inf:
            raise ValueError(f"eps must be positive (energy), got {eps}")
        self.zero_mean = zero_mean
        self.eps = eps

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, samples + 1)``."""
        if self.zero_mean:
            signal = signal - signal.mean(-1, keepdim=True)
        return torch.nn.functional.pad(signal, (0, 1), value=math.sqrt(self.eps))

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Decibels: ``(batch,)``."""
        return 10 / math.log(10) * torch.log1p(self.noise_to_signal(prediction, target))

    @abstractmethod
    def noise_to_signal(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``‖e‖²/‖s‖²`` of two representations: ``(batch,)``."""


class SignalToNoise(_SignalToNoise):
    """The signal-to-noise ratio as a distance: the error against the target, in dB.

    ``d = 10·log10(1 + ‖prediction − target‖² / ‖target‖²)``.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        zero_mean: remove each signal's mean first.
        eps: energy (a sum over samples, full scale 1) that counts as silence.

    Raises:
        ValueError: if ``eps`` is not positive.

    Source:
        The ratio is ``auraloss.time.SNRLoss``, negated.

    Departures:
        0 at equality and never negative (see the module).

    Example:
        >>> import torch
        >>> t = torch.sin(torch.arange(1000.0)).unsqueeze(0)
        >>> SignalToNoise()(2 * t, t).round(decimals=2)
        tensor([3.0100])
    """

    source = "Signal-to-noise ratio; auraloss.time.SNRLoss"
    symmetric = False

    def noise_to_signal(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``‖prediction − target‖² / ‖target‖²``."""
        return _energy(prediction - target) / _energy(target)


class ScaleInvariantSdr(_SignalToNoise):
    """The scale-invariant signal-to-distortion ratio (SI-SDR) as a distance, in dB.

    ``d = 10·log10(1 + ‖prediction − s‖² / ‖s‖²)`` with the target scaled to fit, ``s = target·⟨prediction, target⟩ /
    ‖target‖²``. It equals ``−20·log10 |cos|`` of the angle between the two, so it is symmetric, and blind to level and
    to polarity.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        zero_mean: remove each signal's mean first.
        eps: energy (a sum over samples, full scale 1) that counts as silence.

    Raises:
        ValueError: if ``eps`` is not positive.

    Source:
        Le Roux, Wisdom, Erdogan & Hershey 2019, "SDR: half-baked or well done?"; ``auraloss.time.SISDRLoss``, negated.

    Departures:
        0 at equality, never negative, at most 80 dB. A silent prediction is far from a sound; with auraloss's constants
        it would be as near as can be.
    """

    source = "Le Roux, Wisdom, Erdogan & Hershey 2019 (arXiv:1811.02508); auraloss.time.SISDRLoss"

    def noise_to_signal(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``‖prediction − s‖² / ‖s‖²``."""
        scaled = _scaled(target, prediction)
        return _energy(prediction - scaled) / (_energy(scaled) + _SMALLEST_SHARE * _energy(prediction))


class ScaleDependentSdr(_SignalToNoise):
    """The scale-dependent signal-to-distortion ratio (SD-SDR) as a distance, in dB.

    ``d = 10·log10(1 + ‖prediction − target‖² / ‖s‖²)`` with the target scaled to fit, ``s = target·⟨prediction,
    target⟩ / ‖target‖²``: unlike the signal-to-noise ratio it is far from a prediction that is too soft.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        zero_mean: remove each signal's mean first.
        eps: energy (a sum over samples, full scale 1) that counts as silence.

    Raises:
        ValueError: if ``eps`` is not positive.

    Source:
        Le Roux, Wisdom, Erdogan & Hershey 2019, "SDR: half-baked or well done?"; ``auraloss.time.SDSDRLoss``, negated.

    Departures:
        0 at equality and never negative.
    """

    source = "Le Roux, Wisdom, Erdogan & Hershey 2019 (arXiv:1811.02508); auraloss.time.SDSDRLoss"
    symmetric = False

    def noise_to_signal(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``‖prediction − target‖² / ‖s‖²``."""
        scaled = _scaled(target, prediction)
        return _energy(prediction - target) / (_energy(scaled) + _SMALLEST_SHARE * _energy(target))


def _energy(signal: Tensor) -> Tensor:
    return signal.square().sum(-1)


def _scaled(target: Tensor, prediction: Tensor) -> Tensor:
    """The target, scaled so that it is as near to the prediction as can be."""
    share = (prediction * target).sum(-1) / _energy(target)
    return target * share.unsqueeze(-1)
