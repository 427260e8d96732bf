"""Optimal transport between spectra on a linear frequency axis, as published."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .base import RepresentationDistance
from .constant import Constant
from .spectrogram import Spectrogram
from .stft import Padding, Stft
from .wasserstein import transport_cost

_FLOOR = 1e-12
"""Power of silence, relative to a full-scale sine's."""


class SpectralTransport(RepresentationDistance):
    """The squared Wasserstein-2 distance between power spectra, frame by frame, plus a multi-scale spectrogram.

    With ``P_t`` the power spectrum of frame ``t``, at ``x_k = f_k / (sample_rate / 2)``, and ``m_t = Σ P_t(target)``::

        d = mean_t W₂²(P_t(prediction) / m_t, P_t(target) / m_t)
            + mss_weight · Σ_n mean |S_n(prediction) − S_n(target)| / √n

    ``W₂²`` is computed from the quantile functions up to level 1 (see
    :func:`~tonedeaf.losses.wasserstein.transport_cost`); for two tones of one level it is the square of their
    interval, in units of half the sample rate. Both spectra are divided by the target's sum: what the prediction has
    beyond the target's power, counted from low frequencies up, does not count (the paper's frequency cut-off); what it
    lacks is missing at half the sample rate. So level enters the transport, and the distance is not symmetric. ``S_n``
    are magnitudes, Hann windows of ``n`` samples, three quarters of overlap.

    Args:
        sample_rate: in Hz. Half of it is the unit of frequency, so what ``mss_weight`` means depends on it.
        n_fft: window length of the transport term, in samples.
        hop_length: samples between its frames.
        window: its window, a name of ``scipy.signal.get_window``.
        padding: of both terms (see :data:`~tonedeaf.losses.stft.Padding`); the package ``sot-loss`` has ``reflect``.
        mss_weight: weight of the multi-scale spectrogram; 0 leaves it out.
        n_ffts: its window lengths, in samples.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Torres, Peeters & Richard 2023, "Unsupervised Harmonic Parameter Estimation Using Differentiable DSP and
        Spectral Optimal Transport" (arXiv:2312.14507); the authors' code,
        ``bernardo-torres/1d-spectral-optimal-transport``: their experiment ``SOT-2048`` (``dont_normalize``,
        ``limit_quantile_range``), at 16 kHz.

    Departures:
        The authors move the power of a silent frame to half the sample rate; here it is spread evenly. They leave out
        the whole step that crosses level 1; here it is cut there, so that the number does not jump.
    """

    source = "Torres, Peeters & Richard 2023 (arXiv:2312.14507); bernardo-torres/1d-spectral-optimal-transport"
    symmetric = False

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        hop_length: int = 256,
        window: str = "flattop",
        padding: Padding = "end",
        mss_weight: float = 0.05,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64),
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not mss_weight >= 0:
            raise ValueError(f"mss_weight must be at least 0, got {mss_weight}")
        if mss_weight and not n_ffts:
            raise ValueError("n_ffts must name at least one window length")
        self.stft = Stft(n_fft=n_fft, hop_length=hop_length, window=window, power=2.0, padding=padding)
        self.mss_weight = mss_weight
        self.scales = nn.ModuleList(
            Spectrogram(sample_rate=sample_rate, n_fft=n, power=1.0, padding=padding)
            for n in (n_ffts if mss_weight else ())
        )
        frequencies = self.stft.frequencies(sample_rate)
        self._positions = Constant(frequencies / (sample_rate / 2))
        self._floor = _FLOOR * float(self.stft.window(torch.zeros(1, dtype=torch.float64)).sum() / 2) ** 2

    def _scales(self) -> Iterator[Spectrogram]:
        for scale in self.scales:
            assert isinstance(scale, Spectrogram)
            yield scale

    @property
    def min_samples(self) -> int:
        """One frame of the longest window."""
        return max(self.stft.min_samples, *(scale.min_samples for scale in self._scales()), 1)

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to the power spectra, and a spectrogram for each scale, ``(batch, frames, bins)``."""
        power: Tensor = self.stft(signal)
        return power + self._floor / power.shape[-1], *(scale.represent(signal) for scale in self._scales())

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The transport averaged over frames, plus the multi-scale spectrogram: ``(batch,)``."""
        # In float64: what a float32 sum is short of 1, about 1e-8, would be moved across the whole spectrum, and cost
        # as much as a tone that moves by 2 Hz.
        shares = self.masses(prediction[0].double(), target[0].double())
        total = transport_cost(*shares, self._positions(shares[1]), 2).mean(-1).to(target[0].dtype)
        for scale, ours, theirs in zip(self._scales(), prediction[1:], target[1:], strict=True):
            total = total + self.mss_weight / scale.stft.n_fft**0.5 * scale.compare(ours, theirs)
        return total

    def masses(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The power spectra of both, divided by the sum of the target's."""
        total = target.sum(-1, keepdim=True)
        return prediction / total, target / total


class BalancedSpectralTransport(SpectralTransport):
    """:class:`SpectralTransport` without the frequency cut-off: each power spectrum is divided by its own sum.

    ``d = mean_t W₂²(P_t(prediction) / Σ P_t(prediction), P_t(target) / Σ P_t(target)) + mss_weight · …``. So the
    transport is blind to level, and the distance symmetric.

    Source:
        The ``SOT-NoCut`` of Torres, Peeters & Richard 2023; ``balanced=True`` in their package ``sot-loss``, which has
        no multi-scale term.
    """

    symmetric = True

    def masses(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The power spectra of both, each divided by its own sum."""
        return prediction / prediction.sum(-1, keepdim=True), target / target.sum(-1, keepdim=True)
