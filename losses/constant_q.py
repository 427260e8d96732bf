"""The constant-Q transform, and its variable-Q generalisation, exact at any hop."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
from scipy.fft import fft, next_fast_len
from scipy.signal import get_window
from torch import Tensor, nn

from .constant import Constant

if TYPE_CHECKING:
    from numpy.typing import NDArray

KernelPadding = Literal["valid", "reflect", "constant"]
"""Frames whose longest kernel fits (``valid``), or frames centred on the signal's first to last sample, the signal
being continued by its mirror image (``reflect``) or by zeros (``constant``)."""
_NEGLIGIBLE = 2e-7
"""Of a kernel's spectral peak: what is below is left out."""


class ConstantQ(nn.Module):
    """Complex amplitudes of windowed sinusoids on a logarithmic frequency axis.

    ``C[b, t, k] = 2 Σ_n g_k[n]* x[b, t·hop + n]``, ``g_k[n] = w_k[n] exp(2πi f_k n / sample_rate) / Σ w_k``,
    ``f_k = fmin · 2^(k / bins_per_octave)``: for a sinusoid at ``f_k``, ``|C|`` is its amplitude. The window ``w_k``
    has ``ceil(Q · sample_rate / (f_k + gamma / α))`` samples, with ``α = 2^(1/bins_per_octave) − 1`` and
    ``Q = filter_scale / α``; all kernels have one centre.

    Frames are not convolved one by one. Blocks of the signal are transformed (overlap-save), multiplied by the kernels'
    spectra, and the product is folded to the frames' rate before the inverse transform: that is the same
    number, to 1e-6 of the signal, at any hop and for a small part of the time.

    Args:
        sample_rate: in Hz.
        fmin: centre of the first bin, in Hz.
        n_bins: number of bins; the last must be at most half the sample rate.
        bins_per_octave: bins in an octave.
        hop_length: samples from one frame to the next.
        filter_scale: factor on all window lengths.
        gamma: bandwidth added to each bin, in Hz; 0 is the constant-Q transform, more shortens the low bins' windows.
        window: a window name of :func:`scipy.signal.get_window`.
        padding: see :data:`KernelPadding`.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Brown 1991; Schörkhuber et al. 2014 (``gamma``). The kernels are nnAudio's (Cheuk et al. 2020,
        ``nnAudio.utils.create_cqt_kernels``); the numbers those of ``nnAudio.features.CQT1992v2`` with
        ``normalization_type="wrap"``.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        fmin: float,
        n_bins: int,
        bins_per_octave: int,
        hop_length: int,
        filter_scale: float = 1.0,
        gamma: float = 0.0,
        window: str = "hann",
        padding: KernelPadding = "valid",
    ) -> None:
        super().__init__()
        for name, count in (("n_bins", n_bins), ("bins_per_octave", bins_per_octave), ("hop_length", hop_length)):
            if count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")
        for name, value in (("fmin", fmin), ("filter_scale", filter_scale)):
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be positive, got {value}")
        if not (gamma >= 0 and math.isfinite(gamma)):
            raise ValueError(f"gamma must be at least 0 (Hz), got {gamma}")
        highest = fmin * 2 ** ((n_bins - 1) / bins_per_octave)
        if highest > sample_rate / 2:
            raise ValueError(
                f"the last of n_bins = {n_bins} bins is at {highest:.6g} Hz, above half the sample rate, "
                f"{sample_rate / 2:g} Hz"
            )
        if padding not in get_args(KernelPadding):
            raise ValueError(f"padding must be one of {', '.join(get_args(KernelPadding))}, got {padding!r}")
        try:
            get_window(window, 4)
        except ValueError as error:
            raise ValueError(f"window {window!r} is not one that scipy.signal.get_window knows") from error
        self.sample_rate = sample_rate
        self.fmin = fmin
        self.n_bins = n_bins
        self.bins_per_octave = bins_per_octave
        self.hop_length = hop_length
        self.gamma = gamma
        self.window = window
        self.padding: KernelPadding = padding
        alpha = 2 ** (1 / bins_per_octave) - 1
        self.quality = filter_scale / alpha
        self.longest = math.ceil(self.quality * sample_rate / (fmin + gamma / alpha))
        if self.longest < 2:
            raise ValueError(f"filter_scale = {filter_scale} and gamma = {gamma} leave windows of less than 2 samples")
        # One block holds as much again as the longest kernel, and a whole number of hops.
        self._folded = int(next_fast_len(math.ceil(2 * self.longest / hop_length)))
        self._block = self._folded * hop_length
        self._frames = (self._block - self.longest) // hop_length + 1

    @property
    def min_samples(self) -> int:
        """The shortest signal that has a frame: the longest kernel, or what padding takes."""
        return {"valid": self.longest, "reflect": (self.longest + 1) // 2 + 1, "constant": 1}[self.padding]

    def frequencies(self) -> NDArray[np.float64]:
        """The centre of each bin, in Hz: ``(n_bins,)``."""
        return self.fmin * 2 ** (np.arange(self.n_bins) / self.bins_per_octave)

    def kernels(self) -> NDArray[np.complex128]:
        """The kernels ``g``, centred: ``(n_bins, longest)``."""
        from nnAudio.utils import create_cqt_kernels

        kernels, length, _, _ = create_cqt_kernels(
            self.quality,
            self.sample_rate,
            self.fmin,
            self.n_bins,
            self.bins_per_octave,
            window=self.window,
            gamma=self.gamma,  # pyright: ignore[reportArgumentType]  # its default is 0, but any bandwidth will do
        )
        start = (length - self.longest) // 2
        return np.asarray(kernels[:, start : start + self.longest], dtype=np.complex128)

    @cached_property
    def _octaves(self) -> list[tuple[Tensor, Constant]]:
        """Octave by octave: the folds of the spectrum its kernels reach; the spectra ``(folded, folds, bins)``."""
        kernels, octaves = self.kernels(), list[tuple[Tensor, Constant]]()
        for first in range(0, self.n_bins, self.bins_per_octave):
            octave = kernels[first : first + self.bins_per_octave]
            spectra = np.conj(fft(octave, self._block)).reshape(len(octave), self.hop_length, self._folded)
            size = np.abs(spectra).max(axis=2)
            reached = np.flatnonzero((size > _NEGLIGIBLE * size.max(axis=1, keepdims=True)).any(axis=0))
            filters = np.ascontiguousarray(spectra[:, reached].transpose(2, 1, 0)) * (2 / self.hop_length)
            # A constant is real: the last dimension is (real, imaginary).
            octaves.append((torch.from_numpy(reached), Constant(filters.view(np.float64).reshape(*filters.shape, 2))))
        return octaves

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to complex ``(batch, frames, n_bins)``."""
        if self.padding != "valid":
            margins = ((self.longest + 1) // 2, self.longest // 2)
            signal = nn.functional.pad(signal.unsqueeze(1), margins, mode=self.padding).squeeze(1)
        batch, samples = signal.shape
        frames = (samples - self.longest) // self.hop_length + 1
        blocks = math.ceil(frames / self._frames)
        step = self._frames * self.hop_length
        signal = nn.functional.pad(signal, (0, (blocks - 1) * step + self._block - samples))
        spectrum = torch.fft.fft(signal.unfold(-1, self._block, step))
        folds = spectrum.reshape(batch * blocks, self.hop_length, self._folded).permute(2, 0, 1)
        products = [
            folds.index_select(-1, reached.to(signal.device)) @ torch.view_as_complex(filters(signal))
            for reached, filters in self._octaves
        ]
        transform = torch.fft.ifft(torch.cat(products, dim=-1), dim=0)[: self._frames]
        return transform.transpose(0, 1).reshape(batch, -1, self.n_bins)[:, :frames]
