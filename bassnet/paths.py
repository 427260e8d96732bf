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

from .bank import Bank
from .many_pitches_paths import Entropic, Expected, Marginal
from .one_pitch_paths import Given, Local, Soft, Straight
from .path import Path

PATHS: dict[str, type[Path]] = {
    path.name: path for path in (Soft, Local, Straight, Given, Expected, Marginal, Entropic, Bank)
}
"""By the name that ``--path`` takes."""
