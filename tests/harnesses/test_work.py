"""From questions to records by many processes: what one process would have found."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tonedeaf.harnesses import cells, work
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.execution import Done, WorkerLostError
from tonedeaf.harnesses.work import Settings, answer_all
from tonedeaf.results import RecordStore

TIME_AND_PLACE = {"seconds", "peak_memory_mib", "started", "environment", "revision"}
QUICK = ["--duration", "0.06", "--trials", "300"]


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


def _documents(folder: Path) -> dict[str, Any]:
    """The records of a folder but for time and place; per-trial outcomes are in them by their digests."""
    found: dict[str, Any] = {}
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text())
        found[path.name] = {name: value for name, value in document.items() if name not in TIME_AND_PLACE}
    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="needs dask.distributed: pip install 'tonedeaf[cluster]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=60
    ) as started:
        yield started


def _rank(folder: Path, *more: str | Path) -> int:
    plugin = folder.parent / "mine.py"
    plugin.write_text(
        "from tonedeaf.losses import AudioDistance\n"
        "class Mine(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        return (prediction - target).abs().mean(-1)\n"
        "class Late(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        if prediction.shape[-1] > 2600: raise RuntimeError('too long for me')\n"
        "        return (prediction - target).abs().mean(-1)\n"
    )
    distances = ["mfcc", f"{plugin}:Mine", f"{plugin}:Late"]
    return _run("rank", *distances, *QUICK, "--minimum", "2", "--out", folder, *more)


def test_processes_and_a_cluster_find_what_one_process_finds(tmp_path: Path, cluster: Any):
    assert _rank(tmp_path / "serial") == 1
    assert _rank(tmp_path / "processes", "--workers", "2") == 1
    assert _rank(tmp_path / "cluster", "--dask", cluster.scheduler_address) == 1
    serial = _documents(tmp_path / "serial")
    assert len(serial) == 6
    assert sorted(each["status"] for each in serial.values()) == ["failed"] * 2 + ["ok"] * 4
    assert {each["reason"] for each in serial.values() if each["status"] == "failed"} == {
        "RuntimeError: too long for me"
    }
    assert _documents(tmp_path / "processes") == serial
    assert _documents(tmp_path / "cluster") == serial


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("descend", ["--trials", "2", "--steps", "2", "--duration", "0.05"]),
        pytest.param("curve", ["--duration", "0.05"], marks=pytest.mark.slow),
    ],
)
def test_so_do_descents_and_landscapes(tmp_path: Path, command: str, more: list[str]):
    names = ["l2_waveform", "l1_waveform"]
    assert _run(command, *names, *more, "--out", tmp_path / "serial") == 0
    assert _run(command, *names, *more, "--out", tmp_path / "processes", "--workers", "2") == 0
    serial = _documents(tmp_path / "serial")
    assert len(serial) == 2
    assert _documents(tmp_path / "processes") == serial


def test_a_worker_with_other_code_says_so():
    cell = cells.prepare(
        "mss",
        "sines",
        seed=0,
        trials=3,
        sample_rate=44100,
        duration=0.05,
        task_preset={},
        distance_preset={},
    )
    told = work._told(cells.work_of(cell), range(3), Settings("cpu"))  # pyright: ignore[reportPrivateUsage]
    other = dataclasses.replace(told, key="0" * 64)
    with pytest.raises(ValueError, match=r"has other code or weights for mss on sines: install the same version"):
        work._answer_share(other)  # pyright: ignore[reportPrivateUsage]


def test_a_lost_share_fails_its_record_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def lose_one(function: Any, items: Any, **_: Any) -> Any:
        for index, item in enumerate(items):
            lost = item.recipe.distance == "mfcc" and item.share.start > 0
            error = WorkerLostError("it died 3 times") if lost else None
            yield Done(index, item, error, None if lost else function(item))

    monkeypatch.setattr(work, "execute", lose_one)
    prepared = [
        cells.prepare(
            name, "sines", seed=0, trials=300, sample_rate=44100, duration=0.05, task_preset={}, distance_preset={}
        )
        for name in ("mfcc", "spectrogram")
    ]
    store = RecordStore(tmp_path)
    lost, whole = answer_all([cells.work_of(cell) for cell in prepared], store, Settings("cpu", workers=2))
    assert (lost.status, lost.reason) == ("failed", "WorkerLostError: it died 3 times")
    assert (whole.status, store.trials(whole).height) == ("ok", 300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "workers must be at least 1, got 0"),
        (["--workers", "2", "--dask", "tcp://127.0.0.1:9"], "give either workers"),
        (["--dask", "localhost"], "such as tcp://10.0.0.1:8786, got 'localhost'"),
        (["--workers", "2", "--device", "cuda:1"], "each worker has a card of its own: give --device cuda"),
    ],
)
@pytest.mark.parametrize("command", ["rank", "descend", "curve"])
def test_a_wrong_call_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, arguments: list[str], message: str
):
    assert _run(command, "mss", *arguments, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path):
    out = tmp_path / "out"
    call = [
        "rank",
        "l1_waveform",
        "log_mss",
        "--trials",
        "4000",
        "--duration",
        "0.05",
        "--workers",
        "2",
        "--out",
        str(out),
    ]
    program = f"from tonedeaf.harnesses.cli import run_command\nimport sys\nsys.exit(run_command({call!r}))"
    guarded = tmp_path / "program.py"
    guarded.write_text("if __name__ == '__main__':\n    " + program.replace("\n", "\n    ") + "\n")
    with subprocess.Popen([sys.executable, str(guarded)], stderr=subprocess.PIPE, text=True) as started:
        deadline = time.monotonic() + 120
        while not list(out.glob("ranking-l1_waveform-*.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        os.kill(started.pid, signal.SIGINT)
        _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert (
        errors.strip()
        == "interrupted; finished records are kept: run the same command again to compute what is missing"
    )
    assert [record.distance.name for record in RecordStore(out).read_all()] == ["l1_waveform"]
