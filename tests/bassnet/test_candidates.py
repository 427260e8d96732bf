"""Which pitches are tried, and that trying some of them does not bias what is learnt."""

import math

import pytest
import torch

from tonedeaf.bassnet.candidates import draw_candidates, proposal
from tonedeaf.bassnet.config import CqtConfig

CQT = CqtConfig(bins_per_octave=12)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("bins_per_octave", [12, 36])
def test_the_proposal_is_spread_over_octaves_and_semitones(bins_per_octave: int):
    cqt = CqtConfig(bins_per_octave=bins_per_octave)
    best = torch.tensor([0, 2 * bins_per_octave, cqt.bins - 1])
    share = proposal(best, cqt)
    assert torch.allclose(share.sum(1), torch.ones(3, dtype=torch.float64))
    assert (share[:, 4 * bins_per_octave + 1 :] == 0).all()  # 440 Hz
    assert (share[:, : 4 * bins_per_octave + 1] > 0).all()  # whatever is likely, all of the range may be tried
    octaves = [0, bins_per_octave, 3 * bins_per_octave, 4 * bins_per_octave]
    semitone = bins_per_octave // 12
    elsewhere = share[1, 2 * bins_per_octave + 9 * semitone]
    assert (share[1, octaves] > 5 * elsewhere).all()
    assert share[1, 2 * bins_per_octave + 7 * semitone] > 1.5 * elsewhere


def test_candidates_estimate_the_expectation_without_bias():
    """10,000 draws: the mean of ``Σ w d`` lies within 4 standard errors of the sum over all bins that may be tried."""
    notes = 10_000
    log_p = (torch.randn(1, CQT.bins, generator=generator(), dtype=torch.float64) * 2).log_softmax(-1)
    values = torch.rand(CQT.bins, generator=generator(), dtype=torch.float64)
    drawn = draw_candidates(log_p.expand(notes, -1), cqt=CQT, likeliest=4, drawn=4, generator=generator())
    assert drawn.bins.shape == (notes, 8)
    best = log_p[0].topk(4).indices
    assert (drawn.bins[:, :4] == best).all()
    assert not torch.isin(drawn.bins[:, 4:], best).any()
    estimates = ((log_p[0, drawn.bins] + drawn.log_importance).exp() * values[drawn.bins]).sum(1)
    tried = proposal(best[:1], CQT)[0] > 0
    tried[best] = True
    exact = (log_p[0].exp() * values)[tried].sum()
    assert abs(estimates.mean() - exact) < 4 * estimates.std() / math.sqrt(notes)
