"""Fixed arrays (windows, filter banks) that follow the signal they meet."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Constant:
    """A float64 array, handed out in the dtype and on the device of a signal; each cast is made once.

    A distance holds its windows and filter banks this way, so that it needs no ``.to(device)``, has no state to save,
    and is exact in float64.

    Args:
        values: the array.
    """

    def __init__(self, values: NDArray[np.float64] | Tensor) -> None:
        self._values = torch.as_tensor(values, dtype=torch.float64)
        self._casts: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    def __call__(self, like: Tensor) -> Tensor:
        """The array in the dtype and on the device of ``like``."""
        where = (like.dtype, like.device)
        if where not in self._casts:
            self._casts[where] = self._values.to(dtype=like.dtype, device=like.device)
        return self._casts[where]
