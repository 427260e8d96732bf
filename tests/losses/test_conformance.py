"""Every registered distance keeps the contract, and the checks notice one that does not."""

import warnings

import pytest
import torch
from torch import Tensor
from typing_extensions import override

from tonedeaf.losses import AudioDistance, make, names
from tonedeaf.losses.conformance import conformance


def _made(text: str) -> AudioDistance:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty mel filters, which have a test of their own
        try:
            return make(text)
        except ImportError as reason:
            pytest.skip(str(reason))


_HEAVY = {"cdpam", "crepe_full"}
"""A hundred evaluations of networks of 20 million weights and more: minutes."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in _HEAVY else []) for name in names()]
)
def test_registered_distance_keeps_every_promise(name: str):
    broken = [f"{check.name}: {check.message}" for check in conformance(_made(name)) if not check.passed]
    assert not broken


def test_a_sum_keeps_every_promise():
    assert all(check.passed for check in conformance(_made("0.5*log_mss + 0.1*log_spectral_transport")))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: compares it with the CPU")
def test_cuda_agrees_with_cpu():
    different: list[str] = []
    for name in names():
        try:
            distance = _made(name)
        except pytest.skip.Exception:  # one whose weights are not here skips itself, not the others
            continue
        generator = torch.Generator().manual_seed(0)
        signals = torch.randn(2, 2, max(4096, distance.min_samples), generator=generator, dtype=torch.float64)
        here = distance(signals[0], signals[1])
        there = distance.to("cuda")(signals[0].cuda(), signals[1].cuda()).cpu()
        if not torch.allclose(there, here, rtol=1e-6, atol=1e-9):
            different.append(f"{name}: {here.tolist()} on the CPU, {there.tolist()} on the GPU")
    assert not different


class _Mean(AudioDistance):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs().mean(-1)


class _WrongShape(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target).sum()


class _NotZero(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target) + 1


class _Negative(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return -super().distance(prediction, target)


class _Coupled(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target) / target.abs().amax()


class _CoupledInFloat32(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        found = super().distance(prediction, target)
        return found if found.dtype == torch.float64 else found / found.amax()


class _TinyOneSided(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return 1e-12 * super().distance(prediction, target) * (1 + target.abs().mean(-1))


class _Exits(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        raise SystemExit(7)


class _NanAtSilence(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target) / target.abs().amax(-1)


class _InfiniteSlope(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).square().sum(-1).sqrt()


class _Random(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target) * torch.rand(())


class _OneSided(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target) * (1 + target.abs().mean(-1))


class _Single(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().distance(prediction, target).float()


class _WrongGradient(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction.detach() - target).abs().mean(-1) + 0 * prediction.sum(-1)


class _Raises(_Mean):
    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        raise RuntimeError("out of\ncheese")


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        (_WrongShape, "shape"),
        (_NotZero, "identity"),
        (_Negative, "at least 0"),
        (_Coupled, "independence"),
        (_CoupledInFloat32, "independence"),
        (_TinyOneSided, "symmetry"),
        (_Exits, "shape"),
        (_NanAtSilence, "finite"),
        (_InfiniteSlope, "gradient finite"),
        (_Random, "repeatability"),
        (_OneSided, "symmetry"),
        (_Single, "dtype"),
        (_WrongGradient, "gradient = central differences"),
        (_Raises, "shape"),
    ],
)
def test_checks_name_the_broken_promise(cls: type[AudioDistance], promise: str):
    assert all(check.passed for check in conformance(_Mean()))
    broken = [check for check in conformance(cls()) if not check.passed]
    assert any(check.name.startswith(promise) for check in broken), broken
    assert all(check.message and "\n" not in check.message for check in broken)
