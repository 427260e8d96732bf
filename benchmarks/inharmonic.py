"""Tones of stiff strings: partials a little off the harmonics."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import Harmonic, Role
from .task import BLOCK, Trials

LEAST, MOST = 1e-5, 1e-3
"""Of the coefficient of inharmonicity."""


class Inharmonic(Harmonic):
    """Tones of stiff strings, target and prediction of different stiffness.

    ``f_h = h f0 √(1 + B h²)``, B log-uniform over 1e-5..1e-3, drawn apart; else as ``harmonic``. Pitch is f0.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.

    Source:
        Fletcher, Blackham & Stratton 1962, Quality of piano tones, Equation 7 (the formula).
    """

    name: ClassVar[str] = "inharmonic"
    version: ClassVar[int] = 1

    def draw_tone(self, generator: torch.Generator) -> dict[str, Tensor]:
        """A coefficient of inharmonicity for each tone."""
        uniform = torch.rand(BLOCK, generator=generator, dtype=torch.float64)
        return {"inharmonicity": LEAST * (uniform * math.log(MOST / LEAST)).exp()}

    def ratios(self, trials: Trials, role: Role) -> Tensor:
        """``h √(1 + B h²)``: ``(trials, partials)``."""
        number = self.numbers(trials)
        return number * (1 + trials.drawn[f"{role}_inharmonicity"].unsqueeze(-1) * number.square()).sqrt()
