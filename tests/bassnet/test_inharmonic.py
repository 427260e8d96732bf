"""Partials at any ratios against the definition, and against the harmonic synthesiser where they are harmonics."""

import math

import torch

from tonedeaf.bassnet.controls import partial_ratios
from tonedeaf.bassnet.inharmonic import inharmonic_synthesis
from tonedeaf.bassnet.synthesis import harmonic_synthesis


def test_harmonic_ratios_give_the_harmonic_synthesiser_s_sound():
    """Over a minute, with glides, rests and the fade: float32 agrees to −100 dB."""
    generator = torch.Generator().manual_seed(0)
    f0 = 40 + 300 * torch.rand(1, 1200, generator=generator)
    f0[0, 100:150] = 0.0
    amplitudes = torch.rand(1, 1200, 12, generator=generator)
    one = harmonic_synthesis(f0, amplitudes, sample_rate=8000, hop=80, samples=96000 - 7)
    other = inharmonic_synthesis(f0, amplitudes, partial_ratios(12, 0.0), sample_rate=8000, hop=80, samples=96000 - 7)
    assert one.shape == other.shape
    assert float((one - other).square().sum() / one.square().sum()) < 1e-10


def test_stretched_partials_have_the_frequencies_of_a_stiff_string():
    """A steady tone for a second: Σ a_h sin(2π f_h (t − ½)), f_h = h·f0·√(1 + B·h²), nothing else."""
    rate, f0, stiffness = 16000, 110.0, 1e-3
    amplitudes = torch.tensor([0.5, 0.3, 0.2, 0.1, 0.4], dtype=torch.float64)
    wave = inharmonic_synthesis(
        torch.full((1, 101), f0, dtype=torch.float64),
        amplitudes.expand(1, 101, 5),
        partial_ratios(5, stiffness),
        sample_rate=rate,
        hop=160,
        samples=rate,
    )[0]
    time = torch.arange(rate, dtype=torch.float64) / rate - 0.5
    true = torch.zeros(rate, dtype=torch.float64)
    for partial, amplitude in enumerate(amplitudes.tolist(), 1):
        true += amplitude * torch.sin(2 * math.pi * partial * f0 * math.sqrt(1 + stiffness * partial**2) * time)
    assert torch.allclose(wave, true, atol=1e-9)
