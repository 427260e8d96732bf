"""The transport cost on a line is POT's, and its gradient the derivative."""

from typing import Literal

import ot
import pytest
import torch
from torch import Tensor

from tonedeaf.losses.wasserstein import check_order, transport_cost


def _measures(points: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    masses = torch.rand(2, 5, points, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 3
    masses = masses / masses.sum(-1, keepdim=True)
    return masses[0], masses[1]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("points", [2, 37, 400])
def test_cost_is_pots(order: Literal[1, 2], points: int):
    ours, theirs = _measures(points)
    places = torch.rand(points, generator=torch.Generator().manual_seed(1), dtype=torch.float64).sort().values
    column = places[:, None].expand(-1, 5)
    expected = ot.wasserstein_1d(column, column, ours.T.contiguous(), theirs.T.contiguous(), p=order)
    torch.testing.assert_close(transport_cost(ours, theirs, places, order), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("order", [1, 2])
def test_gradient_is_the_derivative(order: Literal[1, 2]):
    # masses above the step, so that no kink (two levels that meet) lies within it
    ours, theirs = (masses + 0.01 for masses in _measures(20))
    theirs = theirs / theirs.sum(-1, keepdim=True)
    places = torch.linspace(0, 3, 20, dtype=torch.float64)

    def cost(free: Tensor) -> Tensor:
        return transport_cost(free / free.sum(-1, keepdim=True), theirs, places, order)

    assert torch.autograd.gradcheck(cost, ours.requires_grad_(), eps=1e-7, atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_at_equality_cost_and_gradient_are_zero(order: Literal[1, 2]):
    ours, _ = _measures(20)
    leaf = ours.clone().requires_grad_()
    cost = transport_cost(leaf, ours, torch.linspace(0, 1, 20, dtype=torch.float64), order)
    (gradient,) = torch.autograd.grad(cost.sum(), leaf)
    assert cost.tolist() == [0] * 5
    assert not gradient.any()


def test_what_lies_above_level_one_does_not_count():
    places = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    target = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    louder = torch.tensor([0.25, 1.0, 7.0], dtype=torch.float64)
    quieter = torch.tensor([0.0, 0.75, 0.0], dtype=torch.float64)
    assert transport_cost(louder, target, places, 2).item() == pytest.approx(0.25 * 1)
    assert transport_cost(quieter, target, places, 2).item() == pytest.approx(0.25 * 4)  # missing at the last place


def test_bad_order_is_named():
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        check_order(3)
