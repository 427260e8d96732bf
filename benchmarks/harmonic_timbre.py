"""Harmonic tones whose timbres differ."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .harmonic import Harmonic, Role
from .task import BLOCK, Trials

STEEPEST = 2.0
"""The envelope's exponent is uniform over 0..2."""
LEAST_GAIN, MOST_GAIN = 0.25, 1.25
"""Of a partial, beside the envelope."""


class HarmonicTimbre(Harmonic):
    """Tones whose envelopes are drawn apart for target and prediction: pitch whatever the timbre.

    ``a_h ∝ h^−tilt · g_h``, tilt ~ U(0, 2), ``g_h`` ~ U(0.25, 1.25) for each partial; else as ``harmonic``.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`.
    """

    name: ClassVar[str] = "harmonic_timbre"
    version: ClassVar[int] = 1

    def draw_tone(self, generator: torch.Generator) -> dict[str, Tensor]:
        """An envelope for each tone."""
        uniform = torch.rand(BLOCK, 1 + self.n_partials, generator=generator, dtype=torch.float64)
        number = torch.arange(1, self.n_partials + 1, dtype=torch.float64)
        gains = LEAST_GAIN + (MOST_GAIN - LEAST_GAIN) * uniform[:, 1:]
        return {"envelope": number ** (-STEEPEST * uniform[:, :1]) * gains}

    def envelope(self, trials: Trials, role: Role, coordinates: dict[str, Tensor]) -> Tensor:
        """The one that was drawn: ``(trials, partials)``."""
        del coordinates
        return trials.drawn[f"{role}_envelope"]
