"""What the tests of tasks share: the formula of a tone, written out in numpy."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

Tone = Callable[[float, ArrayLike, ArrayLike, ArrayLike, int, float], NDArray[np.float64]]


@pytest.fixture(scope="session")
def tone() -> Tone:
    """``Σ_h a_h cos(2π (r_h f0 n/rate + φ_h))`` of f0 in Hz, ratios, amplitudes, phases, samples, and a rate in Hz.

    The amplitudes are scaled to ``Σ a_h² = 1``.
    """

    def written_out(  # noqa: PLR0917 (in the order of the formula)
        f0: float, ratios: ArrayLike, amplitudes: ArrayLike, phases: ArrayLike, samples: int, rate: float
    ) -> NDArray[np.float64]:
        frequencies = f0 * np.asarray(ratios, dtype=float)
        heard = np.asarray(amplitudes, dtype=float)
        heard = heard / np.sqrt((heard**2).sum())
        angles = np.outer(frequencies, np.arange(samples) / rate) + np.asarray(phases, dtype=float)[:, None]
        return heard @ np.cos(2 * np.pi * angles)

    return written_out
