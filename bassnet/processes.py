"""One process that trains, or several, each on a GPU of its own, as ``accelerate launch`` starts them.

Every process draws the same batch and takes its share of the pairs; gradients are averaged before each step, so that
all hold the same weights. Batch normalisation sees a process's own share; its running statistics are averaged.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from accelerate import Accelerator


class Processes:
    """This process among its like.

    Attributes:
        index: which it is.
        count: how many there are.
        device: on which this one computes.
    """

    def __init__(self, *, index: int, count: int, device: torch.device, accelerator: Accelerator | None) -> None:
        self.index, self.count, self.device = index, count, device
        self._accelerator = accelerator

    @property
    def main(self) -> bool:
        """Whether this one writes."""
        return self.index == 0

    def share(self, pairs: Tensor) -> Tensor:
        """This one's share of what has an entry a pair in its last dimension.

        Raises:
            ValueError: if the pairs cannot be shared equally.
        """
        if pairs.shape[-1] % self.count:
            raise ValueError(f"{pairs.shape[-1]} pairs a step cannot be shared equally by {self.count} processes")
        return pairs if self.count == 1 else pairs.chunk(self.count, dim=-1)[self.index]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over the processes, in one exchange."""
        if self._accelerator is None or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        mean: Tensor = self._accelerator.reduce(flat, reduction="mean")  # pyright: ignore[reportAssignmentType]
        for tensor, part in zip(tensors, mean.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def from_main(self, values: Sequence[float]) -> list[float]:
        """The main process's numbers, to all: what is decided by them is decided alike."""
        if self._accelerator is None:
            return list(values)
        mine = torch.tensor(values, dtype=torch.float64, device=self.device) * self.main
        total: Tensor = self._accelerator.reduce(mine, reduction="sum")  # pyright: ignore[reportAssignmentType]
        return total.tolist()

    def wait(self) -> None:
        """Until all are here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()


def alone(device: torch.device) -> Processes:
    """A single process."""
    return Processes(index=0, count=1, device=device, accelerator=None)


def among_launched(device: torch.device) -> Processes:
    """This process among those that ``accelerate launch`` or ``torchrun`` started; alone if neither did.

    Args:
        device: ``cpu``, or a GPU: then each process takes one of its own.

    Raises:
        ImportError: if several were started and ``accelerate`` is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return alone(device)
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ImportError("training in several processes needs accelerate: pip install 'tonedeaf[bassnet]'") from error
    accelerator = Accelerator(cpu=device.type == "cpu")
    return Processes(
        index=accelerator.process_index,
        count=accelerator.num_processes,
        device=accelerator.device,
        accelerator=accelerator,
    )
