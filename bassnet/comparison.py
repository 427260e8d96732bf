"""A distance of sounds from their targets, each target being represented once, however many candidates it has."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from ..losses import AudioDistance


class Comparison:
    """A distance from some targets, each of which is represented once.

    Args:
        distance: made for 16 kHz; without a gradient, its values are all that is used.
        target: ``(batch, samples)``.

    Raises:
        ValueError: if the targets are shorter than the distance needs.
    """

    def __init__(self, distance: AudioDistance, target: Tensor) -> None:
        distance.check_signals(target, target)
        self.distance = distance
        with torch.no_grad():
            self._target: object = distance.represent(target)

    def __call__(self, audio: Tensor) -> Tensor:
        """Of each candidate ``(batch, candidates, samples)`` from its target: ``(batch, candidates)``."""
        candidates = audio.shape[1]
        with nullcontext() if self.distance.differentiable else torch.no_grad():
            represented = self.distance.represent(audio.flatten(0, 1))
            return self.distance.compare(represented, _repeat(self._target, candidates)).view(-1, candidates)


def _repeat(representation: object, times: int) -> object:
    if isinstance(representation, Tensor):
        return representation.repeat_interleave(times, dim=0)
    assert isinstance(representation, tuple)
    return tuple(_repeat(part, times) for part in representation)
