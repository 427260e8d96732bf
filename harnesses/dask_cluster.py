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
    and also those that only waited on the same ones. So a call that was given up is suspected, and made once more when
    nothing else is under way. If it is given up again, its error is a
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
        self._suspects: deque[_Call] = deque()
        self._lock = threading.Lock()  # Dask reports what is done from threads of its own
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
        self._send(_Call(partial(fn, *args, **kwargs), ours))
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
        theirs = self._client.submit(call.function, pure=False, resources=self._resources or None)
        with self._lock:
            self._futures.add(theirs)
        theirs.add_done_callback(lambda done: self._pass_on(done, call))

    def _pass_on(self, theirs: Any, call: _Call) -> None:
        """From Dask's future to ours, in its terms."""
        from distributed import KilledWorker

        try:
            result = theirs.result()
        except KilledWorker as error:
            self._given_up(call, error.last_worker.address)
        except Exception as error:
            cancelled = theirs.status in ("cancelled", "lost")
            call.ours.set_exception(self._lost() if cancelled or self._client.status != "running" else error)
        else:
            call.ours.set_result(result)
        with self._lock:
            self._futures.discard(theirs)
            alone = not self._futures
            suspect = self._suspects.popleft() if alone and self._suspects and not self._stopped else None
        if suspect is not None:
            self._try_alone(suspect)

    def _given_up(self, call: _Call, last_worker: str) -> None:
        """Suspect a call, or, if it was suspected before, blame it."""
        if call.suspected:
            message = f"the workers that computed it died, the last one at {last_worker}"
            call.ours.set_exception(WorkerLostError(message))
        else:
            call.suspected = True
            with self._lock:
                self._suspects.append(call)

    def _try_alone(self, suspect: _Call) -> None:
        if self._client.status == "running":
            self._send(suspect)
        else:
            suspect.ours.set_exception(self._lost())

    def _lost(self) -> ClusterLostError:
        return ClusterLostError(
            f"the Dask scheduler at {self.address} went away; finished records are kept: "
            "run the same command again to compute what is missing"
        )
