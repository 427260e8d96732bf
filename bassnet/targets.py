"""What a rendered segment is compared with: the true controls through the same synthesiser, or the real bass."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import HOP, SAMPLE_RATE
from .synthesis import at_level, harmonic_synthesis


def oracle_target(f0: Tensor, harmonics: Tensor, level: Tensor, sounding: Tensor, *, phase: Tensor | None) -> Tensor:
    """The true f0, harmonics and level, rendered as a prediction is: 16 kHz audio, 160 samples a frame.

    Args:
        f0: in Hz, ``(batch, frames)``.
        harmonics: amplitudes of partials h = 1, 2, …, ``(batch, frames, harmonics)``; only their ratios matter.
        level: in [0, 1], ``(batch, frames)``.
        sounding: which frames are heard, bool, ``(batch, frames)``; the others are silent.
        phase: in cycles, ``(batch,)``, the prediction's; see :func:`.synthesis.harmonic_synthesis`.

    Returns:
        ``(batch, 160·frames)``.
    """
    return harmonic_synthesis(
        torch.where(sounding, f0, 0.0),
        at_level(harmonics, level),
        sample_rate=SAMPLE_RATE,
        hop=HOP,
        samples=HOP * f0.shape[1],
        phase=phase,
    )


def stem_target(stem: Tensor, sounding: Tensor) -> Tensor:
    """The real bass, faded out where the segment's note does not sound, as a prediction is.

    Args:
        stem: 16 kHz audio from the centre of the first frame on, ``(batch, 160·frames)``.
        sounding: which frames are heard, bool, ``(batch, frames)``.

    Returns:
        ``(batch, 160·frames)``.
    """
    gate = sounding.to(stem.dtype).unsqueeze(-1)
    following = torch.cat((gate[:, 1:], gate[:, -1:]), dim=1)
    ramp = torch.arange(HOP, dtype=stem.dtype, device=stem.device) / HOP
    return stem * torch.lerp(gate, following, ramp).flatten(1)


def stem_audio(basses: list[Tensor], starts: Tensor) -> Tensor:
    """Songs' basses ``(samples,)`` put together so that frame ``k`` of all has samples ``160·k`` and following.

    Args:
        basses: 16 kHz, one a song.
        starts: first frame of each song, and the number of frames.

    Returns:
        ``(160·frames,)``; a song's last frame is filled up with silence.
    """
    audio = torch.zeros(HOP * int(starts[-1]))
    for bass, first, last in zip(basses, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        part = bass[: HOP * (last - first)]
        audio[HOP * first : HOP * first + len(part)] = part
    return audio
