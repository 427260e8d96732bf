"""How well are the descriptors predicted? Cross-entropies, and the entropies that nothing can get below.

For a target distribution p and a predicted one q, in nats:

- f0, categorical over the bins: ``H(p, q) = −Σ_b p_b·ln q_b``, over voiced frames;
- level and onset, Bernoulli: ``H(p, q) = −p·ln q − (1−p)·ln(1−q)``.

Where the target is soft (a level of 0.6; a pooled step that holds two notes) even a perfect prediction has
``H(p, p) > 0``: the excess ``H(p, q) − H(p, p)``, the Kullback-Leibler divergence, is what the model is to blame for.

Source: Grachten, Lattner & Deruty 2020, equation 10 and Table 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def categorical_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """``H(p, q)`` of distributions over bins: ``(..., bins)`` twice -> ``(...)``."""
    return -(target * logits.log_softmax(-1)).sum(-1)


def categorical_entropy(target: Tensor) -> Tensor:
    """``H(p, p)``: ``(..., bins)`` -> ``(...)``; 0·ln 0 is 0."""
    return torch.special.entr(target).sum(-1)


def bernoulli_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """``H(p, q)`` of targets in [0, 1]: ``(...)`` twice -> ``(...)``."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")


def bernoulli_entropy(target: Tensor) -> Tensor:
    """``H(p, p)``: ``(...)`` -> ``(...)``."""
    return torch.special.entr(target) + torch.special.entr(1 - target)
