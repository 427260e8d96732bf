"""How sharp a likelihood has to be so that it is undecided among a given number of candidates."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_HALVINGS = 40
"""Of the interval of log κ: beyond float32."""
_LOWEST, _HIGHEST = 1e-3, 1e5
"""Of κ, where the distances' mean excess is 1."""


@torch.no_grad()
def sharpness_for(excess: Tensor, perplexity: float) -> Tensor:
    """The κ at which ``softmax(−κ·excess)`` has a perplexity ``exp(H)``, H its entropy in nats; by bisection.

    Where the candidates allow none (all equally near, or more of them tied for the nearest than that), κ is at an end
    of its range, 1e-3 or 1e5 over the mean excess; 0 where all are equal.

    Args:
        excess: of distances over the smallest one, ``(batch, candidates)``.
        perplexity: between 1 and the number of candidates.

    Returns:
        ``(batch, 1)``.
    """
    unit = excess.mean(-1, keepdim=True)
    scaled = torch.where(unit > 0, excess / unit.clamp(min=torch.finfo(excess.dtype).tiny), 0.0)
    low = torch.full_like(unit, math.log(_LOWEST))
    high = torch.full_like(unit, math.log(_HIGHEST))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        entropy = torch.special.entr(torch.softmax(-middle.exp() * scaled, -1)).sum(-1, keepdim=True)
        too_even = entropy > math.log(perplexity)
        low, high = torch.where(too_even, middle, low), torch.where(too_even, high, middle)
    return torch.where(unit > 0, ((low + high) / 2).exp() / unit.clamp(min=torch.finfo(excess.dtype).tiny), 0.0)
