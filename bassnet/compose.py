"""A bass to a recording: from its samples to the bass's, with the controls between.

Source: Grachten, Lattner & Deruty 2020, 4.3 (windows over whole tracks) and the additive synthesis of "Insights on
Harmonic Tones from a Generative Music Experiment" (arXiv:2506.07073).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .bass_notes import BassLine, bass_line
from .config import HOP, SAMPLE_RATE
from .controls import Controls, partial_gains, partial_ratios, vary
from .features import log_magnitude
from .inharmonic import inharmonic_synthesis
from .level import check_absolute
from .run import Run
from .synthesis import HIGHEST, at_level, harmonic_amplitudes, harmonic_synthesis, hold
from .tracks import Track, predict_track

FADE = 0.005
"""Seconds in which a struck note ends, and those in which the next begins."""
PEAK = 0.98
"""A bass that would be louder than this is made quieter as a whole."""


@dataclass(frozen=True, eq=False)
class Composition:
    """A bass track.

    Attributes:
        audio: float32, ``(samples,)``.
        sample_rate: in Hz.
        line: its notes.
        gain_db: what it was attenuated by, so that it does not clip; 0 if it needs none.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    line: BassLine
    gain_db: float


def compose(
    run: Run, mix: NDArray[np.float32], z: Tensor, controls: Controls, *, sample_rate: int, samples: int
) -> Composition:
    """Predict a bass, and play it.

    Args:
        run: a trained model.
        mix: 16 kHz, mono; its peak will be normalised, ``(16 kHz samples,)``.
        z: one for all, ``(latent,)``, or one a frame of 160 samples, ``(frames, latent)``.
        controls: how it is to sound.
        sample_rate: of the bass, in Hz.
        samples: its length.

    Raises:
        ValueError: if the mix is silent, z does not fit, or the model's level is not absolute.
    """
    check_absolute(run.config, f"the model in {run.folder} cannot be played")
    peak = float(np.abs(mix).max(initial=0.0))
    if not peak > 0:
        raise ValueError("the mix is silent")
    device = next(run.model.parameters()).device
    spectrum = log_magnitude(torch.from_numpy(mix / peak).to(device), run.config.cqt)
    track = predict_track(run.model, spectrum, z.to(device))
    track = Track(*(curve.cpu() for curve in (track.y, track.f0_probabilities, track.level, track.onset)))
    line = bass_line(track, run.config.cqt, threshold=run.threshold, onset_threshold=controls.onset_threshold)
    audio = play(track, line, run, controls, sample_rate=sample_rate, samples=samples)
    loudest = float(np.abs(audio).max(initial=0.0))
    gain = min(1.0, PEAK / loudest) if loudest > 0 else 1.0
    return Composition((audio * gain).astype(np.float32), sample_rate, line, 20 * math.log10(gain))


def play(
    track: Track, line: BassLine, run: Run, controls: Controls, *, sample_rate: int, samples: int
) -> NDArray[np.float32]:
    """Additive synthesis of a bass line: ``(samples,)``.

    The partials' ratios come from the magnitudes and the variation, their power from the level; what odd/even,
    fundamental and low-pass take away is not made up for.
    """
    if not line.notes:
        return np.zeros(samples, dtype=np.float32)
    sounding = torch.from_numpy(line.f0 > 0).unsqueeze(0)
    f0 = torch.from_numpy(line.f0.astype(np.float32)).unsqueeze(0)
    f0 = hold(f0, sounding)
    frequency = (partial_ratios(controls.harmonics, controls.inharmonicity) * f0.unsqueeze(-1)).float()
    read = harmonic_amplitudes(track.y.unsqueeze(0), f0, cqt=run.config.cqt, harmonics=controls.harmonics, larger=True)
    audible = (frequency < min(HIGHEST, sample_rate / 2)) & sounding.unsqueeze(-1)
    shares = vary(read[0], audible[0], controls.variation).unsqueeze(0)
    amplitudes = at_level(shares, track.level.unsqueeze(0)) * partial_gains(frequency, controls)
    hop = round(HOP * sample_rate / SAMPLE_RATE)
    f0, amplitudes = _on_grid(f0, amplitudes, hop=hop, sample_rate=sample_rate, samples=samples)
    ratios = partial_ratios(controls.harmonics, controls.inharmonicity)
    amplitudes = amplitudes * _stays_below(ratios * f0.unsqueeze(-1), min(HIGHEST, sample_rate / 2))
    if controls.inharmonicity:
        wave = inharmonic_synthesis(f0, amplitudes, ratios, sample_rate=sample_rate, hop=hop, samples=samples)
    else:
        wave = harmonic_synthesis(f0, amplitudes, sample_rate=sample_rate, hop=hop, samples=samples)
    return wave[0].numpy() * _strikes(line.struck, sample_rate=sample_rate, samples=samples)


def _on_grid(f0: Tensor, amplitudes: Tensor, *, hop: int, sample_rate: int, samples: int) -> tuple[Tensor, Tensor]:
    """Frames of 10 ms as frames of ``hop`` samples, enough for all samples; the last is held.

    Args:
        f0: in Hz, without gaps, ``(1, frames)``.
        amplitudes: ``(1, frames, harmonics)``.
        hop: samples of the new frames.
        sample_rate: in Hz.
        samples: to be covered.
    """
    time = torch.arange(-(-samples // hop) + 1, dtype=torch.float64) * (hop * SAMPLE_RATE / HOP / sample_rate)
    time = time.clamp(max=f0.shape[1] - 1)
    before = time.long()
    after = (before + 1).clamp(max=f0.shape[1] - 1)
    share = (time - before).float()
    pitch = torch.lerp(f0[:, before].log2(), f0[:, after].log2(), share).exp2()
    return pitch, torch.lerp(amplitudes[:, before], amplitudes[:, after], share.unsqueeze(-1))


def _stays_below(frequency: Tensor, limit: float) -> Tensor:
    """Which partials lie below a limit (Hz) in a frame and in both its neighbours: bool, ``(…, frames, partials)``.

    A leap of pitch is a glide of one frame. A partial that sounds at one end of it and lies above the limit at the
    other would sweep through all that is between, which is a click; so it begins, or ends, a frame away from the leap.
    """
    below = frequency < limit
    before = torch.cat((below[..., :1, :], below[..., :-1, :]), dim=-2)
    after = torch.cat((below[..., 1:, :], below[..., -1:, :]), dim=-2)
    return below & before & after


def _strikes(struck: NDArray[np.int64], *, sample_rate: int, samples: int) -> NDArray[np.float32]:
    """A gate that closes and opens in 5 ms each, half a cosine, between the frames where a note ends and one begins."""
    gate = np.ones(samples, dtype=np.float32)
    fade = max(1, round(FADE * sample_rate))
    dip = (0.5 + 0.5 * np.cos(np.pi * np.arange(-fade, fade + 1) / fade)).astype(np.float32)
    for frame in struck.tolist():
        centre = round((frame - 0.5) * HOP * sample_rate / SAMPLE_RATE)
        begin, end = max(0, centre - fade), min(samples, centre + fade + 1)
        if end > begin:
            gate[begin:end] = np.minimum(gate[begin:end], 1 - dip[begin - centre + fade : end - centre + fade])
    return gate
