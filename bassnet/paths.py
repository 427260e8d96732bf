"""The paths on which an audio distance teaches BassNet: from its outputs to audio, and from distances to a loss.

BassNet predicts a categorical distribution over f0, a log magnitude and a level; a distance compares audio. A path
renders segments of frames, each with one note (:mod:`.segments`), and makes one number of their distances::

    target = oracle_target(f0, harmonics, level, sounding, phase=phase)      # or stem_target(stem, sounding)
    known = Known(sounding, f0, phase)
    parts = path.parts(prediction, known, Comparison(distance, target), generator)

Shapes: segments are ``(batch, frames, …)``, the audio is 160 samples a frame at 16 kHz. All render with
:func:`.synthesis.harmonic_synthesis` but ``bank``. Partials' ratios come from the log magnitude, their power from the
level; frames that do not sound are silent.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .bank import bank_synthesis
from .comparison import Comparison
from .many_pitches_paths import Expected, Marginal
from .one_pitch_paths import Given, Local, Soft, Straight
from .path import Known, Parts, Path, SegmentPrediction
from .synthesis import at_level, linear_magnitude


class Bank(Path):
    """A fixed sinusoid for each bin, its amplitude the magnitude's: no f0 at all. The control condition."""

    name = "bank"

    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """The distance of the bank, whose phases are its own."""
        del generator
        return Parts(distances(self.render(prediction, known).unsqueeze(1)).mean())

    def render(self, prediction: SegmentPrediction, known: Known) -> Tensor:
        """The bank's audio, ``(batch, samples)``."""
        magnitude = linear_magnitude(prediction.y, self.cqt)
        amplitudes = at_level(magnitude, prediction.level) * known.sounding.unsqueeze(-1)
        return bank_synthesis(amplitudes, cqt=self.cqt)


PATHS: dict[str, type[Path]] = {path.name: path for path in (Soft, Local, Straight, Given, Expected, Marginal, Bank)}
"""By the name that ``--path`` takes."""
