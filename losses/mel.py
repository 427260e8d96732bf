"""The mel spectrogram, and the distance of two."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from .base import RepresentationDistance
from .constant import Constant
from .norms import Norm, check_norm, norm_of_difference
from .stft import Padding, Stft
from .torchaudio_import import import_torchaudio

MelScale = Literal["htk", "slaney"]
"""The two formulas for mels in use."""


class MelFilterBank(nn.Module):
    """Triangular filters, evenly spaced on a mel scale.

    On HTK's and each of height 1 (torchaudio's defaults), or on Slaney's and of equal area (librosa's).

    Args:
        bins: number of frequency bins of the spectrogram, ``n_fft // 2 + 1``.
        sample_rate: in Hz.
        n_mels: number of filters.
        fmin: lower edge of the first filter, in Hz.
        fmax: upper edge of the last, in Hz.
        scale: ``htk`` (2595·log10(1 + f/700)) or ``slaney`` (linear up to 1 kHz, logarithmic above).
        equal_area: divide each filter by half its width in Hz; otherwise each peaks at 1.

    Raises:
        ValueError: if a parameter is out of its range.

    Warns:
        UserWarning: if filters are narrower than the bins, so that some hold none and are always 0; it counts them.
    """

    def __init__(
        self,
        *,
        bins: int,
        sample_rate: float,
        n_mels: int,
        fmin: float,
        fmax: float,
        scale: MelScale = "htk",
        equal_area: bool = False,
    ) -> None:
        super().__init__()
        if n_mels < 1:
            raise ValueError(f"n_mels must be at least 1, got {n_mels}")
        if scale not in get_args(MelScale):
            raise ValueError(f"scale must be one of {', '.join(get_args(MelScale))}, got {scale!r}")
        if not 0 <= fmin < fmax <= sample_rate / 2:
            raise ValueError(
                f"fmin and fmax must satisfy 0 <= fmin < fmax <= {sample_rate / 2:g} Hz (half the sample rate), "
                f"got {fmin:g} and {fmax:g}"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torchaudio warns of empty filters without counting them
            functional = import_torchaudio().functional
            norm = "slaney" if equal_area else None
            bank: Tensor = functional.melscale_fbanks(
                bins, fmin, fmax, n_mels, round(sample_rate), norm=norm, mel_scale=scale
            ).double()
        filled = bank.sum(0) > 0
        self.empty = int((~filled).sum())
        if self.empty:
            warnings.warn(f"{self.empty} of {n_mels} mel filters hold no frequency bin: always 0", stacklevel=4)
        used = np.flatnonzero(bank.sum(1).numpy() > 0)
        self._used = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        self._bank = Constant(bank[self._used])

    def forward(self, spectrogram: Tensor) -> Tensor:
        """``(batch, frames, bins)`` to ``(batch, frames, n_mels)``."""
        return spectrogram[..., self._used] @ self._bank(spectrogram)


class Mel(RepresentationDistance):
    """The norm of the difference of two mel spectrograms.

    ``d = ‖S(prediction) − S(target)‖`` with ``S = M|STFT|^power`` and the filters ``M`` of :class:`MelFilterBank`, or
    with ``S = ln max(M|STFT|^power, log_floor)``.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        n_mels: number of mel filters. The paper's 1024 at its ``n_fft`` leave most filters empty, which warns.
        fmin: lower edge of the filters, in Hz.
        fmax: upper edge, in Hz.
        power: 1 for magnitudes, 2 for powers.
        padding: ``valid``, ``reflect``, ``constant`` or ``end``.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and filters rather than the sum.
        mel_scale: ``htk`` or ``slaney`` (see :class:`MelFilterBank`).
        mel_equal_area: divide each filter by half its width in Hz; otherwise each peaks at 1.
        log_floor: what is the least before the logarithm is taken; None takes no logarithm.
        loudness_phon: loudness level of the ISO 226 contour that weights the magnitudes, 20 to 80 phon, or None.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Turian & Henry 2020, Table 2; filters of ``torchaudio.functional.melscale_fbanks``.
    """

    source = "Turian & Henry 2020, Table 2 (arXiv:2012.04572)"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 1024,
        overlap: float = 0.5,
        window: str = "hann",
        n_mels: int = 1024,
        fmin: float = 30.0,
        fmax: float = 4000.0,
        power: float = 2.0,
        padding: Padding = "valid",
        norm: Norm = "l1",
        average: bool = True,
        mel_scale: MelScale = "htk",
        mel_equal_area: bool = False,
        log_floor: float | None = None,
        loudness_phon: float | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if log_floor is not None and not log_floor > 0:
            raise ValueError(f"log_floor must be positive, or none, got {log_floor}")
        self.stft = Stft(
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            power=power,
            padding=padding,
            loudness_phon=loudness_phon,
            sample_rate=sample_rate,
        )
        self.filters = MelFilterBank(
            bins=n_fft // 2 + 1,
            sample_rate=sample_rate,
            n_mels=n_mels,
            fmin=fmin,
            fmax=fmax,
            scale=mel_scale,
            equal_area=mel_equal_area,
        )
        self.log_floor = log_floor
        self.norm: Norm = check_norm(norm)
        self.average = average

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, n_mels)``."""
        mel: Tensor = self.filters(self.stft(signal))
        return mel if self.log_floor is None else mel.clamp(min=self.log_floor).log()

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The norm of the difference: ``(batch,)``."""
        return norm_of_difference(prediction, target, self.norm, average=self.average)


class Mfcc(Mel):
    """The norm of the difference of two sets of mel-frequency cepstral coefficients.

    ``C = DCT-II(10·log10 max(M|STFT|^power, 1e-10))``, the decibels clipped from below at ``top_db`` under the item's
    loudest.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        n_mels: number of mel filters.
        n_mfcc: number of coefficients, at most ``n_mels``.
        fmin: lower edge of the filters, in Hz.
        fmax: upper edge, in Hz.
        power: 1 for magnitudes, 2 for powers.
        padding: ``valid``, ``reflect``, ``constant`` or ``end``.
        top_db: dynamic range kept, in dB; None keeps it all.
        dct_norm: ``ortho`` for the orthonormal transform, None for the unnormalised one (the paper's).
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over frames and coefficients rather than the sum.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Turian & Henry 2020, Table 2; ``torchaudio.transforms.MFCC``.

    Departures:
        torchaudio clips a batch ``(batch, samples)`` at the loudest of all its items; here each item has its own limit.
    """

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 1024,
        overlap: float = 0.5,
        window: str = "hann",
        n_mels: int = 128,
        n_mfcc: int = 128,
        fmin: float = 30.0,
        fmax: float = 4000.0,
        power: float = 2.0,
        padding: Padding = "valid",
        top_db: float | None = 80.0,
        dct_norm: str | None = None,
        norm: Norm = "l1",
        average: bool = True,
    ) -> None:
        if not 1 <= n_mfcc <= n_mels:
            raise ValueError(f"n_mfcc must be between 1 and n_mels = {n_mels}, got {n_mfcc}")
        if top_db is not None and not top_db > 0:
            raise ValueError(f"top_db must be positive (dB), or none, got {top_db}")
        if dct_norm not in (None, "ortho"):
            raise ValueError(f"dct_norm must be ortho or none, got {dct_norm!r}")
        super().__init__(
            sample_rate=sample_rate,
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            n_mels=n_mels,
            fmin=fmin,
            fmax=fmax,
            power=power,
            padding=padding,
            norm=norm,
            average=average,
        )
        self.top_db = top_db
        self._dct = Constant(import_torchaudio().functional.create_dct(n_mfcc, n_mels, dct_norm))

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, n_mfcc)``."""
        decibels = 10 * super().represent(signal).clamp(min=1e-10).log10()
        if self.top_db is not None:
            loudest = decibels.amax(dim=(-2, -1), keepdim=True)
            decibels = torch.maximum(decibels, loudest - self.top_db)
        return decibels @ self._dct(decibels)
