"""A real cluster of Dask over TCP: workers and schedulers that die."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tonedeaf.harnesses.execution import ClusterLostError, WorkerLostError, execute

distributed = pytest.importorskip("distributed", reason="needs dask.distributed: pip install 'tonedeaf[cluster]'")
dask = pytest.importorskip("dask", reason="comes with it")

CHORES = """
import os, signal, time
from pathlib import Path


def square_or_refuse(n):
    if n == 2:
        raise ValueError(f"not {n}")
    return n * n


def die_the_first_time(folder, n):
    (Path(folder) / f"pid-{os.getpid()}").touch()
    if n == 2:
        try:
            (Path(folder) / "died").mkdir()
        except FileExistsError:
            return n * n
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def die_of_2(n):
    if n == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def note_and_wait(folder, n):
    started = time.time()
    time.sleep(0.3)
    (Path(folder) / f"span-{n}").write_text(f"{started} {time.time()}")
    return n
"""


@pytest.fixture
def chores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "cluster_chores.py").write_text(CHORES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "cluster_chores", raising=False)
    import cluster_chores  # pyright: ignore[reportMissingImports]

    yield cluster_chores
    sys.modules.pop("cluster_chores", None)


def _cluster(workers: int) -> Any:
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        resources={"GPU": 1},
        silence_logs=60,
    )


@pytest.fixture
def cluster(chores: Any) -> Iterator[Any]:
    del chores
    with _cluster(workers=2) as started:
        yield started


def _results(found: Any) -> list[tuple[int, Any]]:
    return sorted((done.index, str(done.error) if done.error else done.result) for done in found)


def test_a_cluster_gives_what_a_serial_run_gives_though_a_worker_is_killed(chores: Any, cluster: Any, tmp_path: Path):
    address = cluster.scheduler_address
    assert address.startswith("tcp://")
    assert _results(execute(chores.square_or_refuse, range(6), dask=address)) == _results(
        execute(chores.square_or_refuse, range(6))
    )
    found = _results(execute(partial(chores.die_the_first_time, tmp_path), range(8), dask=address))
    assert (tmp_path / "died").is_dir()
    assert len(list(tmp_path.glob("pid-*"))) >= 2  # another worker, or its replacement, had the rest
    assert found == [(n, n * n) for n in range(8)]


def test_an_item_that_kills_every_worker_is_given_up_and_the_others_are_not(chores: Any, cluster: Any):
    found = {done.item: done for done in execute(chores.die_of_2, range(4), dask=cluster.scheduler_address)}
    assert isinstance(found[2].error, WorkerLostError)
    assert str(found[2].error).startswith("the workers that computed it died, the last one at tcp://")
    assert [found[n].result for n in (0, 1, 3)] == [0, 1, 9]


def test_items_that_wait_on_the_workers_that_another_kills_are_not_blamed(chores: Any):
    with dask.config.set({"distributed.scheduler.worker-saturation": float("inf")}), _cluster(workers=1) as alone:
        items = [2, 0, 1, 3]  # the one that kills is the first each time
        found = {done.item: done for done in execute(chores.die_of_2, items, dask=alone.scheduler_address)}
    assert [item for item, done in found.items() if done.error is not None] == [2]
    assert [found[n].result for n in (0, 1, 3)] == [0, 1, 9]


def test_a_scheduler_that_goes_away_leaves_what_is_finished(chores: Any, cluster: Any, tmp_path: Path):
    address = cluster.scheduler_address
    done = execute(partial(chores.note_and_wait, tmp_path), range(40), dask=address)
    assert {next(done).result, next(done).result} <= set(range(40))
    cluster.close()
    with pytest.raises(ClusterLostError, match=f"the Dask scheduler at {address} went away; finished records are kept"):
        list(done)


def test_a_card_has_one_item_at_a_time(chores: Any, cluster: Any, tmp_path: Path):
    workers = cluster.scheduler_info["workers"]
    assert len(workers) == 2
    list(
        execute(partial(chores.note_and_wait, tmp_path), range(5), dask=cluster.scheduler_address, resources={"GPU": 1})
    )
    spans = [tuple(map(float, path.read_text().split())) for path in tmp_path.glob("span-*")]
    assert len(spans) == 5
    for start, _ in spans:  # two cards, so never a third at the same time
        assert sum(begun <= start < ended for begun, ended in spans) <= 2
    with pytest.raises(ValueError, match=r"no worker of tcp://.* has 1 FPGA: start one with dask worker"):
        list(execute(chores.square_or_refuse, [1], dask=cluster.scheduler_address, resources={"FPGA": 1}))


def test_no_scheduler_is_said(chores: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tonedeaf.harnesses.dask_cluster._SECONDS_TO_CONNECT", 1)
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 within 1 s"):
        list(execute(chores.square_or_refuse, [1], dask="tcp://127.0.0.1:9"))
