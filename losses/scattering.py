"""The scattering transform in time, and the distance of two."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .base import RepresentationDistance
from .constant import Constant
from .morlet import Wavelet, lowpass, wavelets
from .norms import Norm, check_norm, norm_of_difference

_SUPPORT = 14.75
"""Length of the margins, in averages: three times where 0.1 % of the low-pass filter is left."""


def decimate(spectrum: Tensor, samples: int) -> Tensor:
    """Of a spectrum ``(…, frequencies)``, what a signal of ``samples`` samples can hold: its lowest frequencies."""
    if samples == spectrum.shape[-1]:
        return spectrum
    return torch.cat([spectrum[..., : samples - samples // 2], spectrum[..., -(samples // 2) :]], dim=-1)


@dataclass(frozen=True)
class Layer:
    """Wavelets that share a stride: their indices in the bank; their responses ``(wavelets, samples // stride)``."""

    indices: tuple[int, ...]
    log2_stride: int
    """Of the filtered signal."""
    responses: Constant


class Scattering(nn.Module):
    """Wavelet modulus coefficients of the first and second order, averaged over ``T = 2**octaves`` samples.

    ``S1 = |x ∗ ψ1| ∗ φ_T`` and ``S2 = ||x ∗ ψ1| ∗ ψ2| ∗ φ_T``, for all ``ψ2`` slower than ``ψ1``, every ``T`` samples.
    The signal is continued by its mirror image at both ends, as far as the wavelets reach.

    Args:
        octaves: ``J``, octaves that the wavelets cover below half the sample rate; 1 to 16.
        per_octave: ``Q``, wavelets in an octave, of the first and the second order.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Andén & Mallat 2014, "Deep scattering spectrum"; the filters, strides and margins of Kymatio 0.4
        (Andreux et al. 2020).
    """

    def __init__(self, *, octaves: int, per_octave: tuple[int, ...]) -> None:
        super().__init__()
        if not 1 <= octaves <= 16:
            raise ValueError(f"octaves must be between 1 and 16, got {octaves}")
        if len(per_octave) != 2 or min(per_octave) < 1:
            raise ValueError(
                "per_octave must be two numbers of at least 1 (first and second order), got "
                + ", ".join(map(str, per_octave))
            )
        self.octaves = octaves
        self.first: tuple[Wavelet, ...] = tuple(wavelets(octaves, per_octave[0]))
        self.second: tuple[Wavelet, ...] = tuple(wavelets(octaves, per_octave[1]))
        self._banks: dict[int, tuple[list[Layer], list[Layer], Constant]] = {}

    @property
    def margin(self) -> int:
        """Samples that a filter may reach beyond either end of the signal."""
        return math.ceil(_SUPPORT * 2**self.octaves)

    @property
    def min_samples(self) -> int:
        """The shortest signal whose mirror image fills the margin."""
        return self.margin + 1

    def padded(self, samples: int) -> int:
        """The length, a power of two, to which ``samples`` are continued."""
        wanted = math.ceil(math.log2(samples + 2 * self.margin))
        return 2 ** min(wanted, math.floor(math.log2(3 * samples - 2)))

    def _layers(self, padded: int) -> tuple[list[Layer], list[Layer], Constant]:
        """What :meth:`_make_layers` makes, made once for each length."""
        if padded not in self._banks:
            self._banks[padded] = self._make_layers(padded)
        return self._banks[padded]

    def _make_layers(self, padded: int) -> tuple[list[Layer], list[Layer], Constant]:
        """The filters of the first order, those of the second, and the low-pass filter, for signals ``padded`` long."""
        banks = list[list[Layer]]()
        for bank in (self.first, self.second):
            layers = list[Layer]()
            for stride in sorted({wavelet.log2_stride for wavelet in bank}):
                indices = tuple(index for index, wavelet in enumerate(bank) if wavelet.log2_stride == stride)
                kept = padded >> min(stride, self.octaves)
                responses = torch.from_numpy(np.stack([bank[index].response(padded) for index in indices]))
                layers.append(Layer(indices, stride, Constant(decimate(responses, kept))))
            banks.append(layers)
        average = lowpass(2**self.octaves).response(padded)[: (padded >> self.octaves) // 2 + 1]
        return banks[0], banks[1], Constant(average)

    def average(self, spectrum: Tensor, padded: int) -> Tensor:
        """``signal ∗ φ_T`` every ``T`` samples of the original rate, from the signal's spectrum: ``(…, frames)``."""
        kept = padded >> self.octaves
        product = spectrum[..., : kept // 2 + 1] * self._layers(padded)[2](spectrum.real)
        return torch.fft.irfft(product, n=kept, norm="forward")

    def frames(self, samples: int) -> slice:
        """Which of the padded signal's frames belong to the signal."""
        before = (self.padded(samples) - samples) // 2
        return slice(-(-before >> self.octaves), -(-(before + samples) >> self.octaves))

    def pad(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, padded)``, mirrored at both ends."""
        missing = self.padded(signal.shape[-1]) - signal.shape[-1]
        margins = (missing // 2, missing - missing // 2)
        return nn.functional.pad(signal.unsqueeze(1), margins, mode="reflect").squeeze(1)

    def moduli(self, spectrum: Tensor) -> Iterator[tuple[Layer, Tensor]]:
        """The spectra of ``|x ∗ ψ1|`` from that of a padded signal ``(batch, padded)``, stride by stride.

        Spectra are divided by their length (``norm="forward"``), so that a part of one needs no other factor.

        Yields:
            Wavelets, and ``(batch, wavelets, padded // stride)``.
        """
        for layer in self._layers(spectrum.shape[-1])[0]:
            responses = layer.responses(spectrum.real)
            product = decimate(spectrum, responses.shape[-1]).unsqueeze(1) * responses
            yield layer, torch.fft.fft(torch.fft.ifft(product, norm="forward").abs(), norm="forward")

    def modulations(
        self, spectra: list[tuple[Layer, Tensor]], padded: int, wanted: Collection[int | None] | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """``|x ∗ ψ1| ∗ ψ2``, complex, from the spectra of ``|x ∗ ψ1|``.

        Args:
            spectra: what :meth:`moduli` yields.
            padded: length of the padded signal.
            wanted: the wavelets ``ψ2`` to compute; None for all.

        Yields:
            A wavelet ``ψ2``'s index, and what it finds in the wavelets ``ψ1`` that are faster, the first wavelets of
            the bank: ``(batch, wavelets ψ1, padded // stride of ψ2)``.
        """
        for slow in self._layers(padded)[1]:
            responses = slow.responses(spectra[0][1].real)
            spectra = [
                (fast, decimate(spectrum, min(responses.shape[-1], spectrum.shape[-1]))) for fast, spectrum in spectra
            ]
            faster = [spectrum for fast, spectrum in spectra if fast.log2_stride < slow.log2_stride]
            if faster:
                carriers = torch.cat(faster, dim=1)
                for second, response in zip(slow.indices, responses, strict=True):
                    if wanted is None or second in wanted:
                        yield second, torch.fft.ifft(carriers * response, norm="forward")

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, coefficients, frames)``: order 0 (``x ∗ φ_T``), 1, and 2 by ``ψ2``."""
        frames = self.frames(signal.shape[-1])
        spectrum = torch.fft.fft(self.pad(signal), norm="forward")
        padded = spectrum.shape[-1]
        spectra = list(self.moduli(spectrum))
        coefficients = [self.average(spectrum, padded).unsqueeze(1)]
        coefficients += [self.average(modulus, padded) for _, modulus in spectra]
        for _, modulation in self.modulations(spectra, padded):
            coefficients.append(self.average(torch.fft.rfft(modulation.abs(), norm="forward"), padded))
        return torch.cat(coefficients, dim=1)[..., frames]


class Scattering1d(RepresentationDistance):
    """The norm of the difference of two time scattering transforms.

    ``d = ‖S(prediction) − S(target)‖`` with the coefficients ``S`` of :class:`Scattering`, or ``ln(1 + S /
    log_offset)``.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        octaves: octaves that the wavelets cover below half the sample rate; coefficients are averages over
            ``2**octaves`` samples.
        per_octave: wavelets in an octave, of the first and the second order.
        log_offset: the coefficient from which the logarithm takes over (a negative one counts as 0); None
            takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over coefficients and frames rather than the sum.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Andén & Mallat 2014, "Deep scattering spectrum"; Kymatio 0.4's ``Scattering1D``, which it equals.

    Departures:
        None in the numbers. Kymatio's takes one length of signal per object, single-precision filters, and tens of
        times the time.
    """

    source = "Andén & Mallat 2014 (arXiv:1304.6763); Kymatio Scattering1D"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        octaves: int = 8,
        per_octave: tuple[int, ...] = (8, 1),
        log_offset: float | None = None,
        norm: Norm = "l2",
        average: bool = True,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if log_offset is not None and not log_offset > 0:
            raise ValueError(f"log_offset must be positive, or none, got {log_offset}")
        self.transform = Scattering(octaves=octaves, per_octave=per_octave)
        self.log_offset = log_offset
        self.norm: Norm = check_norm(norm)
        self.average = average

    @property
    def min_samples(self) -> int:
        """What the mirror images at the ends take."""
        return self.transform.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, coefficients, frames)``."""
        coefficients: Tensor = self.transform(signal)
        return coefficients if self.log_offset is None else (coefficients.clamp(min=0) / self.log_offset).log1p()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)
