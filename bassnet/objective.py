"""The training objective: equations 5 to 10 of the paper.

For a window ``(x, y)`` and its partner ``(u, v)`` from the neighbourhood::

    L_train = KL(N_xy ‖ N_uv) + KL(N_xy ‖ N(0, I)) + MSE(y, ŷ) + CCE(f0, f̂0) + BCE(level) + BCE(onset)

where everything with a hat is decoded from x and a z that is drawn from ``N_uv``. ``L_test`` lacks the first term and
decodes from the mean of ``N_xy`` itself. Each term has a weight. KL is summed over z's dimensions, in nats; MSE is the
mean over steps and bins, BCE over steps, and CCE over voiced steps: a step of a coarse channel counts as its share of
voiced frames. All are means over the batch.

Source: Grachten, Lattner & Deruty 2020, 4.4.2. It states no weights, and not how the terms are averaged.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .config import ObjectiveConfig
from .model import Posterior, Prediction
from .windows import Windows

TERMS = ("kl", "cross_kl", "spectral", "f0", "level", "onset")
"""Of the objective, unweighted, as they are logged."""


def kl_to_standard(posterior: Posterior) -> Tensor:
    """``KL(N(μ, σ²) ‖ N(0, I))`` in nats: ``(batch,)``."""
    mu, log_variance = posterior
    return (mu.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2


def kl_between(first: Posterior, second: Posterior) -> Tensor:
    """``KL(first ‖ second)`` in nats: ``(batch,)``."""
    difference = first.log_variance - second.log_variance
    distance = (first.mu - second.mu).square() * torch.exp(-second.log_variance)
    return (difference.exp() + distance - difference - 1).sum(-1) / 2


def terms(
    windows: Windows, posterior: Posterior, prediction: Prediction, *, partner: Posterior | None
) -> dict[str, Tensor]:
    """The terms of the objective, unweighted scalars, by the names in :data:`TERMS`.

    Args:
        windows: what was to be predicted.
        posterior: of z, given each window.
        prediction: of each window's bass.
        partner: of z, given each window's partner; None leaves out the divergence between the two.
    """
    found = {"kl": kl_to_standard(posterior).mean()}
    if partner is not None:
        found["cross_kl"] = kl_between(posterior, partner).mean()
    found["spectral"] = F.mse_loss(prediction.y.float(), windows.y)
    likelihood = (prediction.f0_logits.float().log_softmax(-1) * windows.f0).sum(-1)
    voiced = windows.voiced.sum().clamp(min=torch.finfo(likelihood.dtype).tiny)  # without any, what it divides is 0
    found["f0"] = -(likelihood * windows.voiced).sum() / voiced
    found["level"] = F.binary_cross_entropy_with_logits(prediction.level_logits.float(), windows.level)
    found["onset"] = F.binary_cross_entropy_with_logits(prediction.onset_logits.float(), windows.onset)
    return found


def weighted_sum(found: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """The objective: ``Σ weight·term`` over the terms that have a weight other than 0."""
    weighted = (weights[name] * term for name, term in found.items() if weights[name] != 0)
    return sum(weighted, start=torch.zeros_like(found["kl"]))


def term_weights(objective: ObjectiveConfig, *, step: int | None) -> dict[str, float]:
    """The weight of each term.

    Args:
        objective: the weights.
        step: of training, from 0, for the warm-up of the divergences; None for validation, which has none.
    """
    warmup = objective.kl_warmup_steps
    rise = 1.0 if step is None or not warmup else min(1.0, step / warmup)
    return {
        "kl": objective.kl_weight * rise,
        "cross_kl": objective.cross_kl_weight * rise,
        "spectral": objective.spectral_weight,
        "f0": objective.f0_weight,
        "level": objective.level_weight,
        "onset": objective.onset_weight,
    }
