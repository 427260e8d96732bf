"""Windows of features, compressed as the model takes them, with the targets of its heads.

Training takes pairs of windows from one song, at most so many frames apart; validation takes windows that are evenly
spread. Where is drawn from a generator on the CPU, so that it is the same on every device; a batch is then gathered in
one indexing step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .config import F_MIN, CqtConfig, ModelConfig
from .features import FeatureSet
from .multiresolution import compress
from .transposition import transpose

UNVOICED = -1
"""In place of a bin, where no note sounds, or none within the bins' range."""


class Windows(NamedTuple):
    """A batch: C channels of T steps with B bins.

    Attributes:
        x: log magnitude of the mix, float32, ``(batch, C, T, B)``.
        y: of the bass, likewise.
        f0: how a step's voiced frames are distributed over the bins; zeros if there are none, ``(batch, C, T, B)``.
        voiced: share of a step's frames that are voiced, ``(batch, C, T)``.
        level: in [0, 1], ``(batch, C, T)``.
        onset: in [0, 1], ``(batch, C, T)``.
    """

    x: Tensor
    y: Tensor
    f0: Tensor
    voiced: Tensor
    level: Tensor
    onset: Tensor


@dataclass(frozen=True, eq=False)
class WindowSource:
    """Where windows come from.

    Args:
        features: of some songs; those shorter than a window are left out.
        model: the sizes of a window.
        cqt: the bins.
        level: which of the two levels is the target.

    Raises:
        ValueError: if no song is as long as a window.
    """

    features: FeatureSet
    model: ModelConfig
    cqt: CqtConfig
    level: Literal["absolute", "minmax"] = "absolute"

    def __post_init__(self) -> None:
        if not len(self._songs):
            longest = int((self.features.starts[1:] - self.features.starts[:-1]).max())
            raise ValueError(
                f"no song is as long as a window of {self.model.expanded} frames of 10 ms: the longest has {longest}"
            )

    @cached_property
    def _songs(self) -> Tensor:
        """First frame of each song that holds a window, and how many windows it holds: ``(songs, 2)``, on the CPU."""
        starts = self.features.starts.cpu()
        windows = starts[1:] - starts[:-1] - self.model.expanded + 1
        return torch.stack((starts[:-1], windows), dim=1)[windows > 0]

    @property
    def count(self) -> int:
        """How many different windows there are."""
        return int(self._songs[:, 1].sum())

    def draw_pairs(self, pairs: int, *, apart: int, generator: torch.Generator) -> Tensor:
        """First frames of windows and of their partners: ``(2, pairs)``, on the CPU.

        Args:
            pairs: how many; every window of every song is as likely.
            apart: the farthest that two partners start from each other, in frames. A partner is drawn uniformly from
                the windows of the song that are near enough, the window itself among them.
            generator: on the CPU.
        """
        ends = self._songs[:, 1].cumsum(0)
        drawn = torch.randint(self.count, (pairs,), generator=generator)
        song = torch.searchsorted(ends, drawn, right=True)
        first, windows = self._songs[song].unbind(1)
        place = drawn - (ends[song] - windows)
        low, high = (place - apart).clamp(min=0), torch.minimum(place + apart, windows - 1)
        where = torch.rand(pairs, dtype=torch.float64, generator=generator)
        partner = torch.minimum(low + (where * (high - low + 1)).long(), high)
        return torch.stack((first + place, first + partner))

    def spread(self, windows: int) -> Tensor:
        """First frames of windows that are spread evenly over the songs: ``(at most windows,)``, ascending."""
        chosen = torch.linspace(0, self.count - 1, min(windows, self.count), dtype=torch.float64).round().long()
        ends = self._songs[:, 1].cumsum(0)
        song = torch.searchsorted(ends, chosen, right=True)
        return self._songs[song, 0] + chosen - (ends[song] - self._songs[song, 1])

    def take(self, first: Tensor, *, transposed: Tensor | None = None) -> Windows:
        """The windows that start at some frames ``(batch,)``.

        Args:
            first: their first frames.
            transposed: bins by which each is moved up, mix and bass alike, ``(batch,)``; None leaves them.
        """
        features, length = self.features, self.model.expanded
        index = first.to(features.device, non_blocking=True)
        # One index for all: (batch, length) frames.
        frames = index[:, None] + torch.arange(length, device=features.device)
        mix, bass, f0 = features.mix[frames].float(), features.bass[frames].float(), features.f0[frames]
        if transposed is not None:
            moved = transposed.to(features.device, non_blocking=True)
            mix, bass = transpose(mix, moved), transpose(bass, moved)
            f0 = f0 * torch.exp2(moved / self.cqt.bins_per_octave)[:, None]
        bins = nearest_bin(f0, self.cqt)
        level = features.level if self.level == "absolute" else features.level_minmax

        def resolved(signal: Tensor) -> Tensor:
            return compress(signal, self.model.window)

        # One bin more, for the unvoiced, so that pooling gives the voiced frames' histogram.
        share = resolved(F.one_hot(bins % (self.cqt.bins + 1), self.cqt.bins + 1).float())[..., : self.cqt.bins]
        voiced = share.sum(-1)
        return Windows(
            x=resolved(mix),
            y=resolved(bass),
            f0=share / voiced.clamp(min=torch.finfo(share.dtype).tiny)[..., None],
            voiced=voiced,
            level=resolved(level[frames]),
            onset=resolved(features.onset[frames]),
        )


def nearest_bin(f0: Tensor, cqt: CqtConfig) -> Tensor:
    """The bin whose centre is nearest in cents, int64; :data:`UNVOICED` where f0 is 0 or beyond the bins."""
    place = cqt.bins_per_octave * torch.log2(f0.clamp(min=1.0) / F_MIN)
    nearest = place.round().long()
    return torch.where((f0 > 0) & (nearest >= 0) & (nearest < cqt.bins), nearest, UNVOICED)
