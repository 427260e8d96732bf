"""A real cluster of Dask over TCP: workers and schedulers that die."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tonedeaf.harnesses.dask_cluster import DaskExecutor
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


class FakeFuture:
    """A call that Dask has; it ends when a test says so."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function, self.status = function, "pending"
        self._callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    def result(self) -> Any:
        if self.status == "killed":
            raise distributed.KilledWorker("task", SimpleNamespace(address="tcp://last"), 3)
        return self.function()

    def end(self, *, killed: bool = False) -> None:
        self.status = "killed" if killed else "finished"
        for callback in self._callbacks:
            callback(self)


class FakeClient:
    """A client whose calls end by hand; what was sent to the scheduler, in order."""

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        self.status, self.sent = "running", list[FakeFuture]()

    def submit(self, function: Callable[[], Any], **_options: Any) -> FakeFuture:
        if self.status != "running":
            raise RuntimeError("closed")
        self.sent.append(FakeFuture(function))
        return self.sent[-1]

    def scheduler_info(self, **_options: Any) -> dict[str, Any]:
        return {"workers": {"tcp://one": {}}}

    def cancel(self, *_arguments: Any, **_options: Any) -> None: ...

    def close(self, **_options: Any) -> None: ...


def test_a_suspect_is_tried_while_nothing_else_is_under_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(distributed, "Client", FakeClient)
    with DaskExecutor("tcp://nowhere", resources={}) as executor:
        sent = executor._client.sent  # pyright: ignore[reportPrivateUsage]
        killer, innocent, other = (executor.submit(str, name) for name in ("killer", "innocent", "other"))
        sent[0].end(killed=True)
        sent[1].end(killed=True)
        assert not killer.done()
        assert len(sent) == 3, "another call is under way"
        sent[2].end()
        assert other.result() == "other"
        assert len(sent) == 4, "the killer is tried, alone"
        late = executor.submit(str, "late")
        assert len(sent) == 4, "what comes during a trial waits"
        sent[3].end(killed=True)
        with pytest.raises(WorkerLostError, match="the last one at tcp://last"):
            killer.result()
        assert len(sent) == 5
        sent[4].end()
        assert late.result() == "late"
        sent[5].end()
        assert innocent.result() == "innocent"


def test_nothing_is_sent_behind_a_shutdown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(distributed, "Client", FakeClient)
    executor = DaskExecutor("tcp://nowhere", resources={})
    sent = executor._client.sent  # pyright: ignore[reportPrivateUsage]
    for name in ("killer", "innocent"):
        executor.submit(str, name)
    for each in sent[:2]:
        each.end(killed=True)
    executor.submit(str, "late")
    executor.shutdown()
    sent[2].end(killed=True)
    assert len(sent) == 3


def test_what_cannot_be_pickled_is_its_own_error(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_arguments: Any, **_options: Any) -> FakeFuture:
        raise TypeError("cannot pickle")

    monkeypatch.setattr(distributed, "Client", FakeClient)
    monkeypatch.setattr(FakeClient, "submit", refuse)
    with DaskExecutor("tcp://nowhere", resources={}) as executor:
        assert str(executor.submit(str, 1).exception(timeout=1)) == "cannot pickle"


def test_suspects_of_a_scheduler_that_is_lost_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(distributed, "Client", FakeClient)
    with DaskExecutor("tcp://nowhere", resources={}) as executor:
        calls = [executor.submit(str, n) for n in range(3)]
        client = executor._client  # pyright: ignore[reportPrivateUsage]
        client.status = "closed"
        for each in client.sent:
            each.end(killed=True)
        for call in calls:
            assert isinstance(call.exception(timeout=1), ClusterLostError)


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
