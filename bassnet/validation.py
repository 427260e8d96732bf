"""How good a model is on songs it does not learn from: equation 10, decoded from the posterior mean."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import ObjectiveConfig
from .decoding import voicing_threshold
from .model import BassNet, Prediction
from .objective import term_weights, terms, weighted_sum
from .windows import Windows, WindowSource

_BATCH = 100


@torch.no_grad()
def validate(model: BassNet, source: WindowSource, objective: ObjectiveConfig, *, windows: int) -> dict[str, float]:
    """The terms of equation 10, and their weighted sum as ``loss``; the model is left in eval mode.

    Args:
        model: on the features' device.
        source: of the validation songs.
        objective: the weights.
        windows: how many, spread evenly over the songs.
    """
    model.eval()
    totals: dict[str, Tensor] = {}
    voiced = torch.zeros((), device=source.features.device)
    count = 0
    for first in source.spread(windows).split(_BATCH):
        batch, prediction, found = _evaluate(model, source, first)
        share = batch.voiced.sum()
        for name, term in found.items():
            weight = share if name == "f0" else len(first)  # a mean over voiced steps, not over windows
            totals[name] = totals.get(name, 0) + weight * term
        voiced, count = voiced + share, count + len(first)
        del prediction
    means = {name: total / (voiced.clamp(min=1e-9) if name == "f0" else count) for name, total in totals.items()}
    loss = weighted_sum(means, term_weights(objective, step=None))
    return {name: value.item() for name, value in {**means, "loss": loss}.items()}


@torch.no_grad()
def fit_voicing_threshold(model: BassNet, source: WindowSource, *, windows: int) -> float:
    """The level from which a step counts as voiced, from the finest channel of windows of training songs.

    Args:
        model: on the features' device; left in eval mode.
        source: of the training songs.
        windows: how many, spread evenly over the songs.
    """
    model.eval()
    level: list[Tensor] = []
    voiced: list[Tensor] = []
    for first in source.spread(windows).split(_BATCH):
        batch, prediction, _ = _evaluate(model, source, first)
        level.append(prediction.level_logits[:, 0].float().sigmoid().flatten().cpu())
        voiced.append((batch.voiced[:, 0] > 0).flatten().cpu())
    return voicing_threshold(torch.cat(level).double().numpy(), torch.cat(voiced).numpy())


def _evaluate(model: BassNet, source: WindowSource, first: Tensor) -> tuple[Windows, Prediction, dict[str, Tensor]]:
    batch = source.take(first)
    noise = torch.zeros(len(first), model.config.latent, device=batch.x.device)
    posterior, prediction = model(batch.x, batch.y, noise, partners=False)
    return batch, prediction, terms(batch, posterior, prediction, partner=None)
