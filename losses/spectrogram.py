"""Spectrogram distances, at one scale and at several."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .base import RepresentationDistance
from .norms import Norm, check_norm, norm_of_difference
from .stft import Padding, Stft


class Spectrogram(RepresentationDistance):
    """The norm of the difference of two spectrograms, or of their logarithms.

    ``d = ‖S(prediction) − S(target)‖`` with ``S = |STFT|^power``, or ``S = ln(|STFT|^power + log_offset)``.

    Args:
        sample_rate: in Hz; the distance depends on it with ``loudness_phon`` only.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        power: 1 for magnitudes, 2 for powers (torchaudio's default, and what fits the paper's numbers).
        padding: ``valid``, ``reflect``, ``constant`` or ``end`` (see :data:`~tonedeaf.losses.stft.Padding`).
        log_offset: what is added before the logarithm is taken; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and bins rather than the sum, so that the number depends on neither the duration
            nor ``n_fft``.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon; None weights
            all frequencies alike (see :func:`~tonedeaf.losses.equal_loudness.loudness_weights`).

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Turian & Henry 2020, "I'm Sorry for Your Loss", Table 2. No reference code was published.

    Departures:
        The paper does not say power, padding, mean or sum: they are parameters.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 4096)
        >>> Spectrogram(sample_rate=44100)(x, x)
        tensor([0.])
    """

    source = "Turian & Henry 2020, Table 2 (arXiv:2012.04572)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        power: float = 2.0,
        padding: Padding = "valid",
        log_offset: float | None = None,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if log_offset is not None and not log_offset > 0:
            raise ValueError(f"log_offset must be positive, or none, got {log_offset}")
        self.stft = Stft(
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            power=power,
            padding=padding,
            loudness_phon=loudness_phon,
            sample_rate=sample_rate,
        )
        self.log_offset = log_offset
        self.norm: Norm = check_norm(norm)
        self.average = average

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, bins)``."""
        spectrogram: Tensor = self.stft(signal)
        return spectrogram if self.log_offset is None else (spectrogram + self.log_offset).log()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)


class MultiScaleSpectrogram(RepresentationDistance):
    """The sum of :class:`Spectrogram` distances over several window lengths.

    ``d = Σ_n ‖S_n(prediction) − S_n(target)‖`` over ``n`` in ``n_ffts``.

    Args:
        sample_rate: in Hz; the distance depends on it with ``loudness_phon`` only.
        n_ffts: the window lengths, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        power: 1 for magnitudes, 2 for powers.
        padding: ``valid``, ``reflect``, ``constant`` or ``end``.
        log_offset: what is added before the logarithm is taken; None takes no logarithm.
        norm: ``l1``, ``l2`` or ``l2_squared``, of each scale.
        average: the mean over each scale's frames and bins rather than the sum.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Turian & Henry 2020, Table 2. The idea: Wang, Takaki & Yamagishi 2019; Engel et al. 2020 (DDSP).

    Departures:
        As :class:`Spectrogram`; the paper does not say how the scales are weighted.
    """

    source = "Turian & Henry 2020, Table 2 (arXiv:2012.04572)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64),
        overlap: float = 0.75,
        window: str = "hann",
        power: float = 2.0,
        padding: Padding = "valid",
        log_offset: float | None = None,
        norm: Norm = "l1",
        average: bool = True,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not n_ffts:
            raise ValueError("n_ffts must name at least one window length")
        self.scales = nn.ModuleList(
            Spectrogram(
                sample_rate=sample_rate,
                n_fft=n_fft,
                overlap=overlap,
                window=window,
                power=power,
                padding=padding,
                log_offset=log_offset,
                norm=norm,
                average=average,
                loudness_phon=loudness_phon,
            )
            for n_fft in n_ffts
        )

    def _scales(self) -> Iterator[Spectrogram]:
        for scale in self.scales:
            assert isinstance(scale, Spectrogram)
            yield scale

    @property
    def min_samples(self) -> int:
        """One frame of the longest window."""
        return max(scale.min_samples for scale in self._scales())

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to one ``(batch, frames, bins)`` for each scale."""
        return tuple(scale.represent(signal) for scale in self._scales())

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The sum over the scales: ``(batch,)``."""
        terms = [
            scale.compare(ours, theirs) for scale, ours, theirs in zip(self._scales(), prediction, target, strict=True)
        ]
        return torch.stack(terms).sum(0)
