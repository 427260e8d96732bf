"""What all measurements of speed share: one thread, one noise, and labels that say what is compared with what.

Outside the package; run by ``make speed``. A measurement says in which ``table`` it stands, which ``work`` was done and
``who`` did it. Times of one work are divided by each other (publish.py), so all of them must do the same.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def measure(benchmark: Any) -> Callable[..., None]:
    """``measure(table, work, who, function, rounds=…, setup=…, **facts)``: the fastest round counts."""

    def measured(
        table: str,
        work: str,
        who: str,
        function: Callable[..., Any],
        /,
        *,
        rounds: int = 5,
        setup: Callable[[], Any] | None = None,
        **facts: Any,
    ) -> None:
        benchmark.group = f"{table}: {work}"
        benchmark.extra_info.update(table=table, work=work, who=who, **facts)
        benchmark.pedantic(function, setup=setup, rounds=rounds, warmup_rounds=1)

    return measured


@pytest.fixture(scope="session")
def noise() -> Callable[[int, int], tuple[Tensor, Tensor]]:
    """Prediction and target, ``(batch, samples)``."""

    def made(batch: int, samples: int) -> tuple[Tensor, Tensor]:
        prediction, target = 0.1 * torch.randn(2, batch, samples, generator=torch.Generator().manual_seed(0))
        return prediction, target

    return made
