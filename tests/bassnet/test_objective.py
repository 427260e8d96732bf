from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from tonedeaf.bassnet.config import ObjectiveConfig
from tonedeaf.bassnet.model import Posterior, Prediction
from tonedeaf.bassnet.objective import TERMS, kl_between, kl_to_standard, term_weights, terms, weighted_sum
from tonedeaf.bassnet.windows import Windows

BINS = 6


def a_posterior(seed: int) -> Posterior:
    generator = torch.Generator().manual_seed(seed)
    mu, log_variance = torch.randn(2, 5, 2, dtype=torch.float64, generator=generator)
    return Posterior(mu, log_variance)


def as_normal(posterior: Posterior) -> Normal:
    return Normal(posterior.mu, (posterior.log_variance / 2).exp())


def a_batch(*, voiced: bool = True) -> tuple[Windows, Prediction]:
    torch.manual_seed(0)
    shape = (5, 2, 3)
    bins = torch.randint(BINS, shape)
    silent = torch.rand(shape) < 0.3
    f0 = F.one_hot(bins, BINS).double() * ~silent[..., None]
    windows = Windows(
        x=torch.randn(*shape, BINS).double(),
        y=torch.randn(*shape, BINS).double(),
        f0=f0 if voiced else torch.zeros_like(f0),
        voiced=(~silent).double() if voiced else torch.zeros(shape).double(),
        level=torch.rand(shape).double(),
        onset=(torch.rand(shape) < 0.1).double(),
    )
    prediction = Prediction(
        y=torch.randn(*shape, BINS, requires_grad=True),
        f0_logits=torch.randn(*shape, BINS),
        level_logits=torch.randn(shape),
        onset_logits=torch.randn(shape),
    )
    return windows, prediction


def test_divergences_are_torchs():
    one, other = a_posterior(0), a_posterior(1)
    standard = Normal(torch.zeros(5, 2), torch.ones(5, 2))
    torch.testing.assert_close(kl_to_standard(one), kl_divergence(as_normal(one), standard).sum(-1), rtol=1e-9, atol=0)
    expected = kl_divergence(as_normal(one), as_normal(other)).sum(-1)
    torch.testing.assert_close(kl_between(one, other), expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(kl_between(one, one), torch.zeros(5).double(), rtol=0, atol=1e-12)


def test_each_term_is_the_papers():
    windows, prediction = a_batch()
    found = terms(windows, a_posterior(0), prediction, partner=a_posterior(1))
    assert list(found) == list(TERMS)
    # The prediction's single precision decides the tolerance.
    torch.testing.assert_close(found["spectral"], (prediction.y - windows.y).square().mean(), rtol=1e-5, atol=0)
    voiced = windows.voiced > 0
    cce = F.cross_entropy(prediction.f0_logits[voiced], windows.f0.argmax(-1)[voiced])
    torch.testing.assert_close(found["f0"], cce.double(), rtol=1e-5, atol=0)
    for name, logits in (("level", prediction.level_logits), ("onset", prediction.onset_logits)):
        expected = F.binary_cross_entropy(logits.double().sigmoid(), getattr(windows, name))
        torch.testing.assert_close(found[name], expected, rtol=1e-5, atol=0)


def test_a_half_voiced_step_counts_half():
    windows, prediction = a_batch()
    halved = windows.voiced.clone()
    halved[0] *= 0.5
    found = terms(windows._replace(voiced=halved), a_posterior(0), prediction, partner=None)["f0"]
    each = -(prediction.f0_logits.log_softmax(-1) * windows.f0).sum(-1)
    torch.testing.assert_close(found, (each * halved).sum() / halved.sum(), rtol=1e-6, atol=0)


def test_without_voiced_frames_f0_costs_nothing():
    windows, prediction = a_batch(voiced=False)
    found = terms(windows, a_posterior(0), prediction, partner=None)
    assert found["f0"].item() == 0
    assert all(term.isfinite() for term in found.values())


def test_validation_has_no_cross_divergence():
    windows, prediction = a_batch()
    assert "cross_kl" not in terms(windows, a_posterior(0), prediction, partner=None)


def test_weights():
    config = ObjectiveConfig(kl_weight=0.2, cross_kl_weight=0.3, spectral_weight=0.0, kl_warmup_steps=10)
    assert term_weights(config, step=0)["kl"] == 0
    assert term_weights(config, step=5) == pytest.approx(
        {"kl": 0.1, "cross_kl": 0.15, "spectral": 0, "f0": 1, "level": 1, "onset": 1}
    )
    for step in (10, 100, None):
        assert term_weights(config, step=step)["cross_kl"] == 0.3
    found = {name: torch.tensor(float(place)) for place, name in enumerate(TERMS)}
    # kl 0, cross_kl 1, spectral 2, f0 3, level 4, onset 5
    assert weighted_sum(found, term_weights(config, step=None)).item() == pytest.approx(0.3 * 1 + 3 + 4 + 5)


def test_a_dropped_term_has_no_gradient():
    windows, prediction = a_batch()
    found = terms(windows, a_posterior(0), prediction, partner=None)
    loss = weighted_sum(found, term_weights(ObjectiveConfig(spectral_weight=0), step=None))
    assert not loss.requires_grad  # of these predictions only y has a gradient
    found["spectral"] = found["spectral"] * torch.nan
    assert weighted_sum(found, term_weights(ObjectiveConfig(spectral_weight=0), step=None)).isfinite()
