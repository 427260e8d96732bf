"""How well are the descriptors predicted? Cross-entropies, and the entropies that nothing can get below.

For a target distribution p and a predicted one q, in nats:

- f0, categorical over the bins: ``H(p, q) = −Σ_b p_b·ln q_b``, over voiced frames;
- level and onset, Bernoulli: ``H(p, q) = −p·ln q − (1−p)·ln(1−q)``.

Where the target is soft (a level of 0.6; a pooled step that holds two notes) even a perfect prediction has
``H(p, p) > 0``: the excess ``H(p, q) − H(p, p)``, the Kullback-Leibler divergence, is what the model is to blame for.

Source: Grachten, Lattner & Deruty 2020, equation 10 and Table 1.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .evaluation_intervals import Metric, SongBootstrap
from .run import Run
from .windows import WindowSource

_BATCH = 100


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


@torch.no_grad()
def cross_entropies(run: Run, source: WindowSource, bootstrap: SongBootstrap) -> dict[str, Metric]:
    """Table 1, over the windows that training validates on, each decoded from its posterior mean; and the excesses.

    Of f0 a step counts as its share of voiced frames, as in the objective.

    Args:
        run: on the device of the source's features.
        source: of the songs.
        bootstrap: over the same songs.
    """
    starts = source.features.starts.cpu()
    sums: dict[str, list[NDArray[np.float64]]] = {}
    places: list[NDArray[np.int64]] = []
    middles: list[NDArray[np.int64]] = []
    for first in source.spread(run.config.training.validation_windows).split(_BATCH):
        batch = source.take(first)
        noise = torch.zeros(len(first), run.config.model.latent, device=batch.x.device)
        _, prediction = run.model(batch.x, batch.y, noise, partners=False)
        level, onset = prediction.level_logits.float(), prediction.onset_logits.float()
        terms = {
            "f0_cross_entropy": categorical_cross_entropy(prediction.f0_logits.float(), batch.f0) * batch.voiced,
            "f0_cross_entropy_excess": categorical_entropy(batch.f0) * batch.voiced,
            "voiced": batch.voiced,
            "level_cross_entropy": bernoulli_cross_entropy(level, batch.level),
            "level_cross_entropy_excess": bernoulli_entropy(batch.level),
            "onset_cross_entropy": bernoulli_cross_entropy(onset, batch.onset),
            "onset_cross_entropy_excess": bernoulli_entropy(batch.onset),
            "steps": torch.ones_like(batch.level),
        }
        for name, term in terms.items():
            sums.setdefault(name, []).append(term.double().sum((1, 2)).cpu().numpy())
        place = torch.searchsorted(starts, first, right=True) - 1
        places.append(place.numpy())
        middles.append((first - starts[place] + run.config.model.expanded // 2).numpy())
    total = {name: np.concatenate(parts) for name, parts in sums.items()}
    where = {"song": np.concatenate(places), "frame": np.concatenate(middles)}
    metrics: dict[str, Metric] = {}
    for name, below in (("f0", "voiced"), ("level", "steps"), ("onset", "steps")):
        entropy, floor = total[f"{name}_cross_entropy"], total[f"{name}_cross_entropy_excess"]
        metrics[f"{name}_cross_entropy"] = bootstrap.ratio(entropy, total[below], **where)
        metrics[f"{name}_cross_entropy_excess"] = bootstrap.ratio(entropy - floor, total[below], **where)
    return metrics
