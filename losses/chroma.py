"""Chroma: the spectrum folded into one octave, and the distance of two on a logarithmic scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .norms import Norm, check_norm, norm_of_difference
from .stft import Padding, Stft

_CENTRE, _WIDTH = 5.0, 2.0
"""Of the Gaussian that weights the octaves, in octaves above A0 (27.5 Hz): 880 Hz, and four octaves wide."""


def chroma_filters(*, n_fft: int, sample_rate: float, n_chroma: int, a4: float) -> NDArray[np.float64]:
    """How much each frequency bin adds to each pitch class.

    Bin ``k`` is at the pitch ``c_k = n_chroma·log2(16 f_k / a4)``. Its weights are ``exp(−2 (D/w)²)`` of the distance
    ``D`` from ``c_k`` to the pitch class around the octave, ``w`` the distance to the next bin but at least 1; they are
    scaled to norm 1, and then by ``exp(−((c_k/n_chroma − 5) / 2)² / 2)``. The bin at 0 Hz counts as 1.5 octaves under
    the next.

    Args:
        n_fft: transform length, in samples.
        sample_rate: in Hz.
        n_chroma: pitch classes in an octave, a multiple of 12; the first is C.
        a4: concert pitch, in Hz.

    Returns:
        ``(n_fft // 2 + 1, n_chroma)``.

    Source:
        Ellis 2007, "Chroma feature analysis and synthesis"; ``librosa.filters.chroma`` gives the same numbers.
    """
    frequencies = np.arange(1, n_fft // 2 + 2) * (sample_rate / n_fft)
    octaves = np.log2(16 * frequencies / a4)
    octaves = np.concatenate(([octaves[0] - 1.5], octaves))
    width = np.maximum(n_chroma * np.diff(octaves), 1)
    octaves = octaves[:-1]
    # Octaves are counted from A; C is three semitones up.
    pitch_classes = np.arange(n_chroma) + n_chroma // 4
    around = (n_chroma * octaves[:, None] - pitch_classes + n_chroma / 2) % n_chroma - n_chroma / 2
    weights = np.exp(-2 * (around / width[:, None]) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights * np.exp(-0.5 * ((octaves - _CENTRE) / _WIDTH) ** 2)[:, None]


class LogChroma(RepresentationDistance):
    """The norm of the difference of two logarithmic chromagrams: octaves count for little, pitch classes for much.

    ``d = ‖S(prediction) − S(target)‖`` with ``S = ln(C|STFT|^power + log_offset)``, ``C`` of :func:`chroma_filters`.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples. Below some 15 bins' width (320 Hz by default) semitones blur.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        n_chroma: pitch classes in an octave, a multiple of 12.
        a4: concert pitch, in Hz.
        power: 1 for magnitudes, 2 for powers.
        padding: as of :class:`~tonedeaf.losses.stft.Stft`.
        log_offset: what is added before the logarithm is taken.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and pitch classes rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Filters of Ellis 2007 and ``librosa.filters.chroma``; window, hop and power of ``librosa.feature.chroma_stft``.
        A chroma loss: ``auraloss.freq.ChromaSTFTLoss``, which fails in 0.4.0 (its filters are no tensor).

    Departures:
        ``chroma_stft`` divides each frame by its greatest class; here levels are kept, and logarithms taken.
    """

    source = "Ellis 2007, chroma feature analysis; librosa.filters.chroma"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        n_chroma: int = 12,
        a4: float = 440.0,
        power: float = 2.0,
        padding: Padding = "valid",
        log_offset: float = 1e-4,
        norm: Norm = "l2",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if n_chroma < 12 or n_chroma % 12:
            raise ValueError(f"n_chroma must be a multiple of 12, got {n_chroma}")
        if not 0 < a4 <= sample_rate / 2:
            raise ValueError(
                f"a4 must be above 0 and at most {sample_rate / 2:g} Hz (half the sample rate), got {a4:g}"
            )
        if not log_offset > 0:
            raise ValueError(f"log_offset must be positive, got {log_offset}")
        self.stft = Stft(
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            power=power,
            padding=padding,
            loudness_phon=loudness_phon,
            sample_rate=sample_rate,
        )
        self._filters = Constant(chroma_filters(n_fft=n_fft, sample_rate=sample_rate, n_chroma=n_chroma, a4=a4))
        self.log_offset = log_offset
        self.norm: Norm = check_norm(norm)
        self.average = average

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, n_chroma)``."""
        spectrogram: Tensor = self.stft(signal)
        return (spectrogram @ self._filters(spectrogram) + self.log_offset).log()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)
