"""What candidates' distances say of their probabilities: an expectation, and two likelihoods."""

import pytest
import torch

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.many_pitches_paths import PERPLEXITY, SHARPNESS, Entropic, Expected, ManyPitches, Marginal

CQT = CqtConfig(bins_per_octave=12)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_loss_of_expected_is_the_expectation_over_its_candidates():
    """Its gradient is ``p_k (d_k − Σ p d)``."""
    leaf = torch.randn(1, 5, generator=generator(), dtype=torch.float64).requires_grad_()
    values = torch.arange(5, dtype=torch.float64).unsqueeze(0)
    Expected(cqt=CQT).teach(leaf, values).sum().backward()
    p = leaf.detach().softmax(1)
    assert leaf.grad is not None
    assert torch.allclose(leaf.grad, p * (values - (p * values).sum()), atol=1e-12)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_loss_of_marginal_is_bayes_whatever_the_unit(unit: float):
    """Its gradient is prior minus posterior."""
    leaf = torch.randn(1, 5, generator=generator(), dtype=torch.float64).requires_grad_()
    values = torch.tensor([[3.0, 1.0, 1.1, 4.0, 2.0]], dtype=torch.float64)
    Marginal(cqt=CQT).teach(leaf, unit * values).sum().backward()
    p = leaf.detach().softmax(1)
    posterior = (p.log() - SHARPNESS * values / values.std()).softmax(1)
    assert leaf.grad is not None
    assert torch.allclose(leaf.grad, p - posterior, atol=1e-12)


@pytest.mark.parametrize("shape", ["grows", "is flat from afar", "has a blunt bottom"])
def test_the_likelihood_of_entropic_is_equally_sharp_whatever_the_shape_of_the_distance(shape: str):
    """Its gradient is prior minus posterior, too; the likelihood's perplexity is what was asked for."""
    away = (torch.arange(49, dtype=torch.float64) - 20.3).abs().unsqueeze(0)
    values = {"grows": away, "is flat from afar": away.clamp(max=2.0), "has a blunt bottom": away**2}[shape]
    leaf = torch.zeros(1, 49, dtype=torch.float64).requires_grad_()
    Entropic(cqt=CQT).teach(leaf, values).sum().backward()
    assert leaf.grad is not None
    likelihood = (1 / 49 - leaf.grad).clamp(min=0)  # of a prior that is even
    assert likelihood.argmax() == 20
    assert torch.special.entr(likelihood).sum().exp().item() == pytest.approx(PERPLEXITY, rel=1e-6)
    marginal = torch.zeros(1, 49, dtype=torch.float64).requires_grad_()
    Marginal(cqt=CQT).teach(marginal, values).sum().backward()
    assert marginal.grad is not None
    undecided = torch.special.entr((1 / 49 - marginal.grad).clamp(min=0)).sum().exp().item()
    assert (undecided > 3) == (shape != "is flat from afar"), "by the spread of all, what grows is held to be undecided"


@pytest.mark.parametrize("kind", [Marginal, Entropic])
def test_nothing_is_learnt_from_a_distance_that_is_always_the_same(kind: type[ManyPitches]):
    leaf = torch.randn(1, 5, generator=generator()).requires_grad_()
    kind(cqt=CQT).teach(leaf, torch.full((1, 5), 7.0)).sum().backward()
    assert leaf.grad is not None
    assert torch.allclose(leaf.grad, torch.zeros(1, 5), atol=1e-7)
