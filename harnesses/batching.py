"""How many trials to work on at once: within a memory budget, and small enough for the processor's cache."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from ..benchmarks.task import BLOCK

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}

CPU_WORKING_SET = 12 * 2**20
"""Bytes that a batch may keep on a CPU. On 2 cores, a trial of ``mss`` took 15.5 ms at 6 to 12 MiB, and 22 ms at 96."""

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


def return_freed_memory() -> None:
    """Give memory that is free inside the allocator back to the system, where the C library can (glibc).

    Batches of changing sizes leave holes: without this a process grows by a MiB with every few trials.
    """
    if (trim := _malloc_trim()) is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library
        return None


def batch_size(bytes_per_trial: int, *, memory: int, device: torch.device) -> int:
    """The number of trials in a batch: a power of two, so that every block of a task begins with a batch of its own.

    It depends on nothing that differs from one run to the next, such as the number of threads, since sums over batches
    of other sizes may differ in their last bits.

    Args:
        bytes_per_trial: what a trial keeps (see :func:`saved_bytes`).
        memory: the budget, in bytes.
        device: a CPU's batches are kept near its cache as well (see :func:`batches_at_once`).
    """
    # What is kept is about half of the peak: the rest is what an operation needs while it runs.
    share = memory // 2
    if device.type == "cpu":
        share = min(share, CPU_WORKING_SET)
    return min(LARGEST_BATCH, 1 << max(0, (share // max(1, bytes_per_trial)).bit_length() - 1))


def batches_at_once(*, memory: int, cores: int, device: torch.device) -> int:
    """How many batches to work on side by side: one for each core of a CPU, if the budget allows; one on a GPU."""
    return max(1, min(cores, memory // (2 * CPU_WORKING_SET))) if device.type == "cpu" else 1
