"""Sums of sinusoids: exact at any length, differentiable, and hardly dearer than one sinusoid."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_PART = 2**14
"""Samples that a CPU's cache holds through all steps of Horner's rule."""


def partials(frequencies: Tensor, amplitudes: Tensor, phases: Tensor, samples: int) -> Tensor:
    """``Σ_h a_h cos(2π (f_h·n + φ_h))`` for n = 0 … samples − 1, differentiable in all arguments.

    The angles are split as in :func:`~tonedeaf.benchmarks.signals.oscillator.cosine`, ``n = block·i + j``, and the sum
    over the partials is the inner sum of one batched matrix product, ``(blocks, 2·partials) × (2·partials, block)``:
    ``2·partials·√samples`` evaluations of cosine and sine in place of ``partials·samples``. In float64 the error is
    below 1e-10 per unit of amplitude for the first seconds of audio.

    Args:
        frequencies: in cycles per sample, ``(batch, partials)``, float64.
        amplitudes: ``(batch, partials)``; ``(1, partials)`` is one spectrum for all.
        phases: in cycles, likewise.
        samples: how many.

    Returns:
        ``(batch, samples)``.
    """
    block = math.isqrt(samples - 1) + 1
    step = torch.arange(block, dtype=frequencies.dtype, device=frequencies.device)
    coarse = 2 * math.pi * (frequencies.unsqueeze(-1) * (block * step) + phases.unsqueeze(-1))
    fine = 2 * math.pi * frequencies.unsqueeze(-1) * step
    weights = amplitudes.unsqueeze(-1)
    left = torch.cat((weights * coarse.cos(), -weights * coarse.sin()), dim=-2)
    right = torch.cat((fine.cos(), fine.sin()), dim=-2)
    return torch.bmm(left.mT, right).flatten(1)[:, :samples]


def harmonics_along(cycles: Tensor, amplitudes: Tensor, phases: Tensor) -> Tensor:
    """``Σ_h a_h cos(2π (h·c(n) + φ_h))`` for h = 1, 2, …: harmonics of a fundamental that has made ``c(n)`` cycles.

    For tones whose frequency changes. The sum is a polynomial in ``exp(2πi c)``, evaluated by Horner's rule: one cosine
    and one sine a sample, whatever the number of harmonics.

    Args:
        cycles: the fundamental's, ``(batch, samples)``, float64; the sum is differentiable in them (once), and in
            nothing else.
        amplitudes: ``(batch, harmonics)``.
        phases: in cycles, ``(batch, harmonics)``.

    Returns:
        ``(batch, samples)``.
    """
    coefficients = torch.polar(amplitudes.detach(), 2 * math.pi * phases.detach())
    wave: Tensor = _Harmonics.apply(cycles, coefficients)  # pyright: ignore[reportAssignmentType]
    return wave


def _polynomial(cycles: Tensor, coefficients: Tensor) -> Tensor:
    """The real part of ``Σ_h c_h z^h``, z = exp(2πi cycles): ``(batch, samples)``."""
    if cycles.device.type != "cpu":
        return _horner(cycles, coefficients)
    parts = [
        torch.cat([_horner(part, coefficients[item : item + 1]) for part in cycles[item : item + 1].split(_PART, 1)], 1)
        for item in range(len(cycles))
    ]
    return torch.cat(parts)


def _horner(cycles: Tensor, coefficients: Tensor) -> Tensor:
    angle = 2 * math.pi * (cycles - cycles.floor())
    z = torch.complex(angle.cos(), angle.sin())
    *lower, highest = coefficients.unsqueeze(-1).unbind(1)
    total = highest.expand_as(z).clone()
    for coefficient in reversed(lower):
        total.mul_(z).add_(coefficient)
    return total.mul_(z).real


class _Harmonics(torch.autograd.Function):
    """The polynomial; its derivative is another one, so that no step of the rule is kept."""

    @staticmethod
    def forward(ctx: Any, cycles: Tensor, coefficients: Tensor) -> Tensor:
        ctx.save_for_backward(cycles, coefficients)
        return _polynomial(cycles, coefficients)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, None]:
        cycles, coefficients = ctx.saved_tensors
        number = torch.arange(1, coefficients.shape[1] + 1, dtype=cycles.dtype, device=cycles.device)
        slope = _polynomial(cycles, 2j * math.pi * number * coefficients)
        return grad_outputs[0] * slope, None
