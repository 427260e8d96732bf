"""The multi-scale spectral loss of DDSP."""

from __future__ import annotations

from torch import Tensor, nn

from .base import RepresentationDistance
from .norms import sum_of_norms
from .stft import Padding, Stft


class DdspMss(RepresentationDistance):
    """The mean absolute difference of magnitudes and of log magnitudes, summed over several window lengths.

    ``d = Σ_n (mag_weight · mean |S_n − S'_n| + logmag_weight · mean |ln(S_n + eps) − ln(S'_n + eps)|)`` with the
    magnitudes ``S_n = |STFT_n(prediction)|`` and ``S'_n = |STFT_n(target)|``, Hann window.

    Args:
        sample_rate: in Hz; the distance depends on it with ``loudness_phon`` only.
        n_ffts: the window lengths, in samples.
        overlap: share of a window in common with the next.
        mag_weight: weight of the magnitudes; 0 leaves them out.
        logmag_weight: weight of the log magnitudes, the paper's α; 0 leaves them out.
        eps: what is added to the magnitudes before the logarithm is taken.
        padding: ``end`` as published, ``valid``, ``reflect`` or ``constant`` (see
            :data:`~tonedeaf.losses.stft.Padding`).
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Engel, Hantrakul, Gu & Roberts 2020, "DDSP: Differentiable Digital Signal Processing" (ICLR), eq. 4;
        ``magenta/ddsp``, ``losses.SpectralLoss`` and ``spectral_ops`` of the releases 0.x, the paper's. The weights are
        the paper's and those of ``ae.gin`` (1 and 1); the class itself leaves log magnitudes out unless told otherwise.

    Departures:
        The reference averages over the batch too. Its later releases take ``ln max(S, eps)`` (1.0), or put ``eps`` in
        place of magnitudes that are 0 and of no others (3.x), which jumps and has no bound on its slope. The other
        terms of its class (differences over time and frequency, loudness) have weight 0 by default, and are not here.
        Its cumulative sum over frequency is the distance ``cumulative_spectrum``.
    """

    source = "Engel et al. 2020, DDSP (arXiv:2001.04643); magenta/ddsp, SpectralLoss"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64),
        overlap: float = 0.75,
        mag_weight: float = 1.0,
        logmag_weight: float = 1.0,
        eps: float = 1e-5,
        padding: Padding = "end",
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not n_ffts:
            raise ValueError("n_ffts must name at least one window length")
        if not (mag_weight >= 0 and logmag_weight >= 0 and mag_weight + logmag_weight > 0):
            raise ValueError(
                "mag_weight and logmag_weight must be at least 0, and one of them positive, "
                f"got {mag_weight} and {logmag_weight}"
            )
        if not eps > 0:
            raise ValueError(f"eps must be positive, got {eps}")
        stfts = [
            Stft(
                n_fft=n_fft,
                overlap=overlap,
                power=1.0,
                padding=padding,
                loudness_phon=loudness_phon,
                sample_rate=sample_rate,
            )
            for n_fft in n_ffts
        ]
        self.stfts = nn.ModuleList(stfts)
        self.mag_weight = mag_weight
        self.logmag_weight = logmag_weight
        self.eps = eps
        self._min_samples = max(stft.min_samples for stft in stfts)

    @property
    def min_samples(self) -> int:
        """One frame of the longest window."""
        return self._min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to the weighted features ``(batch, frames, bins)``, one or two for each scale."""
        features = list[Tensor]()
        for stft in self.stfts:
            magnitude: Tensor = stft(signal)
            if self.mag_weight:
                features.append(self.mag_weight * magnitude)
            if self.logmag_weight:
                features.append(self.logmag_weight * (magnitude + self.eps).log())
        return tuple(features)

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The mean absolute differences of the features, summed: ``(batch,)``."""
        return sum_of_norms(prediction, target, "l1", average=True)
