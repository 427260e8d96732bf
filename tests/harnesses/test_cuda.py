"""Ranking on a GPU: the numbers of a CPU, and how fast. Skipped without one."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tonedeaf.benchmarks.sines import Sines
from tonedeaf.harnesses.cells import prepare
from tonedeaf.harnesses.ranking import Margins, rank
from tonedeaf.harnesses.resources import opened
from tonedeaf.harnesses.suites import HOUSE_MODE, PAPERS_MODE, TABLE1, Suite
from tonedeaf.losses import make

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", ["mss", "log_mss", "log_spectral_transport", "tonedeaf"])
def test_a_gpu_gives_a_cpus_margins(name: str):
    found: dict[str, Margins] = {}
    for where in ("cpu", "cuda"):
        with ThreadPoolExecutor(1) as executor:
            found[where] = rank(
                make(name).to(where),
                Sines(duration=0.2),
                seed=0,
                trials=64,
                memory=2**28,
                device=torch.device(where),
                executor=executor,
            )
    for column, cpu in found["cpu"].items():
        np.testing.assert_allclose(found["cuda"][column], cpu, rtol=1e-3, atol=1e-4 * np.abs(cpu).max())


@pytest.mark.parametrize("suite", [HOUSE_MODE, PAPERS_MODE], ids=lambda suite: suite.name)
@pytest.mark.filterwarnings("ignore:.*mel filters hold no frequency bin:UserWarning")
def test_table_1_takes_3_seconds(suite: Suite):
    cells = [
        prepare(
            name,
            "sines",
            seed=0,
            trials=1000,
            sample_rate=44100,
            duration=None,
            task_preset=suite.task,
            distance_preset=suite.distance,
        )
        for name in TABLE1
    ]

    def run(trials: int) -> float:
        start = time.perf_counter()
        with opened("cuda", "auto") as resources:
            for cell in cells:
                assert cell.distance is not None
                rank(
                    cell.distance.to(resources.device),
                    cell.task,
                    seed=0,
                    trials=trials,
                    memory=resources.memory,
                    device=resources.device,
                    executor=resources.executor,
                )
        return time.perf_counter() - start

    run(256)  # warm-up
    assert run(1000) <= 3
