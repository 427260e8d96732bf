"""The envelope of a spectrum: what it fills, what it leaves, and scipy's closing as the oracle."""

from itertools import pairwise

import torch
from scipy import ndimage

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.spectral_envelope import spectral_envelope


def test_it_is_the_closing_by_an_octave():
    for bins_per_octave in (12, 36):
        cqt = CqtConfig(bins_per_octave=bins_per_octave)
        y = torch.rand(2, 3, cqt.bins, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        size = (1, 1, bins_per_octave + 1)
        dilated = ndimage.grey_dilation(y.numpy(), size=size, mode="constant", cval=float("-inf"))
        closed = ndimage.grey_erosion(dilated, size=size, mode="constant", cval=float("inf"))
        assert torch.equal(spectral_envelope(y, cqt), torch.from_numpy(closed))


def test_partials_keep_their_height_and_what_lies_between_them_is_filled():
    cqt = CqtConfig(bins_per_octave=36)
    number = torch.arange(1, 9)
    place = (30 + 36 * torch.log2(number)).round().long()
    y = torch.zeros(1, cqt.bins)
    y[0, place] = 5.0 - 0.5 * number
    envelope = spectral_envelope(y, cqt)[0]
    assert torch.equal(envelope[place], y[0, place])
    for height, (below, above) in zip(y[0, place[1:]], pairwise(place.tolist()), strict=True):
        assert torch.equal(envelope[below + 1 : above + 1], height.expand(above - below))
    assert (envelope[:30] == 0).all()


def test_it_does_not_change_what_has_no_valley_and_passes_gradients():
    """But for the last half octave, which has no other side."""
    cqt = CqtConfig(bins_per_octave=12)
    y = torch.linspace(4, 0, cqt.bins).expand(2, -1).clone().requires_grad_()
    envelope = spectral_envelope(y, cqt)
    assert torch.equal(envelope[:, :-6], y[:, :-6])
    envelope.sum().backward()
    assert y.grad is not None
    assert y.grad.sum() == y.numel()
