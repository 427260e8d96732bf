"""The resampler of distances that work at one sample rate only."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .torchaudio_import import import_torchaudio


class Resampler:
    """Band-limited resampling (windowed sinc), differentiable.

    Args:
        from_rate: sample rate of the signals, in Hz; a whole number.
        to_rate: sample rate that is wanted, in Hz.

    Raises:
        ValueError: if the rates are not whole positive numbers.

    Source:
        ``torchaudio.transforms.Resample`` with its defaults (Hann window, width 6, roll-off 0.99).
    """

    def __init__(self, *, from_rate: float, to_rate: int) -> None:
        if from_rate != round(from_rate) or from_rate < 1 or to_rate < 1:
            raise ValueError(f"resampling needs whole sample rates in Hz, got {from_rate:g} and {to_rate}")
        self.from_rate, self.to_rate = round(from_rate), to_rate
        self._filters: dict[tuple[torch.dtype, torch.device], nn.Module] = {}

    def __call__(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, resampled samples)``."""
        if self.from_rate == self.to_rate:
            return signal
        where = (signal.dtype, signal.device)
        if where not in self._filters:
            transforms = import_torchaudio().transforms
            self._filters[where] = transforms.Resample(self.from_rate, self.to_rate, dtype=signal.dtype).to(
                signal.device
            )
        resampled: Tensor = self._filters[where](signal)
        return resampled

    def samples_needed(self, samples: int) -> int:
        """The fewest samples at ``from_rate`` that give at least ``samples`` at ``to_rate``."""
        return math.floor((samples - 1) * self.from_rate / self.to_rate) + 1
