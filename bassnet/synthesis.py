"""The differentiable way from controls to audio: an additive synthesiser with one set of controls a frame.

Frame ``k`` is centred on sample ``hop·k``; between frames pitch and amplitudes go linearly, behind the last they stay.
A frame whose f0 is 0 is silent.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from .config import F_MIN, CqtConfig
from .harmonic_sum import Rows, harmonic_sum
from .level import RANGE_DB

HIGHEST = 4350.0
"""In Hz: where the paper's highest bin lies. Partials fade out below it."""

_SILENT = 1e-8
"""Root sum of squares of amplitudes that is audible as none: what is not there cannot be scaled to a level."""
_FAINT = 1e-3
"""Below this root sum of squares (−60 dB) the normalisation's gradient grows no further: otherwise a frame that is
predicted to be silent would outweigh all others by orders of magnitude."""


def harmonic_synthesis(
    f0: Tensor,
    amplitudes: Tensor,
    *,
    sample_rate: float,
    hop: int,
    samples: int,
    phase: Tensor | None = None,
) -> Tensor:
    """Partials of a moving fundamental: ``y[n] = Σ_h a_h[n] w(h·f0) sin(2π h c[n])`` with ``c`` the integral of f0.

    ``c[n] = phase + ∫ f0 dt`` from the middle of the signal to sample n, so that the derivative of an angle with
    respect to f0 is largest, and no larger than half the duration, at either end. The integral is closed-form, its sum
    over the frames in float64, and only its fraction goes on in the dtype of the arguments: float32 stays accurate for
    hours of audio. ``w`` is the :func:`anti_alias_fade`. Differentiable in f0, amplitudes and phase (once).

    A frame with f0 = 0 has no amplitude and takes the pitch of the nearest frame that has one, so that a note neither
    begins nor ends with a glide, but fades in and out over the frame next to it.

    Args:
        f0: in Hz, not negative, ``(batch, frames)``.
        amplitudes: of partials h = 1, 2, …, linear, full scale 1, ``(batch, frames, harmonics)``.
        sample_rate: in Hz.
        hop: samples a frame.
        samples: how many to make; at most ``frames·hop``.
        phase: the fundamental's in the middle of the signal, in cycles, ``(batch,)``; 0 if None. Partial h has h times
            as much: the waveform is moved, and its shape stays.

    Returns:
        ``(batch, samples)``.

    Raises:
        ValueError: if shapes do not fit, or there are more samples than the frames last.
    """
    batch, frames = _check(f0, amplitudes, hop, samples)
    silent = f0 <= 0
    held = hold(f0, ~silent)
    number = torch.arange(1, amplitudes.shape[-1] + 1, dtype=f0.dtype, device=f0.device)
    limit = min(HIGHEST, sample_rate / 2)
    weight = torch.where(silent.unsqueeze(-1), 0.0, anti_alias_fade(number * held.unsqueeze(-1), limit=limit))
    audible = (weight > 0).sum(-1)

    cycles = frame_cycles(held, sample_rate=sample_rate, hop=hop, samples=samples, phase=phase)
    begins = cycles.begins - cycles.begins.detach().round()
    sounding = amplitudes * weight
    following = torch.cat((sounding[:, 1:], sounding[:, -1:]), dim=1)
    rows = Rows(
        begins.to(f0.dtype).flatten(),
        cycles.left.to(f0.dtype).flatten(),
        cycles.right.to(f0.dtype).flatten(),
        sounding.flatten(0, 1),
        following.flatten(0, 1),
        torch.maximum(audible, torch.cat((audible[:, 1:], audible[:, -1:]), dim=1)).flatten(),
    )
    return harmonic_sum(rows, hop).view(batch, frames * hop)[:, :samples]


def _check(f0: Tensor, amplitudes: Tensor, hop: int, samples: int) -> tuple[int, int]:
    if f0.ndim != 2 or amplitudes.ndim != 3 or amplitudes.shape[:2] != f0.shape or amplitudes.shape[2] == 0:
        raise ValueError(
            "f0 must be shaped (batch, frames) and amplitudes (batch, frames, harmonics), got "
            f"{tuple(f0.shape)} and {tuple(amplitudes.shape)}"
        )
    if not 0 < samples <= f0.shape[1] * hop:
        raise ValueError(f"{f0.shape[1]} frames of {hop} samples last {f0.shape[1] * hop} samples, got {samples}")
    return f0.shape[0], f0.shape[1]


class FrameCycles(NamedTuple):
    """Where a fundamental is, in cycles, float64, ``(batch, frames)``.

    At ``u`` in [0, 1) of the way to the next frame it is ``begins + left·(u − u²/2) + right·u²/2``.

    Attributes:
        begins: at the frames.
        left: cycles a hop at the frame's pitch.
        right: cycles a hop at the next one's; the last frame's own.
    """

    begins: Tensor
    left: Tensor
    right: Tensor


def frame_cycles(f0: Tensor, *, sample_rate: float, hop: int, samples: int, phase: Tensor | None) -> FrameCycles:
    """The integral of a pitch that goes linearly from frame to frame; it is ``phase`` in the middle of the samples.

    Args:
        f0: in Hz, ``(batch, frames)``.
        sample_rate: in Hz.
        hop: samples a frame.
        samples: how many there will be.
        phase: in cycles, ``(batch,)``; 0 if None.
    """
    left = f0.double() * (hop / sample_rate)
    right = torch.cat((left[:, 1:], left[:, -1:]), dim=1)
    ends = ((left + right) / 2).cumsum(1)
    begins = torch.cat((torch.zeros_like(ends[:, :1]), ends[:, :-1]), dim=1)
    frame, rest = divmod(samples / 2, hop)
    middle, u = int(frame), rest / hop
    centre = begins[:, middle] + left[:, middle] * (u - u**2 / 2) + right[:, middle] * (u**2 / 2)
    offset = -centre if phase is None else phase.double() - centre
    return FrameCycles(begins + offset.unsqueeze(1), left, right)


