"""The cost of a distance."""

import time

import pytest
import torch
from torch import Tensor
from typing_extensions import override

from tonedeaf.benchmarks.sines import Sines
from tonedeaf.harnesses.cost import BATCH, cost
from tonedeaf.losses import AudioDistance

CPU = torch.device("cpu")
TASK = Sines(duration=0.1)


class _Sleepy(AudioDistance):
    """Takes 20 ms, and keeps the difference of the signals for backward."""

    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        time.sleep(0.02)
        return (prediction - target).square().mean(-1)


class _NoGradient(_Sleepy):
    differentiable = False


def test_time_and_memory_are_for_one_pair():
    found = cost(_Sleepy(), TASK, seed=0, device=CPU)
    assert 20 / BATCH <= found["forward_ms"] < 60 / BATCH
    assert 0 < found["backward_ms"] < 20 / BATCH
    assert found["kept_mib"] == pytest.approx(4 * TASK.samples / 2**20, abs=1e-3)  # float32


def test_without_a_gradient_there_is_no_backward():
    found = cost(_NoGradient(), TASK, seed=0, device=CPU)
    assert found["forward_ms"] >= 20 / BATCH
    assert (found["backward_ms"], found["kept_mib"]) == (None, None)
