"""A Dask cluster, as an executor: ``--dask tcp://…`` (needs the extra ``cluster``)."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from .execution import ClusterLostError, WorkerLostError

P = ParamSpec("P")
T = TypeVar("T")

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_CLOSE = 5


@dataclass(eq=False)
class _Call:
    """A call, and where its result goes."""

    function: Callable[[], Any]
    ours: Future[Any]
    suspected: bool = False


class DaskExecutor(Executor):
    """An :class:`~concurrent.futures.Executor` over the workers of a Dask cluster, which may come and go.

    Dask itself gives the calls of a worker that died to another, as often as the scheduler's setting
    ``distributed.scheduler.allowed-failures`` says (3 by default), and then gives them up: the one that kills workers,
    and also those that only waited on the same ones. So a call that was given up is suspected, and tried once more,
    just as often, while nothing else is under way. If it is given up again, its error is a
    :class:`~tonedeaf.harnesses.execution.WorkerLostError`.

    Args:
        address: of the scheduler, as in ``tcp://10.0.0.1:8786``.
        resources: what each call needs to itself, in the workers' terms.

    Raises:
        ImportError: if dask.distributed is not installed.
        ValueError: if no scheduler answers at the address, or none of its workers has the resources.
    """

    def __init__(self, address: str, *, resources: Mapping[str, int]) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ImportError("--dask needs dask.distributed: pip install 'tonedeaf[cluster]'") from error
        # what goes wrong is said once, by the errors of this class
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self.address = address
        self._resources = dict(resources)
        self._stopped = False
        self._futures: set[Any] = set()
        self._under_way = 0
        self._on_trial = False
        self._waiting: deque[_Call] = deque()  # calls that came during a trial
        self._suspects: deque[_Call] = deque()
        self._lock = threading.Lock()  # of these five: Dask reports what is done from threads of its own
        try:
            self._client: Any = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"no Dask scheduler answers at {address} within {_SECONDS_TO_CONNECT} s: start one with dask scheduler"
            ) from error
        self._check_workers()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function on a worker.

        Raises:
            ClusterLostError: if the scheduler is gone.
        """
        ours: Future[T] = Future()
        ours.set_running_or_notify_cancel()
        if self._client.status != "running":
            raise self._lost()
        call = _Call(partial(fn, *args, **kwargs), ours)
        with self._lock:
            if self._on_trial:
                self._waiting.append(call)
                return ours
            self._under_way += 1
        self._send(call)
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; calls that have not begun never will."""
        del wait, cancel_futures
        if self._stopped:
            return
        self._stopped = True
        alive = self._client.status == "running"
        if alive:
            self._client.cancel(list(self._futures), force=True)
        with suppress(TimeoutError):  # it goes on looking for a scheduler that is gone
            self._client.close(timeout=_SECONDS_TO_CLOSE if alive else 1)

    def _check_workers(self) -> None:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            print(f"note: waiting for a worker of {self.address}", file=sys.stderr, flush=True)
        for resource, amount in self._resources.items():
            if workers and not any(worker.get("resources", {}).get(resource, 0) >= amount for worker in workers):
                self.shutdown()
                raise ValueError(
                    f"no worker of {self.address} has {amount} {resource}: "
                    f"start one with dask worker {self.address} --resources {resource}={amount}"
                )

    def _send(self, call: _Call) -> None:
        """Hand a call that counts as under way to Dask."""
        try:
            theirs = self._client.submit(call.function, pure=False, resources=self._resources or None)
        except Exception as error:  # what cannot be pickled; or whatever a client raises that is closing
            self._ended(call, error if self._client.status == "running" else self._lost())
            return
        with self._lock:
            self._futures.add(theirs)
        theirs.add_done_callback(lambda done: self._pass_on(done, call))

    def _pass_on(self, theirs: Any, call: _Call) -> None:
        """From Dask's future to ours, in its terms."""
        from distributed import KilledWorker

        result, error = None, None
        try:
            result = theirs.result()
        except KilledWorker as killed:
            last = getattr(killed.last_worker, "address", "an unknown address")
            error = WorkerLostError(f"the workers that computed it died, the last one at {last}")
        except Exception as raised:
            cancelled = theirs.status in ("cancelled", "lost")
            error = self._lost() if cancelled or self._client.status != "running" else raised
        with self._lock:
            self._futures.discard(theirs)
        self._ended(call, error, result)

    def _ended(self, call: _Call, error: Exception | None, result: Any = None) -> None:
        """Tell what became of a call, and send what may follow it."""
        with self._lock:
            suspected = isinstance(error, WorkerLostError) and not call.suspected
            if suspected:
                call.suspected = True
                self._suspects.append(call)
            following = self._following(tried=call.suspected and not suspected)
        if not suspected:
            if error is not None:
                call.ours.set_exception(error)
            else:
                call.ours.set_result(result)
        for each in following:
            self._send(each)

    def _following(self, *, tried: bool) -> list[_Call]:
        """Which calls are under way from now on, after one that has ended; with the lock held."""
        self._under_way -= 1
        if tried:
            self._on_trial = False
        if self._stopped:
            return []
        found = list(self._waiting) if tried else []
        if found:
            self._waiting.clear()
        elif not self._under_way and self._suspects:
            self._on_trial = True
            found = [self._suspects.popleft()]
        self._under_way += len(found)
        return found

    def _lost(self) -> ClusterLostError:
        return ClusterLostError(
            f"the Dask scheduler at {self.address} went away; finished records are kept: "
            "run the same command again to compute what is missing"
        )
