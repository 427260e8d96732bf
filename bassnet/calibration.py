"""What a calibration measures: gradients at the model's output, while its batch statistics stay as they are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor

from .model import BassNet
from .path import SegmentPrediction


@contextmanager
def statistics_untouched(model: BassNet) -> Generator[None]:
    """Have a model in training mode change copies of its batch statistics.

    Not restored from copies: within a step, the backward pass of the objective still needs them as they were.
    """
    kept = [
        (module, name, buffer) for module in model.modules() for name, buffer in module.named_buffers(recurse=False)
    ]
    for module, name, buffer in kept:
        setattr(module, name, buffer.clone())
    try:
        yield
    finally:
        for module, name, buffer in kept:
            setattr(module, name, buffer)


def squared_gradient(loss: Tensor, prediction: SegmentPrediction) -> float:
    """``‖∂loss/∂(y, f0_logits)‖²``."""
    if not loss.requires_grad:
        return 0.0
    outputs = (prediction.y, prediction.f0_logits)
    found = torch.autograd.grad(loss, outputs, retain_graph=True, materialize_grads=True)  # 0 for what is not used
    return sum(float(each.square().sum()) for each in found)
