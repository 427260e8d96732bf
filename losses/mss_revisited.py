"""The smooth multi-scale spectral loss of Schwär and Müller."""

from __future__ import annotations

from torch import Tensor, nn

from .base import RepresentationDistance
from .norms import Norm, check_norm, sum_of_norms
from .stft import Padding, Stft


class MssRevisited(RepresentationDistance):
    """The norm of the difference of compressed magnitudes, summed over several window lengths.

    ``d = Σ_n ‖ln(1 + γ·S_n) − ln(1 + γ·S'_n)‖₂`` with the magnitudes ``S_n = |STFT_n(prediction)|`` and
    ``S'_n = |STFT_n(target)|``, flat-top window, hop ``n // 2``.

    The flat-top window hardly leaks, the compression has a finite slope at silence, and prime window lengths have no
    frequencies of bins in common: each smooths the distance as a function of pitch.

    Args:
        sample_rate: in Hz; the distance depends on it with ``loudness_phon`` only.
        n_ffts: the window lengths, in samples.
        window: a window name of ``scipy.signal.get_window``; not normalised.
        gamma: compression; a sine of amplitude A peaks at γ·A·Σw/2, about γ·A·0.108·n for the flat-top window.
        padding: ``valid``, ``reflect``, ``constant`` or ``end`` (see :data:`~tonedeaf.losses.stft.Padding`).
        norm: ``l2`` as published, ``l1`` or ``l2_squared``, of each scale.
        average: the mean over each scale's frames and bins rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Schwär & Müller 2023, "Multi-Scale Spectral Loss Revisited" (IEEE Signal Processing Letters 30). No reference
        code was published; γ = 1, the hop and the window that is not normalised are those of
        ``christhetree/scrapl-ddsp``, ``LogMSSLoss``.

    Departures:
        That implementation mirrors the signal's edges (``padding=reflect``).
    """

    source = "Schwär & Müller 2023 (doi:10.1109/LSP.2023.3333205)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (67, 127, 257, 509, 1021, 2053),
        window: str = "flattop",
        gamma: float = 1.0,
        padding: Padding = "valid",
        norm: Norm = "l2",
        average: bool = False,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not n_ffts:
            raise ValueError("n_ffts must name at least one window length")
        if not gamma > 0:
            raise ValueError(f"gamma must be positive, got {gamma}")
        stfts = [
            Stft(
                n_fft=n_fft,
                hop_length=max(1, n_fft // 2),
                window=window,
                power=1.0,
                padding=padding,
                loudness_phon=loudness_phon,
                sample_rate=sample_rate,
            )
            for n_fft in n_ffts
        ]
        self.stfts = nn.ModuleList(stfts)
        self.gamma = gamma
        self.norm: Norm = check_norm(norm)
        self.average = average
        self._min_samples = max(stft.min_samples for stft in stfts)

    @property
    def min_samples(self) -> int:
        """One frame of the longest window."""
        return self._min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to one ``(batch, frames, bins)`` for each scale."""
        return tuple((self.gamma * stft(signal)).log1p() for stft in self.stfts)

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The sum of the norms over the scales: ``(batch,)``."""
        return sum_of_norms(prediction, target, self.norm, average=self.average)
