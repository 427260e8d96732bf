"""With what to compute: a device, a budget of memory, and threads."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from .batching import keep_freed_memory, parse_memory
from .processes import available_cores

AUTO = "auto"
"""What is usual: of a device, and of a budget."""
CPU_MEMORY = 512 * 2**20
"""The usual budget on a CPU, in bytes."""


@dataclass(frozen=True)
class Resources:
    """With what to compute.

    Attributes:
        device: where.
        memory: budget for the tensors under way, in bytes.
        executor: runs the batches.
        workers: how many at once.
    """

    device: torch.device
    memory: int
    executor: Executor
    workers: int


@contextmanager
def opened(device: str, memory: str) -> Generator[Resources]:
    """Resources from the texts of a command's options; the threads end with the context.

    Args:
        device: as in ``cpu`` or ``cuda:1``; ``auto`` takes a GPU if there is one.
        memory: as in ``512MiB``; ``auto`` is that on a CPU, and half of a GPU's memory.

    Raises:
        ValueError: if the device cannot be used here, or the memory is no size.
    """
    where = _device(device)
    budget = _usual_memory(where) if memory == AUTO else parse_memory(memory)
    # PyTorch's number is this process's share: what OMP_NUM_THREADS says, or a pool of processes has set
    workers = min(available_cores(), torch.get_num_threads()) if where.type == "cpu" else 1
    if where.type == "cpu":
        keep_freed_memory()
    with ThreadPoolExecutor(workers) as executor:
        yield Resources(where, budget, executor, workers)


def _usual_memory(device: torch.device) -> int:
    if device.type == "cpu":
        return CPU_MEMORY
    total: int = torch.cuda.get_device_properties(device).total_memory
    return total // 2


def _device(name: str) -> torch.device:
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise ValueError(f"device must be auto, cpu, cuda or cuda:1, …, got {name!r}")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {str(error).partition(chr(10))[0]}") from error
    return device
