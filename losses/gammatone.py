"""The distance of two gammatone spectrograms."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .norms import Norm, check_norm, norm_of_difference
from .stft import Padding, Stft


class Gammatone(RepresentationDistance):
    """The norm of the difference of two gammatone spectrograms, or of their logarithms.

    ``d = ‖G|STFT(prediction)|^power − G|STFT(target)|^power‖``; a row of ``G`` holds the magnitude response of a
    fourth-order gammatone filter at the bins' frequencies, divided by ``n_fft``. Centre frequencies are evenly spaced
    on the scale of the ear's equivalent rectangular bandwidths, ``fmin`` included.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        n_bins: number of gammatone filters.
        fmin: centre of the first filter, in Hz.
        fmax: upper limit of the centres, in Hz; None for half the sample rate.
        power: 1 for magnitudes, 2 for powers (nnAudio's default).
        padding: ``valid``, ``reflect``, ``constant`` or ``end``.
        log_offset: what is added before the logarithm is taken; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and filters rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Ellis 2009, "Gammatone-like spectrograms", after Slaney 1993; filters, and their scale, of
        ``nnAudio.features.Gammatonegram``.

    Departures:
        Frames that fit by default (nnAudio pads by reflection). With ``power`` 1 the gradient at silence is 0
        (nnAudio's is NaN).
    """

    source = "Ellis 2009, Gammatone-like spectrograms; nnAudio Gammatonegram"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        n_bins: int = 64,
        fmin: float = 0.0,
        fmax: float | None = None,
        power: float = 2.0,
        padding: Padding = "valid",
        log_offset: float | None = None,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if n_bins < 1:
            raise ValueError(f"n_bins must be at least 1, got {n_bins}")
        highest = sample_rate / 2 if fmax is None else fmax
        if not 0 <= fmin < highest <= sample_rate / 2:
            raise ValueError(
                f"fmin and fmax must satisfy 0 <= fmin < fmax <= {sample_rate / 2:g} Hz (half the sample rate), "
                f"got {fmin:g} and {highest:g}"
            )
        if log_offset is not None and not log_offset > 0:
            raise ValueError(f"log_offset must be positive, or none, got {log_offset}")
        from nnAudio.librosa_functions import get_gammatone

        self.stft = Stft(
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            power=power,
            padding=padding,
            loudness_phon=loudness_phon,
            sample_rate=sample_rate,
        )
        filters = get_gammatone(sample_rate, n_fft, n_bins, fmin, highest)
        self._filters = Constant(np.asarray(filters.T, dtype=np.float64))
        self.log_offset = log_offset
        self.norm: Norm = check_norm(norm)
        self.average = average

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, n_bins)``."""
        bands: Tensor = self.stft(signal) @ self._filters(signal)
        return bands if self.log_offset is None else (bands + self.log_offset).log()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)
