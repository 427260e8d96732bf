"""The third parameter: how the spectrum falls."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import Harmonic, Role
from .task import BLOCK, PITCH, Axis, Trials

TILT = Axis("tilt", "db", (1.0, 6.0))
"""Spectral tilt, in dB per octave: by how much a spectrum falls."""
STEEPEST = 12.0
"""dB per octave: the tilt is uniform over 0..12."""


class Tilt(Harmonic):
    """Tones of different pitch, level and spectral tilt: which of two is brighter, whatever else differs?

    ``a_h ∝ 10^(−tilt·log2(h)/20)``, ``Σ a_h² = 1``: moving the tilt keeps the level. The columns are those of pitch and
    of tilt (by 1 and 6 dB/octave); level differs, and is not asked. Else as ``harmonic``.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "tilt"
    version: ClassVar[int] = 1
    axes: ClassVar[tuple[Axis, ...]] = (PITCH, TILT)

    def draw_coordinates(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Pitch, level and tilt."""
        coordinates = super().draw_coordinates(generator)
        return {**coordinates, "tilt": STEEPEST * torch.rand(BLOCK, generator=generator, dtype=torch.float64)}

    def envelope(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """The one of the coordinates' tilt: ``(trials, partials)``."""
        del role
        octaves = self.numbers(trials).log2()
        return (-math.log(10) / 20 * coordinates["tilt"].unsqueeze(-1) * octaves).exp()
