"""Time as a tone with vibrato lives it, in closed form."""

from __future__ import annotations

import math

import torch
from scipy.special import iv
from torch import Tensor

from .additive import partials

_NEGLIGIBLE = 1e-18
"""Terms of the series below this are left out."""


def vibrato_time(phase: Tensor, *, rate: float, depth: float, sample_rate: float, samples: int) -> Tensor:
    """``τ(t) = ∫₀ᵗ 2^(depth/1200·sin(2π (rate·s + phase))) ds`` at t = 0, 1, … samples.

    A tone whose frequency is ``f·2^(depth/1200·sin(…))`` has made ``f·τ(t)`` cycles at time t. With
    ``β = ln 2·depth/1200`` the integrand is ``exp(β sin θ) = I₀ + 2 Σ_k I_k(β) cos(k (θ − π/2))``, a quickly converging
    Fourier series (modified Bessel functions), which is integrated term by term.

    Args:
        phase: of the vibrato, in cycles, ``(batch,)``, float64.
        rate: of the vibrato, in Hz.
        depth: in cents, to either side.
        sample_rate: in Hz.
        samples: how many.

    Returns:
        τ in samples, ``(batch, samples)``: times a frequency in cycles per sample, it is a number of cycles.

    Source:
        Abramowitz & Stegun 1964, 9.6.34 (``exp(β cos θ)``), shifted by a quarter of a cycle.
    """
    beta = math.log(2) * depth / 1200
    orders = [k for k in range(1, 50) if iv(k, beta) > _NEGLIGIBLE]
    step = rate / sample_rate  # cycles of vibrato a sample
    time = torch.arange(samples, dtype=phase.dtype, device=phase.device) * float(iv(0, beta))
    if not orders:
        return time.expand(len(phase), -1)
    number = torch.tensor(orders, dtype=phase.dtype, device=phase.device)
    weights = phase.new_tensor([float(iv(k, beta)) / (math.pi * k * step) for k in orders]).unsqueeze(0)
    # ∫ cos(k (θ − π/2)) is sin(k (θ − π/2)) / k, and a sine is a cosine a quarter of a cycle later.
    start = number * (phase.unsqueeze(-1) - 0.25) - 0.25
    waves = partials((number * step).expand(len(phase), -1), weights, start, samples)
    return time + waves - (weights * (2 * math.pi * start).cos()).sum(-1, keepdim=True)
