"""The cost of moving one measure on a line to another."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Order = Literal[1, 2]
"""The exponent ``p`` of the distance moved."""


def transport_cost(prediction: Tensor, target: Tensor, positions: Tensor, order: Order) -> Tensor:
    """``W_p^p``, the least Σ mass·distance^p that makes one measure the other.

    With ``F`` the cumulative sum of a measure over its positions::

        p = 1:  Σ_k |F(prediction)_k − F(target)_k| · (x_{k+1} − x_k)
        p = 2:  Σ_i (r_i − r_{i−1}) · (Q(prediction, r_i) − Q(target, r_i))²

    where ``r`` are the values of both ``F``, sorted, and ``Q(r)`` is the quantile: the first position at which ``F``
    reaches ``r``, the last one if it never does. Levels above 1 do not count.

    It is not the distance, which is its p-th root: for ``p = 2`` the root's slope at equality is infinite. The cost is
    piecewise linear in the masses; its derivative is that of the piece, and 0 at equality.

    Args:
        prediction: masses ``(…, points)``, at least 0, of sum 1.
        target: the same.
        positions: ascending, ``(points,)``, or any shape that broadcasts with the masses.
        order: ``p``, 1 or 2.

    Returns:
        ``(…,)``, in units of the positions to the power ``p``.

    Source:
        Peyré & Cuturi 2019, "Computational Optimal Transport", Remarks 2.28 and 2.30; tested against POT.
    """
    if order == 1:
        difference = (prediction.cumsum(-1) - target.cumsum(-1))[..., :-1]
        return (difference.abs() * positions.diff()).sum(-1)
    ours, theirs = prediction.cumsum(-1), target.cumsum(-1)
    levels = torch.cat((ours, theirs), -1).sort(-1).values.clamp(max=1)
    places = positions.expand(ours.shape)
    moved = _quantiles(ours.detach(), levels.detach(), places) - _quantiles(theirs.detach(), levels.detach(), places)
    widths = torch.diff(levels, dim=-1, prepend=torch.zeros_like(levels[..., :1]))
    return (widths * moved.square()).sum(-1)


def _quantiles(cumulative: Tensor, levels: Tensor, places: Tensor) -> Tensor:
    """The first of the places at which a measure's cumulative sum reaches each level: like ``levels``."""
    indices = torch.searchsorted(cumulative.contiguous(), levels.contiguous())
    return places.gather(-1, indices.clamp(max=places.shape[-1] - 1))


def check_order(order: int) -> Order:
    """``order`` itself, or ``ValueError`` naming the allowed ones."""
    for allowed in get_args(Order):
        if order == allowed:
            return allowed
    raise ValueError(f"order must be 1 or 2, got {order!r}")
