"""Which pitches of a note are tried, when an expectation over all of them would cost too much."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .config import F_MIN, CqtConfig

HIGHEST_BASS = 440.0
"""In Hz; what is drawn at random lies below: the fourth octave of a bass is its last."""

_ANYWHERE, _OCTAVES, _SEMITONES = 0.5, 0.25, 0.25
"""Shares of the proposal: anywhere in the range; one or two octaves off the likeliest pitch; within a fifth of it."""
_FIFTH = 7


class Candidates(NamedTuple):
    """Pitches to try, and what each stands for.

    Attributes:
        bins: ``(batch, candidates)``.
        log_importance: of each, ``(batch, candidates)``: the logarithm of how many bins it stands for. 0 for a bin
            that is there for certain, ``−log(draws·q)`` for one that was drawn with probability q.
    """

    bins: Tensor
    log_importance: Tensor


def draw_candidates(
    log_probabilities: Tensor, *, cqt: CqtConfig, likeliest: int, drawn: int, generator: torch.Generator
) -> Candidates:
    """The likeliest bins, and some drawn from :func:`proposal`, with replacement, among the others.

    With ``w_k = p_k·importance_k`` the sum ``Σ_k w_k d_k`` over the candidates is an unbiased estimate of ``Σ_b p_b
    d_b`` over the likeliest bins and all of the range. Without the drawn ones a pitch that is held to be unlikely would
    never be tried. If no more bins than that lie in the range, they are tried one and all, and nothing is drawn.

    Args:
        log_probabilities: ``(batch, bins)``; no gradient passes.
        cqt: what the bins are.
        likeliest: how many of the likeliest.
        drawn: how many draws.
        generator: on the CPU, where the numbers are drawn for every device alike.
    """
    scores = log_probabilities.detach()
    in_range = pitches_in_range(cqt, scores.device)
    if len(in_range) <= likeliest + drawn:
        every = in_range.expand(len(scores), -1)
        return Candidates(every, torch.zeros_like(every, dtype=scores.dtype))
    best = scores.topk(likeliest, dim=-1).indices
    if drawn == 0:
        return Candidates(best, torch.zeros_like(best, dtype=scores.dtype))
    share = proposal(best[:, 0], cqt).scatter(-1, best, 0.0)
    share = share / share.sum(-1, keepdim=True)
    others = torch.multinomial(share.cpu(), drawn, replacement=True, generator=generator).to(best.device)
    importance = -(drawn * share.gather(-1, others)).log().to(scores.dtype)
    certain = torch.zeros_like(best, dtype=scores.dtype)
    return Candidates(torch.cat((best, others), -1), torch.cat((certain, importance), -1))


def pitches_in_range(cqt: CqtConfig, device: torch.device) -> Tensor:
    """All bins from 27.5 to 440 Hz."""
    return torch.arange(round(cqt.bins_per_octave * math.log2(HIGHEST_BASS / F_MIN)) + 1, device=device)


def proposal(best: Tensor, cqt: CqtConfig) -> Tensor:
    """Probability of drawing a bin, spread over octaves and semitones: ``(batch,)`` best bins to ``(batch, bins)``.

    Half of it is even over the bins from 27.5 to 440 Hz, a quarter lies one and two octaves to either side of the best
    bin, and a quarter within a fifth of it; what falls out of the range is lost to the others.
    """
    per_octave = cqt.bins_per_octave
    bins = torch.arange(cqt.bins, device=best.device)
    inside = bins <= round(per_octave * math.log2(HIGHEST_BASS / F_MIN))
    off = (bins - best.unsqueeze(-1)).abs()
    octaves = (off == per_octave) | (off == 2 * per_octave)
    near = (off > 0) & (off <= _FIFTH * per_octave // 12)
    total = torch.zeros(len(best), cqt.bins, dtype=torch.float64, device=best.device)
    for share, where in ((_ANYWHERE, inside.expand_as(off)), (_OCTAVES, octaves), (_SEMITONES, near)):
        allowed = (where & inside).double()
        total += share * allowed / allowed.sum(-1, keepdim=True).clamp(min=1)
    return total / total.sum(-1, keepdim=True)
