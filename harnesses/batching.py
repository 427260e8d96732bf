"""How many trials to work on at once: within a memory budget, and small enough for the processor's cache."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore
from typing import TypeVar

import torch
from torch import Tensor

from ..benchmarks.task import BLOCK

Item = TypeVar("Item")
Result = TypeVar("Result")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3)."""
_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}

CPU_WORKING_SET = 32 * 2**20
"""Bytes that a batch may keep on a CPU. A trial of ``mss`` took 13 ms alone, 10 in a batch of 2 to 8 and 12 in one of
32; of ``tonedeaf``, 12 alone, 6 in a batch of 4, 4 in one of 16. On several threads the caches prefer small ones."""

LARGEST_BATCH = BLOCK
"""So that a batch never needs two blocks of a task's trials, and shares of whole blocks have the same batches."""


def parse_memory(text: str) -> int:
    """The bytes in a text such as ``512MiB`` or ``2GB``.

    Raises:
        ValueError: if the text is not a positive number and a unit.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        raise ValueError(f"memory must be a size such as 512MiB or 2GB, got {text!r}")
    return int(float(found[1]) * unit)


def saved_bytes(forward: Callable[[], Tensor]) -> int:
    """The bytes that autograd keeps for the backward pass of ``forward``, each storage counted once."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = forward()  # the graph stays alive while the storages are counted, so no address is used twice
    del kept
    return sum(storages.values())


@cache
def _c_library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None


@dataclass(frozen=True)
class Batches:
    """How a harness works through its trials.

    Attributes:
        size: trials in a batch: a power of two, so that every block of a task begins with a batch of its own.
        at_once: batches that fit into the budget side by side.
    """

    size: int
    at_once: int

    def limited(self, function: Callable[[Item], Result]) -> Callable[[Item], Result]:
        """The function, which waits while as many calls of it as fit are under way."""
        slots = BoundedSemaphore(self.at_once)

        def called(item: Item) -> Result:
            with slots:
                return function(item)

        return called


def batches(bytes_per_trial: int, *, memory: int, device: torch.device) -> Batches:
    """How to work through trials within a budget.

    The size of a batch depends on nothing that differs from one run to the next, such as the number of threads, since
    sums over batches of other sizes may differ in their last bits.

    Args:
        bytes_per_trial: what a trial keeps (see :func:`saved_bytes`).
        memory: the budget, in bytes.
        device: on a CPU a batch is kept small, and several are worked on at once.
    """
    # What is kept is about half of the peak: the rest is what an operation needs while it runs.
    share = memory // 2
    if device.type == "cpu":
        share = min(share, CPU_WORKING_SET)
    bytes_per_trial = max(1, bytes_per_trial)
    size = min(LARGEST_BATCH, 1 << max(0, (share // bytes_per_trial).bit_length() - 1))
    return Batches(size, max(1, memory // (2 * size * bytes_per_trial)))


def keep_freed_memory() -> None:
    """Have the allocator keep what is freed for the next batch, where the C library can (glibc).

    Otherwise it gives every large tensor back to the system, and the next one costs a fault a page: 7 % of a ranking.
    """
    if (library := _c_library()) is not None and hasattr(library, "mallopt"):
        for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            library.mallopt(parameter, 2**31 - 1)
