"""One seam for what runs in parallel: the same function over many items, here, in processes, or on a cluster.

``execute(train_arm, arms, workers=4)`` yields each arm with its result or its error, as they finish. Where an item runs
decides nothing but the time: a function that depends on its item alone gives the same results everywhere.

A worker that dies (killed, out of memory) is replaced and its item tried again on another, :data:`RETRIES` times (on a
cluster as often as its scheduler allows, and then as often again while nothing else runs); an error that the function
raises is its result and is not tried again.
Whoever stops listening (Ctrl-C, an exception, a ``break``) stops the work: local processes end at once. On a cluster
nothing more is started; what runs there already comes to its end unheard, for Dask cannot interrupt it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES = 2
"""How often an item is tried again after the worker that had it died."""
GPU = "GPU"
"""The resource of which each card is one."""
_WINDOW_PER_WORKER = 2
_WINDOW_ON_CLUSTER = 4096
"""Items submitted at once: enough that no worker waits, and few enough that millions need no memory."""


class WorkerLostError(RuntimeError):
    """An item whose workers died, as often as it was tried."""


class ClusterLostError(ConnectionError):
    """The scheduler of a cluster went away."""


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """An item that is done with.

    Attributes:
        index: its place among the items.
        item: the item.
        error: what the function raised, or a :class:`WorkerLostError`; None if there is a result.
    """

    index: int
    item: Item
    error: Exception | None
    _result: Result | None

    @property
    def result(self) -> Result:
        """What the function returned; raises :attr:`error` if there is one."""
        if self.error is not None:
            raise self.error
        return self._result  # pyright: ignore[reportReturnType] (None, too, may be a result)


def execute(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 1,
    dask: str | None = None,
    resources: Mapping[str, int] | None = None,
) -> Generator[Done[Item, Result]]:
    """Call a function with every item, and yield each as it is done.

    Args:
        function: depends on its item only. With several workers or a cluster it, the items, what it returns and what it
            raises are pickled: a function of a module, or a ``functools.partial`` of one.
        items: taken as they are needed.
        workers: processes on this machine, each with its share of the processor's threads; 1 calls the function here,
            in the items' order.
        dask: address of a Dask scheduler, as in ``tcp://10.0.0.1:8786``, in place of ``workers``.
        resources: what an item needs to itself while it runs: ``{"GPU": 1}``. Local processes have a card each (there
            are no more of them than cards); Dask's workers say what they have (``dask worker --resources GPU=1``).

    Yields:
        :class:`Done`, in the order in which items finish.

    Raises:
        ValueError: if there is no such cluster, or it or this machine has no such resource.
        ClusterLostError: if the scheduler goes away; what was yielded before stays true.
    """
    check_parallelism(workers, dask)
    return _execute(function, items, workers, dask, dict(resources or {}))


def check_parallelism(workers: int, dask: str | None) -> None:
    """Refuse what ``--workers`` and ``--dask`` cannot be.

    Raises:
        ValueError: naming the value.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if dask is not None and workers != 1:
        raise ValueError("give either workers (processes here) or dask (a cluster's own workers), not both")
    if dask is not None and "://" not in dask:
        raise ValueError(f"dask must be the address of a scheduler such as tcp://10.0.0.1:8786, got {dask!r}")


def _execute(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    dask: str | None,
    resources: dict[str, int],
) -> Generator[Done[Item, Result]]:
    numbered = enumerate(items)
    if dask is not None:
        from .dask_cluster import DaskExecutor

        with DaskExecutor(dask, resources=resources) as executor:
            yield from _completed(executor, function, numbered, _WINDOW_ON_CLUSTER)
    elif workers > 1:
        from .processes import ProcessExecutor

        with ProcessExecutor(workers, resources=resources, retries=RETRIES) as executor:
            yield from _completed(executor, function, numbered, _WINDOW_PER_WORKER * workers)
    else:
        for index, item in numbered:
            result: Result | None = None
            error: Exception | None = None
            try:
                result = function(item)
            except Exception as raised:
                error = raised
            yield Done(index, item, error, result)


def _completed(
    executor: Executor, function: Callable[[Item], Result], numbered: Iterator[tuple[int, Item]], window: int
) -> Generator[Done[Item, Result]]:
    under_way: dict[Future[Result], tuple[int, Item]] = {}
    while True:
        for index, item in islice(numbered, window - len(under_way)):
            under_way[executor.submit(function, item)] = index, item
        if not under_way:
            return
        finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in sorted(finished, key=lambda each: under_way[each][0]):
            index, item = under_way.pop(future)
            error = future.exception()
            if isinstance(error, ClusterLostError) or (error is not None and not isinstance(error, Exception)):
                raise error
            yield Done(index, item, error, None if error is not None else future.result())
