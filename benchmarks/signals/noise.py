"""Noise that is the same in every batch and on every device."""

from __future__ import annotations

import torch
from torch import Tensor

_SEEDS = 2**53


def draw_noise_seeds(count: int, generator: torch.Generator) -> Tensor:
    """Seeds ``(count,)`` for :func:`white_noise`: what a task draws, since the noise itself would fill its blocks."""
    return torch.randint(_SEEDS, (count,), generator=generator)


def white_noise(seeds: Tensor, samples: int) -> Tensor:
    """Gaussian noise of variance 1, each item a function of its seed: ``(batch,)`` to ``(batch, samples)``, float64.

    It is drawn on the CPU, where the numbers do not depend on the device that they are moved to.
    """
    generator = torch.Generator()
    noise = [
        torch.randn(samples, generator=generator.manual_seed(seed), dtype=torch.float64) for seed in seeds.tolist()
    ]
    return torch.stack(noise).to(seeds.device)
