"""Whole tracks: a bass to a whole mix, and the latent along one.

Source: Grachten, Lattner & Deruty 2020, 4.3 (overlap-add) and 6.3 (latent trajectories).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .model import BassNet, Posterior
from .multiresolution import compress, expand, gather, overlap_add


@dataclass(frozen=True, eq=False)
class Track:
    """A predicted bass.

    Attributes:
        y: log magnitude, ``(frames, bins)``.
        f0_probabilities: a distribution over the bins, ``(frames, bins)``; of a model whose f0 is the distribution's
            mean, all of it at that mean.
        level: in [0, 1], ``(frames,)``.
        onset: probability, ``(frames,)``.
    """

    y: Tensor
    f0_probabilities: Tensor
    level: Tensor
    onset: Tensor


@torch.no_grad()
def predict_track(model: BassNet, mix: Tensor, z: Tensor, *, batch: int = 64) -> Track:
    """The bass to a mix: a window at a time, put together by overlap-add. The track goes on as silence at its ends.

    Args:
        model: in eval mode, on the mix's device.
        mix: log magnitude, ``(frames, bins)``.
        z: one for all, ``(latent,)``, or one a frame, ``(frames, latent)``; a window has that of its middle frame.
        batch: windows at once.

    Raises:
        ValueError: if mix or z has another shape, or the mix has no frame.
    """
    frames, length = len(mix), model.config.expanded
    latent, half = model.config.latent, length // 2
    if mix.ndim != 2 or mix.shape[1] != model.cqt.bins or not frames:
        raise ValueError(f"mix must be shaped (frames, {model.cqt.bins}), got {tuple(mix.shape)}")
    if z.shape not in ((latent,), (frames, latent)):
        raise ValueError(f"z must be shaped ({latent},) or ({frames}, {latent}), got {tuple(z.shape)}")
    windows = -(-frames // half) + 1  # half a window before the start, and at least none missing behind the end
    padded = F.pad(mix.float(), (0, 0, half, (windows + 1) * half - frames - half))
    first = torch.arange(windows, device=mix.device) * half
    if z.ndim == 2:
        z = z[first.clamp(max=frames - 1)]  # frame `first` of the mix is the middle of the window, for the padding
    z = z.float().expand(windows, latent).to(mix.device)
    parts: list[tuple[Tensor, ...]] = []
    for start in range(0, windows, batch):
        x = compress(gather(padded, first[start : start + batch], length), model.config.window)
        predicted = model.decode(x, z[start : start + batch])
        parts.append(
            (
                expand(predicted.y.float()),
                expand(predicted.f0_logits.float().softmax(-1)),
                expand(predicted.level_logits.float().sigmoid()),
                expand(predicted.onset_logits.float().sigmoid()),
            )
        )
    y, probabilities, level, onset = (overlap_add(torch.cat(each))[:frames] for each in zip(*parts, strict=True))
    if model.config.f0_reading == "mean":
        probabilities = at_mean(probabilities)
    return Track(y, probabilities, level, onset)


def at_mean(probabilities: Tensor) -> Tensor:
    """Distributions with the same means, over no more than two neighbouring bins: ``(…, bins)`` to ``(…, bins)``.

    So whatever reads the pitch off a distribution's peak, as all that evaluates and plays a track does, finds the mean.
    """
    bins = torch.arange(probabilities.shape[-1], dtype=probabilities.dtype, device=probabilities.device)
    mean = probabilities @ bins / probabilities.sum(-1)
    return (1 - (bins - mean.unsqueeze(-1)).abs()).clamp(min=0)


@torch.no_grad()
def encode_windows(model: BassNet, mix: Tensor, bass: Tensor, first: Tensor, *, batch: int = 64) -> Posterior:
    """The distributions of z of some windows of a track.

    Args:
        model: in eval mode, on the tracks' device.
        mix: log magnitude, ``(frames, bins)``.
        bass: likewise.
        first: first frame of each window, ``(windows,)``.
        batch: windows at once.
    """
    found: list[Posterior] = []
    for part in first.to(mix.device).split(batch):
        x, y = (
            compress(gather(track, part, model.config.expanded).float(), model.config.window) for track in (mix, bass)
        )
        found.append(model.encode(x, y))
    return Posterior(*(torch.cat(each) for each in zip(*found, strict=True)))


def encode_track(model: BassNet, mix: Tensor, bass: Tensor, *, hop_windows: float = 0.5) -> tuple[Tensor, Tensor]:
    """The latent along a track: the posterior mean of each window that fits.

    Args:
        model: in eval mode, on the tracks' device.
        mix: log magnitude, ``(frames, bins)``.
        bass: likewise.
        hop_windows: from one window to the next, in (expanded) windows; at least one frame.

    Returns:
        ``(windows, latent)``, and the frames in the middle of the windows, ``(windows,)``.

    Raises:
        ValueError: if mix and bass differ in shape, the track is shorter than a window, or the hop is not positive.
    """
    length = model.config.expanded
    if mix.shape != bass.shape:
        raise ValueError(f"mix and bass must have one shape, got {tuple(mix.shape)} and {tuple(bass.shape)}")
    if len(mix) < length:
        raise ValueError(f"a window has {length} frames of 10 ms; the track has only {len(mix)}")
    if not hop_windows > 0:
        raise ValueError(f"hop_windows must be positive, got {hop_windows}")
    first = torch.arange(0, len(mix) - length + 1, max(1, round(hop_windows * length)), device=mix.device)
    return encode_windows(model, mix, bass, first).mu, first + length // 2
