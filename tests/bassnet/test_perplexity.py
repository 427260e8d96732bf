"""The sharpness of a likelihood, against a root finder; and where there is none."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import softmax
from scipy.stats import entropy

from tonedeaf.bassnet.perplexity import sharpness_for


@pytest.mark.parametrize("perplexity", [1.05, 1.2, 2.0, 10.0])
def test_it_is_what_a_root_finder_finds_whatever_the_unit(perplexity: float):
    excess = torch.rand(6, 49, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    excess -= excess.amin(-1, keepdim=True)
    for unit in (1e-6, 1.0, 1e6):
        found = sharpness_for(unit * excess, perplexity).squeeze(-1).numpy()
        for ours, values in zip(found, (unit * excess).numpy(), strict=True):
            theirs = brentq(_too_even(values, perplexity), 1e-3 / values.mean(), 1e5 / values.mean(), rtol=1e-12)
            assert ours == pytest.approx(theirs, rel=1e-8)


def _too_even(values: np.ndarray, perplexity: float) -> Callable[[float], float]:
    return lambda sharpness: entropy(softmax(-sharpness * values)) - np.log(perplexity)


def test_candidates_that_are_all_alike_have_none():
    assert sharpness_for(torch.zeros(2, 5), 1.2).tolist() == [[0.0], [0.0]]


def test_a_tie_for_the_nearest_is_as_sharp_as_can_be():
    found = sharpness_for(torch.tensor([[0.0, 0.0, 1.0, 2.0]]), 1.2)
    assert found.isfinite().all()
    assert torch.softmax(-found * torch.tensor([0.0, 0.0, 1.0, 2.0]), -1)[0, :2].tolist() == [0.5, 0.5]
