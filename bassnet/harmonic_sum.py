"""Sums of harmonics with moving pitch and amplitudes, by a recurrence in place of a sine for each partial.

Time is cut into rows of ``hop`` samples, from one frame of the controls to the next. Within a row, at ``u = j/hop`` in
[0, 1), the fundamental has made ``c(u) = start + left·(u − u²/2) + right·u²/2`` cycles, the integral of a frequency
that goes linearly from ``left`` to ``right`` (in cycles a row), and the amplitudes go linearly as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_PART_CPU, _PART_GPU = 2**15, 2**20
"""Samples that go through all partials at once: what a core's cache holds; and what keeps a GPU's memory small."""


class Rows(NamedTuple):
    """The controls of rows.

    Attributes:
        start: cycles of the fundamental at the row's first sample, ``(rows,)``; small numbers, as float32 has 7 digits.
        left: cycles a row, of the frame where it begins, ``(rows,)``.
        right: the same where it ends, ``(rows,)``.
        amplitudes_left: of the partials, where it begins, ``(rows, partials)``.
        amplitudes_right: where it ends, ``(rows, partials)``.
        audible: how many partials sound, from the lowest, ``(rows,)``, whole numbers. Those above are left out,
            whatever their amplitudes, and a row of none costs nothing.
    """

    start: Tensor
    left: Tensor
    right: Tensor
    amplitudes_left: Tensor
    amplitudes_right: Tensor
    audible: Tensor


def harmonic_sum(rows: Rows, hop: int) -> Tensor:
    """``Σ_h a_h(u) sin(2π h c(u))`` over h = 1 … audible, ``(rows, hop)``, differentiable (once) but in ``audible``.

    The sum is Clenshaw's: ``b_h = a_h + 2 cos θ·b_{h+1} − b_{h+2}`` from the highest partial down, and
    ``Σ a_h sin hθ = sin θ·b_1``: three passes over the samples for each partial, and one sine and one cosine for all.
    A factor sin θ stands before the sum, so that rounding is not amplified where θ is near 0: in float32 the error is
    some −115 dB. Samples go through the recurrence in parts that the cache holds, rows with as many partials together;
    what the gradient needs is computed again, so that nothing is kept but the rows.

    Source:
        Clenshaw 1955, A note on the summation of Chebyshev series.
    """
    *controls, audible = rows
    wave: Tensor = _HarmonicSum.apply(*controls, audible, hop)  # pyright: ignore[reportAssignmentType]
    return wave


def _parts(audible: Tensor, hop: int) -> Iterator[tuple[Tensor, int]]:
    """Indices of rows that sound, a part at a time, and the most partials of the part."""
    order = audible.argsort(descending=True, stable=True)
    sorted_audible = audible[order].cpu()
    size = max(1, (_PART_CPU if audible.device.type == "cpu" else _PART_GPU) // hop)
    for begin in range(0, int((sorted_audible > 0).sum()), size):
        yield (
            order[begin : begin + size][sorted_audible[begin : begin + size].to(order.device) > 0],
            int(sorted_audible[begin]),
        )


class _HarmonicSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        start, left, right, amplitudes_left, amplitudes_right, audible, hop = arguments
        ctx.save_for_backward(start, left, right, amplitudes_left, amplitudes_right, audible)
        ctx.hop = hop
        ramp = _ramp(hop, start)
        wave = start.new_zeros(len(start), hop)
        for index, partials in _parts(audible, hop):
            angle = _angle(start[index], left[index], right[index], ramp)
            base = _alive(amplitudes_left, index, partials, audible)
            slope = _alive(amplitudes_right, index, partials, audible) - base
            first, _ = _clenshaw(2 * angle.cos(), base, slope, ramp)
            wave[index] = first.mul_(angle.sin())
        return wave

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        start, left, right, amplitudes_left, amplitudes_right, audible = ctx.saved_tensors
        hop, ramp = ctx.hop, _ramp(ctx.hop, start)
        of_pitch, of_amplitudes = any(ctx.needs_input_grad[:3]), any(ctx.needs_input_grad[3:5])
        pitch = start.new_zeros(3, len(start)) if of_pitch else None
        ends = amplitudes_left.new_zeros(2, *amplitudes_left.shape) if of_amplitudes else None
        along = torch.stack((torch.ones_like(ramp), ramp - ramp**2 / 2, ramp**2 / 2), dim=1)
        for index, partials in _parts(audible, hop):
            angle = _angle(start[index], left[index], right[index], ramp)
            gradient, cosine = grad_outputs[0][index], angle.cos()
            if pitch is not None:
                number = torch.arange(1, partials + 1, dtype=start.dtype, device=start.device)
                base = number * _alive(amplitudes_left, index, partials, audible)
                slope = number * _alive(amplitudes_right, index, partials, audible) - base
                first, second = _clenshaw(2 * cosine, base, slope, ramp)
                pitch[:, index] = 2 * math.pi * (gradient * (cosine * first - second) @ along).T
            if ends is not None:
                total, along_ramp = _projections(angle.sin().mul_(gradient), 2 * cosine, partials, ramp)
                both = torch.stack((total - along_ramp, along_ramp)) * _below(audible[index], partials)
                ends[:, index, :partials] = both
        pitch_gradients = (None, None, None) if pitch is None else pitch.unbind()
        amplitude_gradients = (None, None) if ends is None else ends.unbind()
        return (*pitch_gradients, *amplitude_gradients, None, None)


def _ramp(hop: int, like: Tensor) -> Tensor:
    return torch.arange(hop, dtype=like.dtype, device=like.device) / hop


def _angle(start: Tensor, left: Tensor, right: Tensor, ramp: Tensor) -> Tensor:
    """The fundamental's phase in radians, within half a turn of 0: ``(rows, hop)``."""
    cycles = start.unsqueeze(1) + left.unsqueeze(1) * (ramp - ramp**2 / 2) + right.unsqueeze(1) * (ramp**2 / 2)
    return cycles.sub_(cycles.round()).mul_(2 * math.pi)