def hold(values: Tensor, known: Tensor) -> Tensor:
    """Each frame's value where it is known, or else that of the nearest frame where it is (of two, the later).

    Args:
        values: ``(batch, frames)``.
        known: likewise, bool; where none is known the values stay.

    Returns:
        ``(batch, frames)``, differentiable in the values.
    """
    frames = values.shape[1]
    place = torch.arange(frames, device=values.device).expand_as(values)
    before = torch.where(known, place, -frames).cummax(1).values
    after = torch.where(known, place, 2 * frames).flip(1).cummin(1).values.flip(1)
    nearest = torch.where(place - before < after - place, before, after)
    return values.gather(1, torch.where(known.any(1, keepdim=True), nearest, place))


def anti_alias_fade(frequency: Tensor, *, limit: float) -> Tensor:
    """Weight of a partial: 1 up to a semitone below ``limit`` (Hz), 0 from there on, between them half a cosine."""
    semitones = 12 * torch.log2(limit / frequency.clamp(min=1e-3))
    return 0.5 - 0.5 * torch.cos(math.pi * semitones.clamp(0, 1))


def harmonic_amplitudes(
    y: Tensor, f0: Tensor, *, cqt: CqtConfig, harmonics: int, detach_position: bool = True, larger: bool = False
) -> Tensor:
    """Amplitudes of the partials of f0, read from a log magnitude: ``expm1(max(y, 0))/log_gain`` at their bins.

    Partial h lies at bin ``b_h = bins_per_octave·log2(h·f0/27.5)``; between two bins the amplitude goes linearly.
    Partials below the first bin take its amplitude, those above the last have none.

    Args:
        y: log magnitude, ``(batch, frames, bins)``.
        f0: in Hz, ``(batch, frames)``; 0 gives amplitudes of 0.
        cqt: what the bins are.
        harmonics: how many partials.
        detach_position: the gradient ignores that ``b_h`` moves with f0; otherwise f0 slides along spectral slopes.
        larger: take the larger of the two bins: a partial between bins is weaker in either than it is.

    Returns:
        ``(batch, frames, harmonics)``, linear, full scale 1.

    Raises:
        ValueError: if ``y`` has another number of bins.
    """
    if y.shape[-1] != cqt.bins:
        raise ValueError(f"{cqt.bins_per_octave} bins an octave are {cqt.bins} bins, got {y.shape[-1]}")
    number = torch.arange(1, harmonics + 1, dtype=y.dtype, device=y.device)
    pitch = f0.detach() if detach_position else f0
    position = cqt.bins_per_octave * torch.log2(number * pitch.unsqueeze(-1).clamp(min=1e-3) / F_MIN)
    inside = (position <= cqt.bins - 1) & (f0 > 0).unsqueeze(-1)
    position = position.clamp(0, cqt.bins - 1)
    lower = position.detach().floor().long().clamp(max=cqt.bins - 2)
    share = position - lower
    magnitude = linear_magnitude(y, cqt)
    below, above = magnitude.gather(-1, lower), magnitude.gather(-1, lower + 1)
    amplitude = torch.maximum(below, above) if larger else below + share * (above - below)
    return torch.where(inside, amplitude, 0.0)


def linear_magnitude(y: Tensor, cqt: CqtConfig) -> Tensor:
    """``expm1(max(y, 0))/log_gain``: what a log magnitude stands for, full scale 1; of the same shape.

    Below 0, where nothing sounds, a gradient that would raise y passes the maximum, as if y were 0. Otherwise a partial
    that has once fallen silent would stay so, whatever a loss says.
    """
    return torch.expm1(cast(Tensor, _NotNegative.apply(y))) / cqt.log_gain


class _NotNegative(torch.autograd.Function):
    """``max(y, 0)``, with the gradient projected onto what is not negative."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        """The maximum."""
        ctx.save_for_backward(y)
        return y.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """The gradient where y is above 0, or would be raised."""
        (y,), (gradient,) = ctx.saved_tensors, gradients
        return torch.where((y > 0) | (gradient < 0), gradient, 0.0)


def at_level(amplitudes: Tensor, level: Tensor) -> Tensor:
    """Amplitudes in the same ratios, with the power of a frame of this level; where they are faint, with less gradient.

    Args:
        amplitudes: of sinusoids, ``(batch, frames, partials)``; where all are 0 they stay so.
        level: in [0, 1], as :func:`.level.absolute_level`: −80 to 0 dB re a full-scale sine, ``(batch, frames)``.

    Returns:
        ``(batch, frames, partials)``, their squares summing up to ``10^(80·(level − 1)/10)``.
    """

    def size(of: Tensor) -> Tensor:
        return (of.square().sum(-1, keepdim=True) + _SILENT**2).sqrt()

    share = (size(amplitudes.detach()) / _FAINT).clamp(max=1)
    limited = torch.lerp(amplitudes.detach(), amplitudes, share)  # the same values, a share of the gradient
    return limited * (10 ** (RANGE_DB / 20 * (level - 1)).unsqueeze(-1) / size(limited))
