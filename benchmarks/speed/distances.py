"""Every distance of the registry that can run here: forward, and backward to the prediction, at three batch sizes."""

from typing import Any

import pytest
import torch
from torch import Tensor

import tonedeaf
from tonedeaf.losses import describe

SAMPLE_RATE = 44100
SECONDS = 0.5
AVAILABLE = {each.name: each for each in describe() if each.available}


@pytest.mark.parametrize("batch", [1, 4, 16])
@pytest.mark.parametrize("name", AVAILABLE)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_distance(measure: Any, noise: Any, name: str, batch: int, direction: str):
    rate = AVAILABLE[name].sample_rate or SAMPLE_RATE
    distance = tonedeaf.make(name, sample_rate=rate)
    prediction, target = noise(batch, max(round(SECONDS * rate), distance.min_samples))
    labels = ("distances", f"{name}, batch of {batch}", direction)
    facts = {"distance": name, "batch": batch, "seconds": prediction.shape[-1] / rate}
    if direction == "forward":
        with torch.no_grad():
            measure(*labels, lambda: distance(prediction, target), rounds=3, **facts)
        return
    if not distance.differentiable:
        pytest.skip("has no gradient")
    prediction.requires_grad_()

    def forward() -> tuple[tuple[Tensor], dict[str, Any]]:
        return (distance(prediction, target).sum(),), {}

    def backward(total: Tensor) -> None:
        torch.autograd.grad(total, prediction, materialize_grads=True)

    measure(*labels, backward, setup=forward, rounds=3, **facts)
