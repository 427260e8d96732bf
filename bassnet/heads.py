"""From the predicted log magnitude to what a bass is synthesised from: f0, level and onset.

The paper says that these are inferred from the magnitude, f0 as a categorical distribution over the bins, level and
onset as Bernoulli distributions; not how. Every resolution is a spectrogram of its own and goes through the same heads.
"""

from __future__ import annotations

from torch import Tensor, nn


class PitchHead(nn.Module):
    """One logit a bin, from what lies within some octaves to either side: a learned harmonic template.

    Args:
        bins_per_octave: of the spectrogram.
        octaves: reach to either side.
        maps: feature maps between its two convolutions.
    """

    def __init__(self, *, bins_per_octave: int, octaves: int, maps: int) -> None:
        super().__init__()
        reach = octaves * bins_per_octave
        self.layers = nn.Sequential(
            nn.Conv2d(1, maps, (1, 2 * reach + 1), padding=(0, reach)), nn.ReLU(), nn.Conv2d(maps, 1, 1)
        )

    def forward(self, y: Tensor) -> Tensor:
        """``(batch, channels, time, bins)`` to logits of the same shape."""
        return self.layers(y.flatten(0, 1).unsqueeze(1)).view(y.shape)


class StepHead(nn.Module):
    """One logit a time step, from the spectra of some steps around it.

    Args:
        bins: of the spectrogram.
        steps: how many; odd.
        maps: feature maps between its two layers.
    """

    def __init__(self, *, bins: int, steps: int, maps: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(bins, maps, steps, padding=steps // 2), nn.ReLU(), nn.Conv1d(maps, 1, 1))

    def forward(self, y: Tensor) -> Tensor:
        """``(batch, channels, time, bins)`` to logits ``(batch, channels, time)``."""
        return self.layers(y.flatten(0, 1).transpose(1, 2)).view(y.shape[:-1])
