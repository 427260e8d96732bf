"""The plain loop that the engine is compared with does the same work, and the engine does it faster."""

import importlib.util
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from tonedeaf.benchmarks.sines import Sines
from tonedeaf.losses import make

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture(scope="module")
def ranking() -> ModuleType:
    specification = importlib.util.spec_from_file_location("speed_ranking", SPEED / "ranking.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["log_mss", "log_spectral_transport"])
@pytest.mark.parametrize("phase", ["shared", "new"])
def test_the_plain_loop_finds_the_engines_margins(ranking: ModuleType, name: str, phase: str):
    distance, task = make(name), Sines(duration=0.06, perturbed_phase=phase)  # pyright: ignore[reportArgumentType]
    plain = ranking.plain_loop(distance, task, seed=3, trials=9)
    engine = ranking.engine(distance, task, seed=3, trials=9)
    assert list(plain) == list(engine)
    for column, margins in plain.items():
        np.testing.assert_allclose(engine[column], margins, rtol=1e-3, atol=1e-5 * np.abs(margins).max())


@contextmanager
def _threads(count: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_the_engine_is_as_much_faster_as_it_was(ranking: ModuleType):
    """Half of the stored ratio: other programs may be running."""
    ratios = json.loads((SPEED / "ratios.json").read_text())
    (stored,) = (ratio for name, ratio in ratios.items() if name.endswith("plain loop, one thread"))
    distance, task = ranking.subject()
    found: list[float] = []
    for _ in range(5):  # one after the other, so that whatever else runs slows both
        seconds: list[float] = []
        for run, threads in ((ranking.engine, torch.get_num_threads()), (ranking.plain_loop, 1)):
            start = time.perf_counter()
            with _threads(threads):
                run(distance, task, seed=0, trials=32)
            seconds.append(time.perf_counter() - start)
        found.append(seconds[1] / seconds[0])
    assert os.cpu_count() == 1 or max(found) >= 0.5 * stored
