"""Cheaper derivatives are the derivatives."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from tonedeaf.harnesses.cheap_derivatives import CheapDerivatives
from tonedeaf.losses import make

DISTANCES = ["mss", "log_mss[padding=reflect]", "auraloss_mrstft", "ddsp_mss", "log2_spectral_centroid", "tonedeaf"]


def _signals(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def _framed(signal: Tensor, size: int, step: int) -> Tensor:
    return torch.view_as_real(torch.fft.rfft(signal.unfold(-1, size, step)))


@pytest.mark.parametrize(("size", "step"), [(8, 2), (6, 3), (5, 5), (7, 1), (9, 4), (8, 3)])
@pytest.mark.parametrize("samples", [16, 17, 23])
def test_the_first_and_second_derivatives_are_right(size: int, step: int, samples: int):
    signal = _signals(2, samples).requires_grad_()

    def measured(signal: Tensor) -> Tensor:
        with CheapDerivatives():
            return _framed(signal, size, step).square().sum(-1)

    assert torch.autograd.gradcheck(measured, signal)
    assert torch.autograd.gradgradcheck(measured, signal)
    assert torch.equal(measured(signal), _framed(signal, size, step).square().sum(-1))


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distances_gradient_is_pytorchs(name: str):
    distance, (target, prediction) = make(name), _signals(2, 2, 6000)
    gradients: list[Tensor] = []
    for cheap in (False, True):
        leaf = prediction.clone().requires_grad_()
        if cheap:
            with CheapDerivatives():
                found = distance(leaf, target)
        else:
            found = distance(leaf, target)
        gradients.append(torch.autograd.grad(found.sum(), leaf)[0])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-12 * float(gradients[0].abs().max()))


def test_it_is_used_where_it_can_be_and_in_its_thread_only():
    signal = _signals(1, 64).requires_grad_()

    def kinds() -> tuple[str, str]:
        frames = signal.unfold(-1, 8, 2)
        return type(frames.grad_fn).__name__, type(torch.fft.rfft(frames).grad_fn).__name__

    plain = kinds()
    with CheapDerivatives(), ThreadPoolExecutor(1) as executor:
        assert kinds() == ("_UnfoldBackward", "_RfftBackward")
        assert executor.submit(kinds).result() == plain
        assert torch.fft.rfft(signal, n=32).grad_fn.__class__.__name__ == plain[1]  # another length: PyTorch's own
        with torch.no_grad():
            assert torch.fft.rfft(signal).grad_fn is None
