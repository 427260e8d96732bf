"""Tones whose partials are no harmonics, as those of stiff strings: a sine for each, for composing only."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .synthesis import HIGHEST, anti_alias_fade, frame_cycles, hold

_FRAMES_AT_ONCE = 500


@torch.no_grad()
def inharmonic_synthesis(
    f0: Tensor, amplitudes: Tensor, ratios: Tensor, *, sample_rate: float, hop: int, samples: int
) -> Tensor:
    """:func:`.synthesis.harmonic_synthesis` with partials at ``ratios·f0``.

    Args:
        f0: in Hz, 0 for silence, ``(batch, frames)``.
        amplitudes: linear, ``(batch, frames, partials)``.
        ratios: of the partials' frequencies to f0, float64, ``(partials,)``.
        sample_rate: in Hz.
        hop: samples a frame.
        samples: how many to make; at most ``frames·hop``.

    Returns:
        ``(batch, samples)``, without a gradient.
    """
    silent = f0 <= 0
    held = hold(f0, ~silent)
    ratios = ratios.to(f0.device)
    frequency = ratios.to(f0.dtype) * held.unsqueeze(-1)
    fade = anti_alias_fade(frequency, limit=min(HIGHEST, sample_rate / 2))
    here = amplitudes * torch.where(silent.unsqueeze(-1), 0.0, fade)
    following = torch.cat((here[:, 1:], here[:, -1:]), dim=1)
    begins, left, right = frame_cycles(held, sample_rate=sample_rate, hop=hop, samples=samples, phase=None)
    u = torch.arange(hop, dtype=torch.float64, device=f0.device) / hop
    ramp = u.to(f0.dtype)
    parts: list[Tensor] = []
    for first in range(0, f0.shape[1], _FRAMES_AT_ONCE):
        part = slice(first, first + _FRAMES_AT_ONCE)
        cycles = begins[:, part, None] + left[:, part, None] * (u - u**2 / 2) + right[:, part, None] * (u**2 / 2)
        total = torch.zeros(cycles.shape, dtype=f0.dtype, device=f0.device)
        for partial, ratio in enumerate(ratios.tolist()):
            turn = ratio * cycles
            wave = (2 * math.pi * (turn - turn.round())).to(f0.dtype).sin_()
            total += torch.lerp(here[:, part, partial, None], following[:, part, partial, None], ramp) * wave
        parts.append(total)
    return torch.cat(parts, dim=1).flatten(1)[:, :samples]
