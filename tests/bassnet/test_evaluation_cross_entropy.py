"""Cross-entropies against scipy's, and their excess against the Kullback-Leibler divergence."""

import numpy as np
import torch
from scipy.stats import entropy

from tonedeaf.bassnet.evaluation_cross_entropy import (
    bernoulli_cross_entropy,
    bernoulli_entropy,
    categorical_cross_entropy,
    categorical_entropy,
)


def test_the_excess_is_the_divergence():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((4, 7, 88), generator=generator, dtype=torch.float64)
    target = torch.rand((4, 7, 88), generator=generator, dtype=torch.float64).pow(4)
    target = target / target.sum(-1, keepdim=True)
    divergence = entropy(target.numpy(), logits.softmax(-1).numpy(), axis=-1)
    ours = categorical_cross_entropy(logits, target) - categorical_entropy(target)
    np.testing.assert_allclose(ours.numpy(), divergence, rtol=1e-9)
    np.testing.assert_allclose(categorical_entropy(target).numpy(), entropy(target.numpy(), axis=-1), rtol=1e-9)


def test_a_sure_and_right_prediction_costs_nothing():
    target = torch.tensor([[0.0, 1.0, 0.0]])
    assert float(categorical_entropy(target)) == 0
    assert float(categorical_cross_entropy(torch.tensor([[-50.0, 50.0, -50.0]]), target)) < 1e-6
    assert bernoulli_entropy(torch.tensor([0.0, 1.0])).tolist() == [0, 0]


def test_soft_levels_have_an_entropy_of_their_own():
    level = torch.linspace(0.02, 0.98, 49, dtype=torch.float64)
    own = bernoulli_entropy(level)
    expected = [entropy([p, 1 - p]) for p in level.tolist()]
    np.testing.assert_allclose(own.numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(bernoulli_cross_entropy(level.logit(), level).numpy(), own.numpy(), rtol=1e-9)
    assert (bernoulli_cross_entropy(level.logit() + 0.5, level) > own).all()
