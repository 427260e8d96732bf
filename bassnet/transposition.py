"""Transposed spectra, by interpolation between bins: a cheap stand-in for songs in more tunings than a dataset has.

Four-point Lagrange interpolation is exact for cubics, and the logarithm of a Hann window's main lobe is nearly a
parabola: the bins within 6 dB of a partial's peak come out to about 1 dB as if it had been played there, those at the
lobe's ends to some dB.
"""

from __future__ import annotations

import torch
from torch import Tensor


def transpose(spectra: Tensor, bins: Tensor) -> Tensor:
    """Move log magnitudes along frequency.

    Args:
        spectra: not negative, ``(batch, time, bins)``.
        bins: how far each is moved up, ``(batch,)``; whole numbers only shift.

    Returns:
        Not negative, of the same shape. The outermost bins are continued by themselves.
    """
    batch, time, size = spectra.shape
    whole = torch.floor(-bins)
    t = (-bins - whole).to(spectra.dtype)[:, None, None]
    weights = (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    )
    place = torch.arange(size, device=spectra.device) + whole.long()[:, None]
    moved = torch.zeros_like(spectra)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        index = (place + offset).clamp(0, size - 1)[:, None].expand(batch, time, size)
        moved = moved + weight * spectra.gather(2, index)
    return moved.clamp(min=0)