def _below(audible: Tensor, partials: int) -> Tensor:
    """Which partials sound: ``(rows, partials)``."""
    return torch.arange(partials, device=audible.device) < audible.unsqueeze(1)


def _alive(amplitudes: Tensor, index: Tensor, partials: int, audible: Tensor) -> Tensor:
    """Amplitudes of the partials that sound, 0 for the others of the part: ``(rows of the part, partials)``."""
    return torch.where(_below(audible[index], partials), amplitudes[index, :partials], 0.0)


def _clenshaw(twice_cosine: Tensor, base: Tensor, slope: Tensor, ramp: Tensor) -> tuple[Tensor, Tensor]:
    """``b_1`` and ``b_2`` of the coefficients ``base + slope·ramp``."""
    first, second = torch.zeros_like(twice_cosine), torch.zeros_like(twice_cosine)
    coefficient = torch.empty_like(twice_cosine)
    for partial in reversed(range(base.shape[1])):
        here = slice(partial, partial + 1)
        torch.addcmul(base[:, here], slope[:, here], ramp, out=coefficient)
        torch.sub(coefficient, second, out=second).addcmul_(twice_cosine, first)
        first, second = second, first
    return first, second


def _projections(first: Tensor, twice_cosine: Tensor, partials: int, ramp: Tensor) -> tuple[Tensor, Tensor]:
    """``Σ_j g_j sin hθ_j`` and ``Σ_j g_j ramp_j sin hθ_j``: two of ``(rows, partials)``.

    ``g sin hθ`` has the sines' recurrence, ``sin (h+1)θ = 2 cos θ·sin hθ − sin (h−1)θ``, so none is kept.

    Args:
        first: ``g sin θ``, ``(rows, hop)``; it is overwritten.
        twice_cosine: ``2 cos θ``, ``(rows, hop)``.
        partials: how many.
        ramp: ``(hop,)``.
    """
    total = first.new_empty(2, partials, len(first))
    before, ones = torch.zeros_like(first), torch.ones_like(ramp)
    for partial in range(partials):
        torch.mv(first, ones, out=total[0, partial])
        torch.mv(first, ramp, out=total[1, partial])
        before.neg_().addcmul_(twice_cosine, first)
        first, before = before, first
    return total[0].T, total[1].T
