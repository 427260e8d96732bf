"""What a path is: a way from BassNet's outputs to audio, and from an audio distance to a loss (:mod:`.paths`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from ..losses import AudioDistance
from .comparison import Comparison
from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from .model import Prediction
from .synthesis import at_level, harmonic_amplitudes, harmonic_synthesis

HARMONICS = 40
"""Partials of a rendered tone: all that a bass of 110 Hz has below 4350 Hz."""


class SegmentPrediction(NamedTuple):
    """What the model says about segments of consecutive frames.

    Attributes:
        y: log magnitude, ``(batch, frames, bins)``.
        f0_logits: ``(batch, frames, bins)``.
        level: in [0, 1], ``(batch, frames)``.
    """

    y: Tensor
    f0_logits: Tensor
    level: Tensor

    @classmethod
    def of_windows(cls, prediction: Prediction, windows: int) -> SegmentPrediction:
        """Segments of so many consecutive windows, from predictions of all their windows.

        Args:
            prediction: of ``batch·windows`` windows; those of a segment follow one another without overlap. Of their
                channels the first, the finest, is taken.
            windows: in a segment.
        """

        def joined(windowed: Tensor) -> Tensor:
            finest = windowed[:, 0]
            return finest.reshape(-1, windows * finest.shape[1], *finest.shape[2:])

        return cls(joined(prediction.y), joined(prediction.f0_logits), joined(prediction.level_logits).sigmoid())


class Known(NamedTuple):
    """What is known of segments, beside what the model predicts; a target is rendered from the same.

    Attributes:
        sounding: which frames are heard, bool, ``(batch, frames)``.
        f0: true, in Hz, ``(batch, frames)``; only a path that :attr:`Path.knows_f0` looks at it.
        phase: of the fundamental, in cycles, ``(batch,)``; see :func:`.synthesis.harmonic_synthesis`.
    """

    sounding: Tensor
    f0: Tensor
    phase: Tensor | None

    def repeated(self, times: int) -> Known:
        """Each segment so many times, one behind the other: of its candidates."""

        def each(part: Tensor) -> Tensor:
            return part.repeat_interleave(times, dim=0)

        return Known(each(self.sounding), each(self.f0), None if self.phase is None else each(self.phase))


class Parts(NamedTuple):
    """What a distance says of predicted segments: scalars, means over the segments.

    Attributes:
        sound: the distance of what the model's outputs sound like, for log magnitude and level; None if it has no
            gradient.
        pitch: what teaches f0's distribution, and nothing else; None on a path without f0, or where f0 is not taught.
    """

    sound: Tensor | None
    pitch: Tensor | None = None


class Path(ABC):
    """A way from predictions to audio, and from distances to a loss.

    Args:
        cqt: what the bins are.
        harmonics: partials of a rendered tone.
    """

    name: ClassVar[str]
    needs_gradient: ClassVar[bool] = True
    """Whether the distance has to be differentiable."""
    f0_reading: ClassVar[Literal["peak", "mean"]] = "peak"
    """What of f0's distribution a model is taught by this path, and so has to be read by."""
    knows_f0: ClassVar[bool] = False
    """Whether it renders the true pitch, so that f0 has to be supervised."""
    tries_pitches: ClassVar[bool] = False
    """Whether it compares pitches with the target, so that one of them is :meth:`nearest`."""

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS) -> None:
        self.cqt, self.harmonics = cqt, harmonics

    @abstractmethod
    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """What a distance says of predicted segments.

        Args:
            prediction: see there.
            known: likewise.
            distances: from the segments' targets.
            generator: on the CPU, for what a path draws.
        """

    def nearest(self, prediction: SegmentPrediction, known: Known, distances: Comparison) -> Tensor:
        """The pitch that the distance prefers: a bin, ``(batch,)``; arguments as of :meth:`parts`.

        Raises:
            ValueError: if the path does not try pitches.
        """
        raise ValueError(f"the path {self.name} does not try pitches")

    def check(self, distance: AudioDistance, name: str) -> None:
        """Raise ``ValueError``, with the path that would do, unless the distance can be used."""
        if self.needs_gradient and not distance.differentiable:
            raise ValueError(f"{name} has no gradient, which the path {self.name} needs; the path entropic would do")

    def synthesise(self, f0: Tensor, y: Tensor, level: Tensor, known: Known) -> Tensor:
        """Tones of a pitch in Hz, ``(batch, frames)``, with the partials of ``y``: ``(batch, samples)``."""
        f0 = torch.where(known.sounding, f0, 0.0)
        amplitudes = harmonic_amplitudes(y, f0, cqt=self.cqt, harmonics=self.harmonics)
        return harmonic_synthesis(
            f0,
            at_level(amplitudes, level),
            sample_rate=SAMPLE_RATE,
            hop=HOP,
            samples=HOP * f0.shape[1],
            phase=known.phase,
        )


def frequency_of(bins: Tensor, cqt: CqtConfig) -> Tensor:
    """``27.5·2^(bin/bins_per_octave)``: the pitch of a place among the bins, in Hz."""
    return F_MIN * 2 ** (bins / cqt.bins_per_octave)
