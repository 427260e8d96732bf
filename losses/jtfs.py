"""Joint time-frequency scattering: the distance of two, whole or at random paths."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import RepresentationDistance
from .norms import Norm, check_norm, norm_of_difference
from .time_frequency_scattering import Path, TimeFrequencyScattering


class Jtfs(RepresentationDistance):
    """The norm of the difference of two joint time-frequency scattering transforms.

    ``d = ‖S(prediction) − S(target)‖``, with ``S`` or ``ln(1 + S / log_offset)`` of the coefficients ``S`` of
    :class:`~tonedeaf.losses.time_frequency_scattering.TimeFrequencyScattering`.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        octaves: octaves that the wavelets in time cover below half the sample rate; coefficients are averages over
            ``2**octaves`` samples.
        per_octave: wavelets in an octave, of the first and the second order in time.
        octaves_fr: octaves of the wavelets over the first order's wavelets.
        per_octave_fr: their number in an octave.
        fastest: leave out modulations whose wavelet's output keeps more than one in ``2**fastest`` samples; 0 keeps
            all.
        log_offset: the coefficient from which the logarithm takes over (a negative one counts as 0); None
            takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over paths, frequencies and frames rather than the sum.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Andén, Lostanlen & Mallat 2019, "Joint time-frequency scattering"; as a distance: Vahidi et al. 2023,
        "Mesostructures"; Kymatio 0.4's ``TimeFrequencyScattering``, whose paths these are.

    Departures:
        The fastest modulations are left out by default, for time (``fastest=0`` takes several times as long); the paths
        that are kept have Kymatio's numbers.
    """

    source = "Andén, Lostanlen & Mallat 2019 (arXiv:1807.08869); Vahidi et al. 2023; Kymatio"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        octaves: int = 8,
        per_octave: tuple[int, ...] = (6, 1),
        octaves_fr: int = 3,
        per_octave_fr: int = 1,
        fastest: int = 5,
        log_offset: float | None = None,
        norm: Norm = "l2",
        average: bool = True,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if log_offset is not None and not log_offset > 0:
            raise ValueError(f"log_offset must be positive, or none, got {log_offset}")
        self.transform = TimeFrequencyScattering(
            octaves=octaves,
            per_octave=per_octave,
            octaves_fr=octaves_fr,
            per_octave_fr=per_octave_fr,
            fastest=fastest,
        )
        self.log_offset = log_offset
        self.norm: Norm = check_norm(norm)
        self.average = average
        self.chosen: frozenset[Path] | None = None

    @property
    def min_samples(self) -> int:
        """What the mirror images at the ends take."""
        return self.transform.time.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, paths, frequencies, frames)``."""
        coefficients: Tensor = self.transform(signal, self.chosen)
        return coefficients if self.log_offset is None else (coefficients.clamp(min=0) / self.log_offset).log1p()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)


class Scrapl(Jtfs):
    """A random part of :class:`Jtfs`: the mean over a few of its second-order paths, drawn with a seed.

    ``d = mean_p ‖S_p(prediction) − S_p(target)‖`` over ``n_paths`` paths ``p``, drawn with equal probability and
    without replacement: an unbiased estimate of the mean over all. The paths stay the same until :meth:`redraw` is
    called, so that the distance is a function of its signals; a training loop redraws before each step.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        octaves: octaves of the wavelets in time.
        per_octave: wavelets in an octave, of the first and the second order in time.
        octaves_fr: octaves of the wavelets over the first order's wavelets.
        per_octave_fr: their number in an octave.
        fastest: leave out modulations whose wavelet's output keeps more than one in ``2**fastest`` samples; 0 keeps
            all.
        n_paths: number of paths.
        seed: of the generator that draws them.
        log_offset: the coefficient from which the logarithm takes over (a negative one counts as 0); None
            takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``, of each path.
        average: the mean over a path's frequencies and frames rather than the sum.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Mitcheltree et al. 2026 (ICLR), "SCRAPL: Scattering transform with random paths for machine learning"; the
        package ``scrapl-loss``, ``SCRAPLLoss`` without its optimizer and importance sampling.

    Departures:
        Several paths rather than one, and one draw until told otherwise. Frames of the margins do not count.
    """

    source = "Mitcheltree et al. 2026 (ICLR), SCRAPL; scrapl-loss 0.1.0"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        octaves: int = 8,
        per_octave: tuple[int, ...] = (6, 1),
        octaves_fr: int = 3,
        per_octave_fr: int = 1,
        fastest: int = 3,
        n_paths: int = 4,
        seed: int = 0,
        log_offset: float | None = None,
        norm: Norm = "l2",
        average: bool = True,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            octaves=octaves,
            per_octave=per_octave,
            octaves_fr=octaves_fr,
            per_octave_fr=per_octave_fr,
            fastest=fastest,
            log_offset=log_offset,
            norm=norm,
            average=average,
        )
        self._all = [path for path in self.transform.paths() if path[0] is not None]
        if not 1 <= n_paths <= len(self._all):
            raise ValueError(f"n_paths must be between 1 and {len(self._all)}, the number of paths, got {n_paths}")
        self.n_paths = n_paths
        self._generator = torch.Generator().manual_seed(seed)
        self.redraw()

    def redraw(self) -> None:
        """Draw the next paths."""
        drawn = torch.randperm(len(self._all), generator=self._generator)[: self.n_paths]
        self.chosen = frozenset(self._all[index] for index in drawn.tolist())

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean over paths of the norm of the difference: ``(batch,)``."""
        norms = norm_of_difference(prediction.flatten(0, 1), target.flatten(0, 1), self.norm, average=self.average)
        return norms.unflatten(0, prediction.shape[:2]).mean(-1)
