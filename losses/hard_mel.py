"""The log mel distance of HARD."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from .base import RepresentationDistance
from .mel import Mel
from .norms import Norm
from .resampling import Resampler
from .stft import Padding

_SAMPLE_RATE = 22050
_N_FFT, _OVERLAP = 2048, 0.75
_N_MELS = 128
_LOG_FLOOR = 1e-5


class HardMel(RepresentationDistance):
    """The mean absolute difference of log mel spectrograms at 22,050 Hz.

    ``d = mean |X(prediction) − X(target)|`` with ``X = ln max(M|STFT|, 1e-5)``: Hann windows of 2048 samples, hop 512,
    128 filters of equal area on Slaney's scale, 0 Hz to 11,025 Hz. Signals of another sample rate are resampled.

    Args:
        sample_rate: in Hz, a whole number.
        padding: ``valid``, ``reflect``, ``constant`` or ``end`` (see :data:`~tonedeaf.losses.stft.Padding`).
        norm: ``l1`` as published, ``l2`` or ``l2_squared``.
        average: the mean over frames and filters rather than the paper's sum.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate is not whole.

    Source:
        Wu 2023, "Self-Supervised Disentanglement of Harmonic and Rhythmic Features in Music Audio Signals" (DAFx23),
        eq. 2 and Section 4.1; what the paper leaves open (magnitudes, scale, normalisation, floor) is as in
        ``WuYiming6526/HARD-DAFx2023``, ``MelSpecEncoder``.

    Departures:
        The reference code mirrors 768 samples at each edge, and trains with the Huber loss in place of the paper's ℓ1.
    """

    source = "Wu 2023, HARD (DAFx23); WuYiming6526/HARD-DAFx2023, MelSpecEncoder"
    native_sample_rate: ClassVar[int | None] = _SAMPLE_RATE

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        padding: Padding = "valid",
        norm: Norm = "l1",
        average: bool = True,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        self.resample = Resampler(from_rate=sample_rate, to_rate=_SAMPLE_RATE)
        self.mel = Mel(
            sample_rate=_SAMPLE_RATE,
            n_fft=_N_FFT,
            overlap=_OVERLAP,
            n_mels=_N_MELS,
            fmin=0.0,
            fmax=_SAMPLE_RATE / 2,
            power=1.0,
            padding=padding,
            norm=norm,
            average=average,
            mel_scale="slaney",
            mel_equal_area=True,
            log_floor=_LOG_FLOOR,
        )

    @property
    def min_samples(self) -> int:
        """One frame at 22,050 Hz."""
        return self.resample.samples_needed(self.mel.min_samples)

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, 128)``."""
        return self.mel.represent(self.resample(signal))

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return self.mel.compare(prediction, target)
