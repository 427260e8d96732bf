"""The same items in processes, on a cluster and here: the same results, whatever dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tonedeaf.harnesses import processes
from tonedeaf.harnesses.execution import Done, WorkerLostError, check_parallelism, execute

# Workers import what they are to call; the tests' own modules they could not.
CHORES = """
import os, signal, time
from pathlib import Path


def square(n):
    return n * n


def square_or_refuse(n):
    if n == 2:
        raise ValueError(f"not {n}")
    return n * n


def die_the_first_time(folder, n):
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


def say_pid_and_wait(folder, n):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.05 if n == 0 else 600)
    return n


def threads(_):
    import torch

    return torch.get_num_threads()


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def raise_what_cannot_be_read_again(n):
    raise Odd(n, n)


def print_something(n):
    print("something")
    return n
"""


@pytest.fixture
def chores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "chores.py").write_text(CHORES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "chores", raising=False)
    import chores  # pyright: ignore[reportMissingImports]

    yield chores
    sys.modules.pop("chores", None)


def _sorted(done: Iterator[Done[Any, Any]]) -> list[tuple[int, Any, Any]]:
    """Index, item, and result or error's text."""
    return sorted((each.index, each.item, str(each.error) if each.error else each.result) for each in done)


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_here_in_order_one_after_the_other(chores: Any):
    done = execute(chores.square_or_refuse, iter([3, 2, 1]))
    assert next(done).result == 9
    assert isinstance(next(done).error, ValueError)
    assert next(done).result == 1


def test_processes_give_what_a_serial_run_gives(chores: Any):
    serial = _sorted(execute(chores.square_or_refuse, range(12)))
    assert serial[2] == (2, 2, "not 2")
    assert _sorted(execute(chores.square_or_refuse, range(12), workers=2)) == serial
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_replaced_and_its_item_tried_again(chores: Any, tmp_path: Path):
    found = _sorted(execute(partial(chores.die_the_first_time, tmp_path), range(5), workers=2))
    assert (tmp_path / "died").is_dir()
    assert found == [(n, n, n * n) for n in range(5)]


def test_an_item_that_kills_every_process_is_given_up_and_the_others_are_not(chores: Any):
    found = {done.item: done for done in execute(chores.die_of_2, range(4), workers=2)}
    assert isinstance(found[2].error, WorkerLostError)
    assert str(found[2].error) == "the process that computed it died 3 times (the last time by SIGKILL)"
    assert [found[n].result for n in (0, 1, 3)] == [0, 1, 9]


def test_who_stops_listening_stops_the_processes(chores: Any, tmp_path: Path):
    done = execute(partial(chores.say_pid_and_wait, tmp_path), range(4), workers=2)
    assert next(done).result == 0
    start = time.monotonic()
    done.close()
    assert time.monotonic() - start < 10
    pids = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert pids
    assert all(_gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(chores: Any, tmp_path: Path, how: signal.Signals):
    program = tmp_path / "program.py"
    program.write_text(
        "from functools import partial\n"
        "import chores\n"
        "from tonedeaf.harnesses.execution import execute\n"
        "if __name__ == '__main__':\n"
        f"    for done in execute(partial(chores.say_pid_and_wait, {str(tmp_path)!r}), range(4), workers=2):\n"
        "        print(done.item, flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "0\n"
        started.send_signal(how)
        _, errors = started.communicate(timeout=30)
    assert started.returncode == -how
    assert ("KeyboardInterrupt" in errors) == (how == signal.SIGINT)
    assert all(_gone(int(path.name)) for path in tmp_path.iterdir() if path.name.isdigit())


def test_each_process_has_its_share_of_the_threads(chores: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "available_cores", lambda: 6)
    assert {done.result for done in execute(chores.threads, range(2), workers=2)} == {3}


def test_what_cannot_be_pickled_is_said(chores: Any):
    (done,) = execute(chores.raise_what_cannot_be_read_again, [1], workers=2)
    assert str(done.error) == "Odd: 1 and 1"
    with pytest.raises(ValueError, match="cannot be sent to a process"):
        list(execute(lambda n: n, [1, 2], workers=2))


def test_what_a_process_prints_does_not_reach_standard_output(chores: Any, capfd: pytest.CaptureFixture[str]):
    list(execute(chores.print_something, [1], workers=2))
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "something\n"


def test_the_call_is_checked(chores: Any):
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        execute(chores.square, [1], workers=0)
    with pytest.raises(ValueError, match="not both"):
        check_parallelism(2, "tcp://localhost:1")
    with pytest.raises(ValueError, match=r"such as tcp://10.0.0.1:8786, got 'localhost'"):
        check_parallelism(1, "localhost")
    with pytest.raises(ValueError, match="can need GPU for itself, not 'FPGA'"):
        list(execute(chores.square, [1], workers=2, resources={"FPGA": 1}))


def test_cards_are_shared_out(monkeypatch: pytest.MonkeyPatch):
    cards_of_each = processes._cards_of_each  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert cards_of_each(3, {}) == [None, None, None]
    assert cards_of_each(8, {"GPU": 1}) == ["0", "1", "2", "3"]
    assert cards_of_each(8, {"GPU": 2}) == ["0,1", "2,3"]
    assert cards_of_each(1, {"GPU": 1}) == ["0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7,1,2")
    assert cards_of_each(2, {"GPU": 1}) == ["5", "7"]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ValueError, match="1 GPU are needed at once, and this machine has 0"):
        cards_of_each(2, {"GPU": 1})
