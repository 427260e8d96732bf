"""Joint time-frequency scattering."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor, nn

from .constant import Constant
from .morlet import Wavelet, lowpass, wavelets
from .scattering import Scattering, decimate

Path = tuple[int | None, int]
"""A second-order wavelet in time (None: the first order), and a wavelet over the first order's wavelets."""


class TimeFrequencyScattering(nn.Module):
    """The modulus of wavelets over time *and* log-frequency, of the first order's moduli.

    ``S2 = ||x ∗ ψ1| ∗ (ψ2 ⊗ ψ_fr)| ∗ (φ_T ⊗ φ_F)``, ``ψ_fr`` a wavelet over the index of ``ψ1`` that spins up or down
    (or the low-pass ``φ_F``), so that rising and falling chirps differ; and ``S1 = ||x ∗ ψ1| ∗ φ_T ∗ ψ_fr| ∗ φ_F``.

    Args:
        octaves: octaves of the wavelets in time; ``T = 2**octaves`` samples.
        per_octave: wavelets in an octave, of the first and the second order in time.
        octaves_fr: octaves of the wavelets over the first order's; ``F = 2**octaves_fr`` wavelets.
        per_octave_fr: their number in an octave.
        fastest: leave out ``ψ2`` whose output keeps more than one in ``2**fastest`` samples: fast modulations, which
            are most of the time that the transform takes.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Andén, Lostanlen & Mallat 2019, "Joint time-frequency scattering"; Kymatio 0.4's ``TimeFrequencyScattering``
        (``format="joint"``, ``T`` and ``F`` at their defaults).
    """

    def __init__(
        self,
        *,
        octaves: int,
        per_octave: tuple[int, ...],
        octaves_fr: int,
        per_octave_fr: int,
        fastest: int,
    ) -> None:
        super().__init__()
        self.time = Scattering(octaves=octaves, per_octave=per_octave)
        if not 1 <= octaves_fr <= 8:
            raise ValueError(f"octaves_fr must be between 1 and 8, got {octaves_fr}")
        if per_octave_fr < 1:
            raise ValueError(f"per_octave_fr must be at least 1, got {per_octave_fr}")
        slowest = max(wavelet.log2_stride for wavelet in self.time.second)
        if not 0 <= fastest <= slowest:
            raise ValueError(f"fastest must be between 0 and {slowest} (log2 of a stride), got {fastest}")
        self.octaves_fr = octaves_fr
        self.fastest = fastest
        up = tuple(wavelets(octaves_fr, per_octave_fr))
        down = tuple(Wavelet(-wavelet.centre, wavelet.bandwidth) for wavelet in up)
        self.across: tuple[Wavelet, ...] = (lowpass(2**octaves_fr), *up, *down)
        # Zeros beyond the lowest wavelet, as many as the slowest wavelet over wavelets reaches.
        self._padded_fr = ((octaves + 1) * per_octave[0] + 8 * 2**octaves_fr) >> octaves_fr << octaves_fr

    def paths(self) -> list[Path]:
        """The paths, in the order of :meth:`forward`'s channels: the first order's, then the second's."""
        first: list[Path] = [(None, across) for across, wavelet in enumerate(self.across) if wavelet.centre >= 0]
        first_stride = min(wavelet.log2_stride for wavelet in self.time.first)
        second: list[Path] = [
            (index, across)
            for index, wavelet in enumerate(self.time.second)
            if wavelet.log2_stride >= self.fastest and wavelet.log2_stride > first_stride
            for across in range(len(self.across))
        ]
        return first + second

    @cached_property
    def _filters(self) -> tuple[list[Constant], list[Constant]]:
        """Circular convolutions over the padded wavelets, as matrices: with ``ψ_fr`` (complex), then with ``φ_F``."""
        filters, averages = list[Constant](), list[Constant]()
        average = torch.from_numpy(self.across[0].response(self._padded_fr))
        for across, wavelet in enumerate(self.across):
            size = self._padded_fr >> (min(wavelet.log2_stride, self.octaves_fr) if across else self.octaves_fr)
            response = torch.from_numpy(wavelet.response(self._padded_fr))
            filters.append(Constant(torch.view_as_real(_convolution(response, size))))
            averages.append(Constant(_convolution(decimate(average, size), self._padded_fr >> self.octaves_fr).real))
        return filters, averages

    def forward(self, signal: Tensor, chosen: frozenset[Path] | None = None) -> Tensor:
        """``(batch, samples)`` to ``(batch, paths, frequencies, frames)``; of the ``chosen`` paths only, if given."""
        wanted = [path for path in self.paths() if chosen is None or path in chosen]
        frames = self.time.frames(signal.shape[-1])
        spectrum = torch.fft.fft(self.time.pad(signal), norm="forward")
        padded = spectrum.shape[-1]
        spectra = list(self.time.moduli(spectrum))
        found: dict[Path, Tensor] = {}
        if any(second is None for second, _ in wanted):
            scalogram = torch.cat([self.time.average(modulus, padded) for _, modulus in spectra], dim=1)
            for path, modulus in self._scatter(None, scalogram, wanted):
                found[path] = modulus
        for second, scalogram in self.time.modulations(spectra, padded, {second for second, _ in wanted}):
            for path, modulus in self._scatter(second, scalogram, wanted):
                found[path] = self.time.average(torch.fft.rfft(modulus, norm="forward"), padded)
        return torch.stack([found[path] for path in wanted], dim=1)[..., frames]

    def _scatter(self, second: int | None, scalogram: Tensor, wanted: list[Path]) -> Iterator[tuple[Path, Tensor]]:
        """The moduli of one second-order wavelet's paths, averaged over ``F``.

        Args:
            second: the wavelet.
            scalogram: ``(batch, wavelets, time)``.
            wanted: the paths to find.

        Yields:
            A path, and ``(batch, frequencies, time)``.
        """
        filters, averages = self._filters
        columns = scalogram.transpose(1, 2)
        columns = columns if columns.is_complex() else torch.complex(columns, torch.zeros_like(columns))
        for path in wanted:
            if path[0] == second:
                matrix = torch.view_as_complex(filters[path[1]](columns.real)[: columns.shape[-1]])
                modulus = (columns @ matrix).abs()
                yield path, (modulus @ averages[path[1]](modulus) if path[1] else modulus).transpose(1, 2)


def _convolution(response: Tensor, kept: int) -> Tensor:
    """The circular convolution that has this frequency response, decimated, as a complex matrix ``(samples, kept)``."""
    impulses = torch.fft.fft(torch.eye(len(response), dtype=torch.complex128), norm="forward")
    return torch.fft.ifft(decimate(impulses * response, kept), norm="forward")
