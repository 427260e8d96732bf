"""What signals and features cost: rendering tones, notes and songs, and BassNet's constant-Q transform."""

from typing import Any

import nnAudio.features
import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.bassnet.config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from tonedeaf.bassnet.features import log_magnitude
from tonedeaf.bassnet.renderers import make_renderer, missing
from tonedeaf.bassnet.rendering import make_recipe, render_song
from tonedeaf.benchmarks.signals.additive import partials
from tonedeaf.benchmarks.signals.oscillator import cosine


@pytest.mark.parametrize("who", ["tonedeaf", "cosine of each sample"])
def test_sines(measure: Any, who: str):
    """Half a second at 44.1 kHz, in float64."""
    generator = torch.Generator().manual_seed(0)
    frequency, phase = torch.rand(2, 64, generator=generator, dtype=torch.float64)

    def each_sample() -> Tensor:
        time = torch.arange(22050, dtype=torch.float64)
        return torch.cos(2 * np.pi * (frequency[:, None] * time + phase[:, None]))

    render = (lambda: cosine(frequency, phase, 22050)) if who == "tonedeaf" else each_sample
    measure("signals", "64 sines", who, render)


@pytest.mark.parametrize("who", ["tonedeaf", "cosine of each sample"])
def test_harmonic_tones(measure: Any, who: str):
    """Half a second at 44.1 kHz, in float64."""
    generator = torch.Generator().manual_seed(0)
    f0 = 0.001 + 0.02 * torch.rand(16, 1, generator=generator, dtype=torch.float64)
    frequencies = f0 * torch.arange(1, 21)
    amplitudes, phases = torch.rand(2, 16, 20, generator=generator, dtype=torch.float64)

    def each_sample() -> Tensor:
        time = torch.arange(22050, dtype=torch.float64)
        angles = 2 * np.pi * (frequencies[..., None] * time + phases[..., None])
        return (amplitudes[..., None] * angles.cos()).sum(1)

    render = (lambda: partials(frequencies, amplitudes, phases, 22050)) if who == "tonedeaf" else each_sample
    measure("signals", "16 tones of 20 partials", who, render)


@pytest.mark.parametrize("who", ["tonedeaf", "nnAudio"])
def test_constant_q_transform_of_bassnet(measure: Any, who: str):
    """30 s of music at 16 kHz: the paper's bins and hop."""
    cqt = CqtConfig()
    audio = 0.1 * torch.randn(30 * SAMPLE_RATE, generator=torch.Generator().manual_seed(0))
    work = f"constant-Q transform of 30 s, {cqt.bins} bins, hop {HOP}"
    if who == "tonedeaf":
        measure("signals", work, who, lambda: log_magnitude(audio, cqt), rounds=3)
        return
    transform = nnAudio.features.CQT1992v2(
        sr=SAMPLE_RATE,
        hop_length=HOP,
        fmin=F_MIN,
        n_bins=cqt.bins,
        bins_per_octave=cqt.bins_per_octave,
        pad_mode="constant",
        verbose=False,
    )

    def log_magnitude_of_nnaudio() -> Tensor:
        return torch.log1p(cqt.log_gain * transform(audio.unsqueeze(0), normalization_type="wrap"))

    measure("signals", work, who, log_magnitude_of_nnaudio, rounds=3)


@pytest.mark.parametrize("name", ["additive", "tinysoundfont", "fluidsynth"])
def test_rendering_a_song(measure: Any, name: str):
    """30 s of a song of A1: score, mix and bass."""
    if why := missing(name):
        pytest.skip(why)
    renderer = make_renderer(name)
    recipe = make_recipe("A1", songs=1, seed=0, seconds=30, renderer=renderer)
    measure("signals", f"a song of 30 s, {name}", "tonedeaf", lambda: render_song(recipe, renderer, 0), rounds=2)
