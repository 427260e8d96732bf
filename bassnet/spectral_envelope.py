"""The envelope of a harmonic spectrum: what its partials' amplitudes would be, were they somewhere else."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .config import CqtConfig


def spectral_envelope(y: Tensor, cqt: CqtConfig) -> Tensor:
    """The morphological closing of spectra along frequency, by an octave: valleys narrower than that are filled.

    ``E[b] = min over |i| ≤ B/2 of max over |j| ≤ B/2 of y[b + i + j]`` with B bins an octave (an even number): a point
    has the smallest of the maxima of all octaves around it. The first two partials of a tone are an octave apart, all
    others are nearer, so that what lies between them is filled up to the lower of the two; partials that fall with
    frequency keep their height; and nothing is filled below the first.

    Args:
        y: magnitudes, logarithmic or not, ``(…, bins)``.
        cqt: what the bins are.

    Returns:
        Of the same shape; never below ``y``. At either end the octaves are cut off.

    Source: Serra, Image Analysis and Mathematical Morphology (1982), for the closing.
    """
    width = cqt.bins_per_octave
    flat = y.flatten(0, -2).unsqueeze(1)

    def dilated(spectra: Tensor) -> Tensor:
        return F.max_pool1d(spectra, width + 1, stride=1, padding=width // 2)

    return -dilated(-dilated(flat)).view(y.shape)
