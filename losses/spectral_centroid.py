"""The distance of two spectral centroids."""

from __future__ import annotations

from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .stft import Padding, Stft

_FLOOR = 1e-4
"""Added to the sum of magnitudes, where a full-scale sine has about ``n_fft / 2``: decides the centroid of silence."""


class Log2SpectralCentroid(RepresentationDistance):
    """The absolute difference of the spectral centroids, in octaves, averaged over frames.

    ``c_t = Σ_k f_k S_tk / Σ_k S_tk`` with ``S = |STFT|^power``;
    ``d = mean_t |log2 c_t(prediction) − log2 c_t(target)|``.
    The centroid of silence is set to a quarter of the sample rate.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        power: 1 for magnitudes (the paper's), 2 for powers.
        padding: ``valid``, ``reflect`` or ``constant``.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Turian & Henry 2020, Table 2; ``librosa.feature.spectral_centroid``.
    """

    source = "Turian & Henry 2020, Table 2 (arXiv:2012.04572)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        power: float = 1.0,
        padding: Padding = "valid",
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        self.stft = Stft(n_fft=n_fft, overlap=overlap, window=window, power=power, padding=padding)
        self._frequencies = Constant(self.stft.frequencies(sample_rate))

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to the centroid of each frame, in octaves above 1 Hz: ``(batch, frames)``."""
        spectrogram: Tensor = self.stft(signal)
        weighted = spectrogram @ self._frequencies(signal) + _FLOOR * self.sample_rate / 4
        return (weighted / (spectrogram.sum(-1) + _FLOOR)).log2()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean absolute difference, in octaves: ``(batch,)``."""
        return (prediction - target).abs().mean(-1)
