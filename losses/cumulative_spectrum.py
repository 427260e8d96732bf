"""The difference of spectra summed up over frequency."""

from __future__ import annotations

from torch import Tensor

from .spectrogram import MultiScaleSpectrogram
from .stft import Padding


class CumulativeSpectrum(MultiScaleSpectrogram):
    """The mean absolute difference of magnitudes summed up over frequency, at several scales.

    ``d = Σ_n mean_{t,k} |C_n(prediction)_{t,k} − C_n(target)_{t,k}|``, ``C_n(x)_{t,k} = Σ_{j ≤ k} |STFT_n(x)_{t,j}|``.

    It is like a Wasserstein-1 distance on linear frequency, but of magnitudes that are not normalised: level counts,
    and weighs more the lower the frequency.

    Args:
        sample_rate: in Hz; the distance does not depend on it.
        n_ffts: the window lengths, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        padding: see :data:`~tonedeaf.losses.stft.Padding`; ddsp's is ``end``.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        magenta/ddsp, ``SpectralLoss(mag_weight=0, cumsum_freq_weight=1, loss_type="L1")``; Engel et al. 2020 (DDSP).
    """

    source = "magenta/ddsp SpectralLoss, cumsum_freq_weight; Engel et al. 2020 (arXiv:2001.04643)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64),
        overlap: float = 0.75,
        window: str = "hann",
        padding: Padding = "end",
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, n_ffts=n_ffts, overlap=overlap, window=window, power=1.0, padding=padding
        )

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to one ``(batch, frames, bins)`` for each scale, summed up over the bins."""
        return tuple(magnitudes.cumsum(-1) for magnitudes in super().represent(signal))
