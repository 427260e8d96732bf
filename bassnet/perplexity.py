"""How sharp a likelihood has to be so that it is undecided among a given number of candidates."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_HALVINGS = 40
"""Of the interval of log κ: beyond float32."""
_LOWEST, _HIGHEST = 1e-3, 1e5
"""Of κ, where the distances' mean excess is 1."""
_ROUNDING = 16
"""Roundings of the largest distance: distances that differ by no more in the mean are all alike."""


@torch.no_grad()
def log_likelihood(values: Tensor, perplexity: float, *, repeated: Tensor | None = None) -> Tensor:
    """``−κ·(d − min d)`` with the κ at which ``softmax(−κ·d)`` has the perplexity ``exp(H)``, H its entropy in nats.

    κ is found by bisection of its logarithm, for the entropy falls as κ grows. More candidates that are tied for the
    nearest than the perplexity allow no κ: it is as large as can be then. Where all are alike but for rounding it is 0.

    Args:
        values: distances, ``(batch, candidates)``.
        perplexity: above 1, and below the number of candidates.
        repeated: candidates that do not count, since each is there before, bool, ``(batch, candidates)``.

    Returns:
        ``(batch, candidates)``, no larger than 0.

    Raises:
        ValueError: if the perplexity is not above 1.
    """
    if not perplexity > 1:
        raise ValueError(f"perplexity must be above 1, got {perplexity}")
    counted = torch.ones_like(values, dtype=torch.bool) if repeated is None else ~repeated
    excess = values.double() - values.amin(-1, keepdim=True)
    unit = (excess * counted).sum(-1, keepdim=True) / counted.sum(-1, keepdim=True)
    rounding = _ROUNDING * torch.finfo(values.dtype).eps * values.double().abs().amax(-1, keepdim=True)
    alike = unit <= rounding
    scaled = torch.where(alike, 0.0, excess / torch.where(alike, 1.0, unit))
    low = torch.full_like(unit, math.log(_LOWEST))
    high = torch.full_like(unit, math.log(_HIGHEST))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        share = torch.softmax((-middle.exp() * scaled).masked_fill(~counted, -torch.inf), -1)
        too_even = torch.special.entr(share).sum(-1, keepdim=True) > math.log(perplexity)
        low, high = torch.where(too_even, middle, low), torch.where(too_even, high, middle)
    return (-((low + high) / 2).exp() * scaled).to(values.dtype)
