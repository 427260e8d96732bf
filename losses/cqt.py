"""Distances of spectrograms on a logarithmic frequency axis."""

from __future__ import annotations

from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .constant_q import ConstantQ, KernelPadding
from .equal_loudness import loudness_weights
from .norms import Norm, check_norm, norm_of_difference
from .resampling import Resampler


class Cqt(RepresentationDistance):
    """The norm of the difference of two constant-Q spectrograms.

    ``d = ‖A(prediction) − A(target)‖`` with the amplitudes ``A = |C|`` of
    :class:`~tonedeaf.losses.constant_q.ConstantQ`, or ``A = ln(1 + log_gain·|C|)``: a sinusoid of amplitude 1 at a
    bin's centre has ``|C| = 1``.

    Args:
        sample_rate: in Hz.
        fmin: centre of the first bin, in Hz.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        hop_length: samples from one frame to the next.
        filter_scale: factor on all window lengths.
        gamma: bandwidth added to each bin, in Hz; above 0 the transform is a variable-Q one.
        window: a window name of ``scipy.signal.get_window``.
        padding: ``valid``, ``reflect`` or ``constant``.
        log_gain: factor on the amplitude in the logarithm; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and bins rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the amplitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Brown 1991, "Calculation of a constant Q spectral transform"; nnAudio (Cheuk et al. 2020), ``CQT1992v2``, whose
        default bins, hop and window these are.

    Departures:
        Frames that fit by default (nnAudio pads by reflection). The amplitude's gradient at silence is 0 (nnAudio's is
        NaN).
    """

    source = "Brown 1991 (doi:10.1121/1.400476); nnAudio CQT1992v2"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        fmin: float = 32.70,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        hop_length: int = 512,
        filter_scale: float = 1.0,
        gamma: float = 0.0,
        window: str = "hann",
        padding: KernelPadding = "valid",
        log_gain: float | None = None,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if log_gain is not None and not log_gain > 0:
            raise ValueError(f"log_gain must be positive, or none, got {log_gain}")
        self.resampler = (
            Resampler(from_rate=sample_rate, to_rate=self.native_sample_rate) if self.native_sample_rate else None
        )
        self.transform = ConstantQ(
            sample_rate=self.native_sample_rate or sample_rate,
            fmin=fmin,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            hop_length=hop_length,
            filter_scale=filter_scale,
            gamma=gamma,
            window=window,
            padding=padding,
        )
        self.log_gain = log_gain
        self.norm: Norm = check_norm(norm)
        self.average = average
        self._weights: Constant | None = None
        if loudness_phon is not None:
            self._weights = Constant(loudness_weights(self.transform.frequencies(), loudness_phon))

    @property
    def min_samples(self) -> int:
        """One frame, before resampling."""
        samples = self.transform.min_samples
        return self.resampler.samples_needed(samples) if self.resampler else samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, n_bins)``."""
        amplitude: Tensor = self.transform(self.resampler(signal) if self.resampler else signal).abs()
        if self._weights is not None:
            amplitude = amplitude * self._weights(amplitude)
        return amplitude if self.log_gain is None else (self.log_gain * amplitude).log1p()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)


class LogCqt(Cqt):
    """The norm of the difference of two logarithmic constant-Q spectrograms as BassNet's input has them.

    ``d = ‖ln(1 + 1000·|C(prediction)|) − ln(1 + 1000·|C(target)|)‖`` at 16 kHz, with 36 bins an octave from 27.5 Hz
    (A0) to 4.3 kHz, every 10 ms. The longest kernel, hence the shortest signal, is 1.87 s.

    Args:
        sample_rate: in Hz, a whole number; signals are resampled to 16 kHz.
        fmin: centre of the first bin, in Hz.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        hop_length: samples at 16 kHz from one frame to the next.
        padding: ``valid``, ``reflect`` or ``constant``.
        log_gain: factor on the amplitude in the logarithm; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and bins rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the amplitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        The transform: Grachten, Lattner & Deruty 2020, "BassNet" (nnAudio's ``CQT1992v2``). As a distance: this
        suite's.
    """

    native_sample_rate = 16000
    source = "Grachten, Lattner & Deruty 2020, BassNet (the representation); nnAudio CQT1992v2"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        fmin: float = 27.5,
        n_bins: int = 264,
        bins_per_octave: int = 36,
        hop_length: int = 160,
        padding: KernelPadding = "valid",
        log_gain: float | None = 1000.0,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            fmin=fmin,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            hop_length=hop_length,
            padding=padding,
            log_gain=log_gain,
            norm=norm,
            average=average,
            loudness_phon=loudness_phon,
        )


class Vqt(Cqt):
    """The norm of the difference of two variable-Q spectrograms.

    As :class:`Cqt`, with bandwidths ``α·f_k + gamma``, so that the low bins' windows stay short: in the default, 64 ms
    rather than 514 ms.

    Args:
        sample_rate: in Hz.
        fmin: centre of the first bin, in Hz.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        hop_length: samples from one frame to the next.
        filter_scale: factor on all window lengths.
        gamma: bandwidth added to each bin, in Hz; None makes bandwidths proportional to the ear's (equivalent
            rectangular bandwidth), ``24.7 / 0.108 · (2^(1/bins_per_octave) − 1)``.
        window: a window name of ``scipy.signal.get_window``.
        padding: ``valid``, ``reflect`` or ``constant``.
        log_gain: factor on the amplitude in the logarithm; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and bins rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the amplitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Schörkhuber, Klapuri, Holighaus & Dörfler 2014, "A Matlab toolbox for efficient perfect reconstruction
        time-frequency transforms with log-frequency resolution"; the default ``gamma`` is that of ``librosa.vqt``.

    Departures:
        Every octave is analysed at the full sample rate, which is exact (``librosa.vqt`` and ``nnAudio.features.VQT``
        halve the rate octave by octave).
    """

    source = "Schörkhuber et al. 2014 (AES 53); librosa.vqt, nnAudio VQT"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        fmin: float = 32.70,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        hop_length: int = 512,
        filter_scale: float = 1.0,
        gamma: float | None = None,
        window: str = "hann",
        padding: KernelPadding = "valid",
        log_gain: float | None = None,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            fmin=fmin,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            hop_length=hop_length,
            filter_scale=filter_scale,
            gamma=24.7 / 0.108 * (2 ** (1 / bins_per_octave) - 1) if gamma is None else gamma,
            window=window,
            padding=padding,
            log_gain=log_gain,
            norm=norm,
            average=average,
            loudness_phon=loudness_phon,
        )
