"""The norm of the difference of two representations, item by item."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Norm = Literal["l1", "l2", "l2_squared"]
"""``l1``: Σ|d|; ``l2``: √Σd²; ``l2_squared``: Σd²."""


def norm_of_difference(prediction: Tensor, target: Tensor, norm: Norm, *, average: bool) -> Tensor:
    """The norm of ``prediction - target`` over all dimensions but the first.

    Args:
        prediction: ``(batch, …)``.
        target: the same shape.
        norm: which norm (see :data:`Norm`).
        average: the mean over the elements in place of the sum Σ.

    Returns:
        ``(batch,)``; its gradient is finite everywhere: at equality ``l1`` and ``l2`` have the subgradient 0.
    """
    difference = (prediction - target).flatten(1)
    if norm == "l1":
        total = difference.abs().sum(-1)
    elif norm == "l2":
        total = torch.linalg.vector_norm(difference, dim=-1)
    else:
        total = difference.square().sum(-1)
    if not average:
        return total
    elements = difference.shape[-1]
    return total / (elements**0.5 if norm == "l2" else elements)


def sum_of_norms(prediction: tuple[Tensor, ...], target: tuple[Tensor, ...], norm: Norm, *, average: bool) -> Tensor:
    """The sum of :func:`norm_of_difference` over several representations, one pair after the other: ``(batch,)``."""
    terms = [
        norm_of_difference(ours, theirs, norm, average=average) for ours, theirs in zip(prediction, target, strict=True)
    ]
    return torch.stack(terms).sum(0)


def check_norm(norm: str) -> Norm:
    """``norm`` itself, or ``ValueError`` naming the allowed ones."""
    for allowed in get_args(Norm):
        if norm == allowed:
            return allowed
    raise ValueError(f"norm must be one of {', '.join(get_args(Norm))}, got {norm!r}")
