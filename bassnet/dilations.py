"""Dilations of stacked convolutions: the receptive field covers the input, no more than needed.

Source: Grachten, Lattner & Deruty 2020, 5.3: "The dilation of the convolutions is chosen such that the receptive field
of the highest block is at least as large as the input". How, it does not say; here they grow geometrically.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_ENOUGH_HALVINGS = 100


def receptive_field(dilations: Sequence[int], kernel: int) -> int:
    """How many inputs an output of the highest block sees: ``1 + (kernel − 1)·Σ dilations``."""
    return 1 + (kernel - 1) * sum(dilations)


def dilations(size: int, *, blocks: int, kernel: int) -> tuple[int, ...]:
    """``round(r^i)`` for block ``i = 0, 1, …``, with the smallest ``r ≥ 1`` whose receptive field is at least ``size``.

    Args:
        size: of the input along the axis, in steps or bins.
        blocks: number of blocks.
        kernel: size of their kernels.

    Raises:
        ValueError: if one block must see what two kernel steps cannot reach: ``blocks`` is 1 and the kernel too small.

    Example:
        >>> dilations(20, blocks=5, kernel=3)
        (1, 1, 2, 3, 3)
        >>> dilations(264, blocks=5, kernel=3)
        (1, 3, 9, 29, 90)
    """

    def grown(rate: float) -> tuple[int, ...]:
        return tuple(math.floor(rate**block + 0.5) for block in range(blocks))

    def reaches(rate: float) -> bool:
        return receptive_field(grown(rate), kernel) >= size

    low, high = 1.0, float(size)
    if reaches(low):
        return grown(low)
    if not reaches(high):
        raise ValueError(f"{blocks} block with a kernel of {kernel} cannot see {size}; take more blocks")
    for _ in range(_ENOUGH_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return grown(high)
