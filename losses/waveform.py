"""Distances between waveforms, sample by sample."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import AudioDistance
from .norms import Norm, check_norm, norm_of_difference


class Waveform(AudioDistance):
    """The norm of the difference of two waveforms.

    ``d = mean_n |e_n|`` (``l1``), ``√(mean_n e_n²)`` (``l2``) or ``mean_n e_n²`` (``l2_squared``), ``e = prediction −
    target``; without ``average`` sums in place of means.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the samples rather than the sum.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        The ℓ1 and ℓ2 norms. ``torch.nn.L1Loss`` and ``MSELoss`` (``l2_squared``), for each item.

    Example:
        >>> import torch
        >>> Waveform(norm="l2")(torch.zeros(1, 4), 0.5 * torch.ones(1, 4))
        tensor([0.5000])
    """

    source = "The norm of the difference of two waveforms; torch.nn.L1Loss, torch.nn.MSELoss"

    def __init__(self, *, sample_rate: float = 44100, norm: Norm = "l1", average: bool = True) -> None:
        super().__init__(sample_rate=sample_rate)
        self.norm: Norm = check_norm(norm)
        self.average = average

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)


class LogCosh(AudioDistance):
    """The mean logarithm of the hyperbolic cosine of the difference: squares of small errors, magnitudes of large ones.

    ``d = mean_n ln(cosh(a·e_n)) / a``, ``e = prediction − target``.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        a: how soon squares turn into magnitudes: at an error of about 1/a.

    Raises:
        ValueError: if ``a`` is not positive.

    Source:
        Chen et al. 2019, "Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder"; ``auraloss.time.LogCoshLoss``.

    Departures:
        auraloss takes the cosh itself, which is infinite from ``a·|e|`` = 90 in float32 (and its gradient NaN), and
        adds 1e-8 to it, which leaves 1e-8 at equality. Here neither happens.
    """

    source = "Chen et al. 2019 (openreview.net/forum?id=rkglvsC9Ym); auraloss.time.LogCoshLoss"

    def __init__(self, *, sample_rate: float = 44100, a: float = 1.0) -> None:
        super().__init__(sample_rate=sample_rate)
        if not 0 < a < math.inf:
            raise ValueError(f"a must be positive, got {a}")
        self.a = a

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean over the samples: ``(batch,)``."""
        error = (self.a * (prediction - target)).abs()
        # Two forms of ln cosh: the first keeps its digits near 0, the second does not overflow.
        near = torch.log1p(2 * torch.sinh(error.clamp(max=1) / 2).square())
        far = error + torch.log1p(torch.exp(-2 * error)) - math.log(2)
        return torch.where(error < 1, near, far).mean(-1) / self.a


class ErrorToSignal(AudioDistance):
    """The energy of the error, relative to the target's.

    ``d = Σ_n e_n² / (Σ_n target_n² + eps)``, ``e = prediction − target``.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        eps: energy added to the target's (a sum over samples, full scale 1), so that silence can be a target.

    Raises:
        ValueError: if ``eps`` is not positive.

    Source:
        Wright & Välimäki 2019, "Perceptual Loss Function for Neural Modelling of Audio Systems", Equation 1;
        ``auraloss.time.ESRLoss``.

    Departures:
        The paper's pre-emphasis filters are left out, as in auraloss.
    """

    source = "Wright & Välimäki 2019 (arXiv:1911.08922); auraloss.time.ESRLoss"
    symmetric = False

    def __init__(self, *, sample_rate: float = 44100, eps: float = 1e-8) -> None:
        super().__init__(sample_rate=sample_rate)
        if not 0 < eps < math.inf:
            raise ValueError(f"eps must be positive (energy), got {eps}")
        self.eps = eps

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The ratio of each item: ``(batch,)``."""
        return (prediction - target).square().sum(-1) / (target.square().sum(-1) + self.eps)


class DirectCurrent(AudioDistance):
    """The squared difference of two signals' means, relative to the target's power. It is blind to everything else.

    ``d = (mean_n e_n)² / (mean_n target_n² + eps)``, ``e = prediction − target``.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        eps: power added to the target's (a mean over samples, full scale 1), so that silence can be a target.

    Raises:
        ValueError: if ``eps`` is not positive.

    Source:
        Wright & Välimäki 2019, "Perceptual Loss Function for Neural Modelling of Audio Systems", a term beside their
        error-to-signal ratio; ``auraloss.time.DCLoss``.
    """

    source = "Wright & Välimäki 2019 (arXiv:1911.08922); auraloss.time.DCLoss"
    symmetric = False

    def __init__(self, *, sample_rate: float = 44100, eps: float = 1e-8) -> None:
        super().__init__(sample_rate=sample_rate)
        if not 0 < eps < math.inf:
            raise ValueError(f"eps must be positive (power), got {eps}")
        self.eps = eps

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The ratio of each item: ``(batch,)``."""
        return (prediction - target).mean(-1).square() / (target.square().mean(-1) + self.eps)
