import pytest
import torch

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.features import log_magnitude
from tonedeaf.bassnet.transposition import transpose


def test_whole_bins_shift():
    spectra = torch.rand(2, 3, 10)
    moved = transpose(spectra, torch.tensor([2.0, -1.0]))
    torch.testing.assert_close(moved[0, :, 2:], spectra[0, :, :-2], rtol=0, atol=1e-6)
    torch.testing.assert_close(moved[1, :, :-1], spectra[1, :, 1:], rtol=0, atol=1e-6)
    torch.testing.assert_close(transpose(spectra, torch.zeros(2)), spectra, rtol=0, atol=0)


def test_parabolas_move_exactly():
    bins = torch.arange(20, dtype=torch.float64)

    def parabola(peak: float) -> torch.Tensor:
        return 200 - (bins - peak).square()

    moved = transpose(parabola(9.2)[None, None], torch.tensor([1.37], dtype=torch.float64))[0, 0]
    torch.testing.assert_close(moved[4:-4], parabola(9.2 + 1.37)[4:-4], rtol=1e-12, atol=0)


@pytest.mark.parametrize("bins_per_octave", [12, 36])
@pytest.mark.parametrize("cents", [-50, 20, 50])
def test_a_tone_moves_as_if_it_had_been_played_there(bins_per_octave: int, cents: float):
    cqt = CqtConfig(bins_per_octave=bins_per_octave)
    time = torch.arange(32000, dtype=torch.float64) / 16000

    def spectrum(bent: float) -> torch.Tensor:
        f0 = 110 * 2 ** (bent / 1200)
        tone = torch.stack([torch.cos(2 * torch.pi * h * f0 * time + h**2) / h for h in range(1, 5)]).sum(0)
        return log_magnitude(0.4 * tone, cqt)[100][None, None]

    moved = transpose(spectrum(0), torch.tensor([cents / 1200 * bins_per_octave]))
    there = spectrum(cents)
    near = there > there.max() - 0.7  # within 6 dB of the strongest
    decibels = 20 / torch.log(torch.tensor(10.0))
    # A lobe is not quite a parabola, and partials overlap.
    assert (decibels * (moved - there)[near]).abs().max() < 1.3
    assert (decibels * (spectrum(0) - there)[near]).abs().max() > 1.8


def test_nothing_gets_negative():
    assert transpose(torch.eye(10)[None] * 5, torch.tensor([0.5])).min() == 0
