"""Paths that render one pitch a frame, the predicted or the true one: the distance's gradient is what teaches."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from .comparison import Comparison
from .path import Known, Parts, Path, SegmentPrediction, frequency_of

_PEAK_REACH = 4
"""Bins to either side of the likeliest that ``local`` averages over."""


def expected_bin(f0_logits: Tensor) -> Tensor:
    """The mean place among all bins, ``(…, bins)`` to ``(…)``; of two likely octaves, the tritone between them."""
    place = torch.arange(f0_logits.shape[-1], dtype=f0_logits.dtype, device=f0_logits.device)
    return f0_logits.softmax(-1) @ place


def peak_bin(f0_logits: Tensor) -> Tensor:
    """The mean place among the likeliest bin and the 4 to either side: ``(…, bins)`` to ``(…)``."""
    bins = f0_logits.shape[-1]
    best = f0_logits.detach().argmax(-1, keepdim=True)
    near = best + torch.arange(-_PEAK_REACH, _PEAK_REACH + 1, device=best.device)
    inside = (near >= 0) & (near < bins)
    logits = f0_logits.gather(-1, near.clamp(0, bins - 1)).masked_fill(~inside, -torch.inf)
    return (logits.softmax(-1) * near).sum(-1)


class _OnePitch(Path):
    """Renders one pitch a frame: the distance's own gradient carries the pitch.

    Both parts are the distance of the same sound. One has the gradient for the log magnitude and the level, the other
    for f0, so that each can be scaled by what it replaces.
    """

    @abstractmethod
    def place(self, f0_logits: Tensor) -> Tensor:
        """Where among the bins the pitch is: ``(batch, frames, bins)`` to ``(batch, frames)``."""

    def render(self, prediction: SegmentPrediction, known: Known) -> Tensor:
        """The audio of segments, with the frames' own pitches: ``(batch, samples)``."""
        y, f0_logits, level = prediction
        return self.synthesise(frequency_of(self.place(f0_logits), self.cqt), y, level, known)

    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """The distance of what is rendered."""
        del generator
        y, f0_logits, level = prediction

        def distance(taught: SegmentPrediction) -> Tensor:
            return distances(self.render(taught, known).unsqueeze(1)).mean()

        return Parts(
            sound=distance(SegmentPrediction(y, f0_logits.detach(), level)),
            pitch=distance(SegmentPrediction(y.detach(), f0_logits, level.detach()))
            if f0_logits.requires_grad
            else None,
        )


class Soft(_OnePitch):
    """The expectation of log f0 over all bins."""

    name = "soft"
    f0_reading = "mean"

    def place(self, f0_logits: Tensor) -> Tensor:
        """See :func:`expected_bin`."""
        return expected_bin(f0_logits)


class Local(_OnePitch):
    """The expectation of log f0 around the likeliest bin."""

    name = "local"

    def place(self, f0_logits: Tensor) -> Tensor:
        """See :func:`peak_bin`."""
        return peak_bin(f0_logits)


class Straight(_OnePitch):
    """Sounds as :class:`Local`, and has the gradient of :class:`Soft`."""

    name = "straight"

    def place(self, f0_logits: Tensor) -> Tensor:
        """The value of :func:`peak_bin`, the gradient of :func:`expected_bin`."""
        soft = expected_bin(f0_logits)
        return soft + (peak_bin(f0_logits) - soft).detach()


class Given(Path):
    """The true pitch: amplitudes and level are compared where the target's partials are, and nothing teaches pitch.

    A model whose pitch is some cents off has its partials beside the target's; then a distance asks for other
    amplitudes than the true ones, the more so the higher the partial. For ``replace``, where pitch has its labels.
    """

    name = "given"
    knows_f0 = True

    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """The distance of what is rendered."""
        del generator
        return Parts(distances(self.render(prediction, known).unsqueeze(1)).mean())

    def render(self, prediction: SegmentPrediction, known: Known) -> Tensor:
        """The audio of segments at their true pitch: ``(batch, samples)``."""
        return self.synthesise(known.f0, prediction.y, prediction.level, known)
