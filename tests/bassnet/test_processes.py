"""Several processes that train together, as ``accelerate launch`` starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tonedeaf.bassnet.checkpoint import BEST, LAST
from tonedeaf.bassnet.history import read_history
from tonedeaf.bassnet.processes import alone, among_launched
from tonedeaf.bassnet.run import load_run

SCRIPT = """
import sys
from pathlib import Path

import torch

sys.path.insert(0, sys.argv[2])
import conftest

from tonedeaf.bassnet.processes import among_launched
from tonedeaf.bassnet.training import train

torch.set_num_threads(1)
processes = among_launched(torch.device("cpu"))
config = conftest.make_config.__wrapped__()(max_steps=12)
make_features = conftest.make_features.__wrapped__()
run = train(
    config, make_features(), make_features((40,), seed=1), Path(sys.argv[1]), processes=processes, resume=True
)
weights = torch.cat([each.flatten() for each in run.model.state_dict().values()])
print(processes.count, processes.index, run.steps, weights.double().sum().item(), flush=True)
"""


def launch(folder: Path, processes: int, script: Path) -> list[list[str]]:
    """What each process printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = [
        subprocess.Popen(
            [sys.executable, script, folder, Path(__file__).parent],
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "WORLD_SIZE": str(processes),
                "RANK": str(index),
                "LOCAL_RANK": str(index),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "ACCELERATE_USE_CPU": "true",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(processes)
    ]
    printed: list[list[str]] = []
    for process in started:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        printed.append(out.split())
    return printed


@pytest.mark.slow
def test_two_processes_hold_the_same_weights(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    printed = launch(tmp_path / "two", 2, script)
    assert [each[:3] for each in printed] == [["2", "0", "12"], ["2", "1", "12"]]
    assert printed[0][3] == printed[1][3]
    # The same batches: the same losses, but for batch normalisation, which sees half a batch.
    launch(tmp_path / "one", 1, script)
    one, two = (read_history(tmp_path / name) for name in ("one", "two"))
    assert [entry.step for entry in two] == [entry.step for entry in one]
    assert two[0].training["level"] == pytest.approx(one[0].training["level"], rel=0.1)
    assert two[-1].validation["loss"] == pytest.approx(one[-1].validation["loss"], rel=0.3)
    assert {path.name for path in (tmp_path / "two").iterdir()} >= {BEST, LAST}
    assert load_run(tmp_path / "two").finished
    # And it goes on from there.
    assert launch(tmp_path / "two", 2, script)[0][2] == "12"


def test_a_single_process_is_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    processes = among_launched(torch.device("cpu"))
    assert (processes.index, processes.count, processes.main) == (0, 1, True)
    values = [torch.tensor([1.0, 2.0])]
    processes.average(values)
    assert values[0].tolist() == [1.0, 2.0]
    assert alone(torch.device("cpu")).from_main([1.5]) == [1.5]
