"""The multi-scale mel loss of the Descript Audio Codec."""

from __future__ import annotations

from torch import Tensor, nn

from .base import RepresentationDistance
from .mel import Mel
from .norms import sum_of_norms
from .stft import Padding


class DacMel(RepresentationDistance):
    """The mean absolute difference of log mel spectrograms, summed over pairs of window length and number of filters.

    ``d = Σ_n (log_weight · mean |lg max(M_n, clamp_eps) − lg max(M'_n, clamp_eps)| + mag_weight · mean |M_n − M'_n|)``
    with the mel spectrograms ``M_n`` and ``M'_n`` of prediction and target: magnitudes, Hann window, hop ``n / 4``,
    Slaney's scale, filters of equal area, 0 Hz to half the sample rate.

    Args:
        sample_rate: in Hz; published at 44,100, 24,000 and 16,000.
        n_ffts: the window lengths, in samples.
        n_mels: the number of mel filters for each window length.
        fmin: lower edge of the filters, in Hz.
        fmax: upper edge, in Hz; None is half the sample rate.
        clamp_eps: what is the least before the logarithm is taken.
        mag_weight: weight of the mel spectrograms; 0 leaves them out.
        log_weight: weight of their logarithms; 0 leaves them out.
        padding: ``reflect`` as published, ``valid``, ``constant`` or ``end`` (see
            :data:`~tonedeaf.losses.stft.Padding`).

    Raises:
        ValueError: if a parameter is out of its range.

    Warns:
        UserWarning: if filters are narrower than the bins, so that some hold none; it counts them.

    Source:
        Kumar, Seetharaman, Luebs, Kumar & Kumar 2023, "High-Fidelity Audio Compression with Improved RVQGAN"
        (arXiv:2306.06546); ``descriptinc/descript-audio-codec``, ``MelSpectrogramLoss`` with ``conf/base.yml``, and
        ``descriptinc/audiotools``, ``AudioSignal.mel_spectrogram``.

    Departures:
        The reference averages over the batch too. Its exponent before the logarithm, ``pow``, is 1.
    """

    source = "Kumar et al. 2023 (arXiv:2306.06546); descriptinc/descript-audio-codec, MelSpectrogramLoss"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048),
        n_mels: tuple[int, ...] = (5, 10, 20, 40, 80, 160, 320),
        fmin: float = 0.0,
        fmax: float | None = None,
        clamp_eps: float = 1e-5,
        mag_weight: float = 0.0,
        log_weight: float = 1.0,
        padding: Padding = "reflect",
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not n_ffts or len(n_ffts) != len(n_mels):
            raise ValueError(
                f"n_ffts and n_mels must be as many, at least one, got {len(n_ffts)} and {len(n_mels)} numbers"
            )
        if not (mag_weight >= 0 and log_weight >= 0 and mag_weight + log_weight > 0):
            raise ValueError(
                "mag_weight and log_weight must be at least 0, and one of them positive, "
                f"got {mag_weight} and {log_weight}"
            )
        if not clamp_eps > 0:
            raise ValueError(f"clamp_eps must be positive, got {clamp_eps}")
        mels = [
            Mel(
                sample_rate=sample_rate,
                n_fft=n_fft,
                overlap=0.75,
                n_mels=filters,
                fmin=fmin,
                fmax=sample_rate / 2 if fmax is None else fmax,
                power=1.0,
                padding=padding,
                mel_scale="slaney",
                mel_equal_area=True,
            )
            for n_fft, filters in zip(n_ffts, n_mels, strict=True)
        ]
        self.mels = nn.ModuleList(mels)
        self._min_samples = max(mel.min_samples for mel in mels)
        self.clamp_eps = clamp_eps
        self.mag_weight = mag_weight
        self.log_weight = log_weight

    @property
    def min_samples(self) -> int:
        """One frame of the longest window."""
        return self._min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to the weighted features ``(batch, frames, filters)``, one or two for each scale."""
        features = list[Tensor]()
        for scale in self.mels:
            assert isinstance(scale, Mel)
            mel = scale.represent(signal)
            if self.log_weight:
                features.append(self.log_weight * mel.clamp(min=self.clamp_eps).log10())
            if self.mag_weight:
                features.append(self.mag_weight * mel)
        return tuple(features)

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The mean absolute differences of the features, summed: ``(batch,)``."""
        return sum_of_norms(prediction, target, "l1", average=True)
