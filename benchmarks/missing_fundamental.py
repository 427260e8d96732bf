"""Harmonic tones without their fundamental."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from .harmonic import Role
from .harmonic_timbre import HarmonicTimbre
from .task import Trials


class MissingFundamental(HarmonicTimbre):
    """Tones without partial 1: a pitch at which the spectrum has nothing.

    As ``harmonic_timbre`` with ``a_1 = 0``, in target and prediction.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "missing_fundamental"
    version: ClassVar[int] = 1

    def envelope(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """The one that was drawn, without partial 1: ``(trials, partials)``."""
        return super().envelope(trials, role, coordinates) * (self.numbers(trials) > 1)
