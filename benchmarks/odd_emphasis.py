"""Harmonic tones of odd partials, with a weak fundamental."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import Role
from .harmonic_timbre import HarmonicTimbre
from .task import Trials

EVEN_GAIN, FUNDAMENTAL_GAIN = 0.05, 0.2


class OddEmphasis(HarmonicTimbre):
    """Tones with weak even partials and a weak fundamental: several pitches fit almost as well.

    As ``harmonic_timbre`` with ``a_h`` × 0.05 for even h and ``a_1`` × 0.2, in target and prediction.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "odd_emphasis"
    version: ClassVar[int] = 1
    source = "the suite's own, after the digest of 'Insights on harmonic tones' (2025)"

    def envelope(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """The one that was drawn, with these gains: ``(trials, partials)``."""
        number = self.numbers(trials)
        gains = (
            torch.ones_like(number).masked_fill(number % 2 == 0, EVEN_GAIN).masked_fill(number == 1, FUNDAMENTAL_GAIN)
        )
        return super().envelope(trials, role, coordinates) * gains
