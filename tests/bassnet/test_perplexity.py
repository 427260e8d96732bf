"""The sharpness of a likelihood, against a root finder; and where there is none."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import softmax
from scipy.stats import entropy

from tonedeaf.bassnet.perplexity import log_likelihood


@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("perplexity", [1.05, 1.2, 2.0, 10.0])
def test_it_is_what_a_root_finder_finds_whatever_the_unit(perplexity: float, unit: float):
    values = torch.rand(6, 49, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for ours, one in zip(log_likelihood(unit * values, perplexity).numpy(), values.numpy(), strict=True):
        sharpness = brentq(_too_even(one, perplexity), 1e-2, 1e5, rtol=1e-12)
        assert ours == pytest.approx(-sharpness * (one - one.min()), rel=1e-8)


def _too_even(values: np.ndarray, perplexity: float) -> Callable[[float], float]:
    return lambda sharpness: entropy(softmax(-sharpness * values)) - np.log(perplexity)


@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_candidates_that_are_alike_but_for_rounding_are_equally_likely(noise: float):
    values = 7 + 7 * noise * torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    assert (values[0].std() > 0) == (noise > 0)
    assert not log_likelihood(values, 1.2).any()


def test_a_tie_for_the_nearest_is_as_sharp_as_can_be():
    found = log_likelihood(torch.tensor([[5.0, 5.0, 6.0, 7.0]]), 1.2)
    assert found.isfinite().all()
    assert torch.softmax(found, -1)[0, :2].tolist() == [0.5, 0.5]


def test_a_candidate_that_was_drawn_twice_counts_once():
    values = torch.tensor([[3.0, 1.0, 1.4, 2.0]])
    again = torch.tensor([[3.0, 1.0, 1.4, 1.0, 2.0, 1.0]])
    found = log_likelihood(again, 1.2, repeated=torch.tensor([[False, False, False, True, False, True]]))
    assert torch.allclose(found[:, [0, 1, 2, 4]], log_likelihood(values, 1.2))
    assert found[0, 3] == found[0, 5] == 0


def test_perplexity_1_is_never_reached():
    with pytest.raises(ValueError, match=r"perplexity must be above 1, got 1"):
        log_likelihood(torch.rand(1, 3), 1.0)
