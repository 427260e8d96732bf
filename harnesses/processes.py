"""Processes on this machine, as an executor that outlives their deaths.

:class:`concurrent.futures.ProcessPoolExecutor` gives up as a whole when one of its processes dies. Here each process
has one item at a time, so it is known which one it died of: that item goes to another process, and the dead one is
replaced.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.process
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from .execution import GPU, WorkerLostError

P = ParamSpec("P")
T = TypeVar("T")

_SECONDS_TO_END = 5.0
"""A process that was asked to end is killed after this."""


@dataclass
class _Call:
    future: Future[Any]
    pickled: bytes
    deaths: list[str] = field(default_factory=list[str])


class ProcessExecutor(Executor):
    """An :class:`~concurrent.futures.Executor` whose processes may die.

    Args:
        workers: how many processes; with the resource ``GPU``, no more than there are cards for.
        resources: what each call needs to itself: nothing, or ``GPU`` cards.
        retries: how often a call is tried again after its process died; then its error is a :class:`WorkerLostError`.

    Raises:
        ValueError: if a resource is not one that a machine has, or it has too few.
    """

    def __init__(self, workers: int, *, resources: Mapping[str, int], retries: int) -> None:
        self._retries = retries
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        cards = _cards_of_each(workers, resources)
        threads = max(1, available_cores() // len(cards))
        self._workers = [_Worker(threads, visible) for visible in cards]
        self._threads = [
            # daemons: the interpreter does not wait for them, as it would for a thread pool's
            threading.Thread(target=self._serve, args=(worker,), daemon=True)
            for worker in self._workers
        ]
        for thread in self._threads:
            thread.start()
        # runs before multiprocessing's own, which waits for processes that nobody has told to end
        atexit.register(self.shutdown, wait=False)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in one of the processes.

        Raises:
            ValueError: if the function or its arguments cannot be pickled.
            RuntimeError: after :meth:`shutdown`.
        """
        if self._stopped.is_set():
            raise RuntimeError("cannot submit a call after shutdown")
        try:
            pickled = pickle.dumps((fn, args, kwargs))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(f"{fn!r} cannot be sent to a process: {error}") from error
        future: Future[T] = Future()
        self._calls.put(_Call(future, pickled))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes at once, whatever they are at."""
        del cancel_futures
        self._stopped.set()
        atexit.unregister(self.shutdown)
        for worker in self._workers:
            worker.stop()
        for _ in self._threads:
            self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self, worker: _Worker) -> None:
        while (call := self._calls.get()) is not None and not self._stopped.is_set():
            if not call.deaths and not call.future.set_running_or_notify_cancel():
                continue
            try:
                returned, value = worker.call(call.pickled)
            except _DiedError as death:
                if self._stopped.is_set():
                    call.future.set_exception(WorkerLostError("the work was stopped"))
                    continue
                call.deaths.append(str(death))
                if len(call.deaths) <= self._retries:
                    self._calls.put(call)
                else:
                    times = f"{len(call.deaths)} times (the last time {call.deaths[-1]})"
                    call.future.set_exception(WorkerLostError(f"the process that computed it died {times}"))
                continue
            if returned:
                call.future.set_result(value)
            else:
                call.future.set_exception(value)


class _DiedError(Exception):
    """How a process ended."""


class _Worker:
    """A process that is started when it is needed, and again after it died."""

    def __init__(self, threads: int, visible: str | None) -> None:
        self._arguments = threads, visible
        self._context = multiprocessing.get_context("spawn")  # a forked copy of PyTorch's threads hangs
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._stopped = False
        self._starting = threading.Lock()

    def call(self, pickled: bytes) -> tuple[bool, Any]:
        """Whether the call returned, and what it returned or raised.

        Raises:
            _DiedError: if the process died of it.
        """
        try:
            self._start()
            assert self._pipe is not None
            self._pipe.send_bytes(pickled)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise _DiedError(self._ending()) from error
        return pickle.loads(answer)

    def stop(self) -> None:
        """End the process, and start no other."""
        with self._starting:
            self._stopped = True
            process = self._process
        if process is not None and process.is_alive():
            process.terminate()
            process.join(_SECONDS_TO_END)
            if process.is_alive():
                process.kill()

    def _start(self) -> None:
        with self._starting:
            if self._stopped:
                raise EOFError
            if self._process is not None:
                return
            ours, theirs = self._context.Pipe()
            # not a daemon: those may have no processes of their own, as a loader of training data has
            process = self._context.Process(target=_work, args=(theirs, *self._arguments))
            process.start()
            theirs.close()
            self._process, self._pipe = process, ours

    def _ending(self) -> str:
        process, self._process = self._process, None
        if process is None:
            return "before it began"
        process.join()
        if self._pipe is not None:
            self._pipe.close()
        code = process.exitcode or 0
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"


def available_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _cards_of_each(workers: int, resources: Mapping[str, int]) -> list[str | None]:
    """What each process gets as ``CUDA_VISIBLE_DEVICES``; None is what this process has."""
    if strange := sorted(resources.keys() - {GPU}):
        raise ValueError(f"a process can need {GPU} for itself, not {strange[0]!r}")
    needed = resources.get(GPU, 0)
    if not needed:
        return [None] * workers
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    cards = visible.split(",") if visible else [str(card) for card in range(torch.cuda.device_count())]
    cards = cards[: torch.cuda.device_count()]
    if len(cards) < needed:
        raise ValueError(f"{needed} {GPU} are needed at once, and this machine has {len(cards)}")
    groups = [",".join(cards[first : first + needed]) for first in range(0, len(cards) - needed + 1, needed)]
    return list(groups[:workers])


def _work(calls: Connection[Any, Any], threads: int, visible: str | None) -> None:
    """What a process does: take a call, answer it, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the first one decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for processes that this one starts
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
    os.dup2(2, 1)  # standard output is the first process's: what is printed here is beside the point
    import torch

    torch.set_num_threads(threads)
    while True:
        try:
            pickled = calls.recv_bytes()
        except EOFError:
            return
        answer = _answered(pickled)
        calls.send_bytes(answer)


def _answered(pickled: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(pickled)
        return pickle.dumps((True, function(*args, **kwargs)))
    except Exception as error:
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)  # some exceptions can be pickled, but not read again
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return answer


def _end_with_parent() -> None:
    """A process whose parent was killed would work on for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
