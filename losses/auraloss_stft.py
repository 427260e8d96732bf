"""auraloss's STFT loss, item by item."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from .a_weighting import AWeighting
from .base import RepresentationDistance
from .mel import MelFilterBank
from .norms import Norm, check_norm, norm_of_difference
from .stft import Padding, Stft

Prefilter = Literal["a_weighting"]
"""What a signal goes through first: :class:`~tonedeaf.losses.a_weighting.AWeighting`."""


class AuralossStft(RepresentationDistance):
    """Spectral convergence plus the ℓ1 norm of the difference of logarithmic magnitudes.

    With magnitudes ``P`` and ``T`` of the prediction and the target, ``S = √max(|STFT|², eps)`` each::

        d = w_sc · ‖T − P‖_F / ‖T‖_F + w_log_mag · mean |ln P − ln T| + w_lin_mag · mean |P − T|

    Args:
        sample_rate: in Hz; only mel filters and the pre-filter depend on it.
        n_fft: transform length, in samples.
        hop_length: samples between frames.
        win_length: window length, in samples, at most ``n_fft``.
        window: a window name of ``scipy.signal.get_window``.
        w_sc: weight of the spectral convergence.
        w_log_mag: weight of the logarithmic magnitudes.
        w_lin_mag: weight of the magnitudes.
        n_mels: compare that many mel bands (Slaney's, from 0 Hz to half the sample rate) in place of frequency bins;
            None compares bins.
        scale_invariance: scale the target's magnitudes first, so that they fit the prediction's best.
        prefilter: ``a_weighting`` or None.
        eps: the smallest power; 1e-8 is −80 dB beside a window sum of 1.
        norm: of the two differences of magnitudes: auraloss's ``L1`` is ``l1``, its ``L2`` is ``l2_squared``.
        padding: ``reflect`` as in auraloss, ``valid`` or ``constant``.

    Raises:
        ValueError: if a parameter is out of its range.

    Warns:
        UserWarning: if mel filters hold no frequency bin; they are left out of account. (auraloss gives NaN.)

    Source:
        Arik, Jun & Diamos 2018; Yamamoto, Song & Kim 2019; ``auraloss.freq.STFTLoss`` and ``MelSTFTLoss`` 0.4.0, whose
        value this is for a batch of one.

    Departures:
        auraloss takes the norms of spectral convergence over the whole batch, so that an item beside a loud one hardly
        counts; here each item has its own. Its ``scale_invariance`` fails from two items on; here it does not. Its
        ``w_phs`` is left out: angles jump at ±π, and their gradient is infinite at silence.
    """

    source = "Yamamoto, Song & Kim 2019 (arXiv:1904.04472); auraloss.freq.STFTLoss 0.4.0"
    symmetric = False

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 1024,
        hop_length: int = 256,
        win_length: int = 1024,
        window: str = "hann",
        w_sc: float = 1.0,
        w_log_mag: float = 1.0,
        w_lin_mag: float = 0.0,
        n_mels: int | None = None,
        scale_invariance: bool = False,
        prefilter: Prefilter | None = None,
        eps: float = 1e-8,
        norm: Norm = "l1",
        padding: Padding = "reflect",
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        for name, weight in (("w_sc", w_sc), ("w_log_mag", w_log_mag), ("w_lin_mag", w_lin_mag)):
            if not 0 <= weight < math.inf:
                raise ValueError(f"{name} must be at least 0, got {weight}")
        if not 0 < eps < math.inf:
            raise ValueError(f"eps must be positive (power), got {eps}")
        self.stft = Stft(
            n_fft=n_fft, hop_length=hop_length, win_length=win_length, window=window, power=2.0, padding=padding
        )
        self.filters = None
        if n_mels is not None:
            self.filters = MelFilterBank(
                bins=n_fft // 2 + 1,
                sample_rate=sample_rate,
                n_mels=n_mels,
                fmin=0.0,
                fmax=sample_rate / 2,
                scale="slaney",
                equal_area=True,
            )
        self.prefilter = make_prefilter(prefilter, sample_rate)
        self.w_sc, self.w_log_mag, self.w_lin_mag = w_sc, w_log_mag, w_lin_mag
        self.scale_invariance = scale_invariance
        self.eps = eps
        self.norm: Norm = check_norm(norm)

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.stft.min_samples

    def represent(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to magnitudes ``(batch, frames, bins or n_mels)``."""
        if self.prefilter is not None:
            signal = self.prefilter(signal)
        power: Tensor = self.stft(signal)
        magnitude = power.clamp(min=self.eps).sqrt()
        return magnitude if self.filters is None else self.filters(magnitude)

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The weighted sum of the terms: ``(batch,)``."""
        prediction, target = prediction.flatten(1), target.flatten(1)
        if self.scale_invariance:
            scale = (prediction * target).sum(-1) / target.square().sum(-1)
            target = target * scale.unsqueeze(-1)
        total = prediction.new_zeros(len(prediction))
        if self.w_sc:
            norm = torch.linalg.vector_norm
            total = total + self.w_sc * norm(target - prediction, dim=-1) / norm(target, dim=-1)
        if self.w_log_mag:
            smallest = torch.finfo(target.dtype).tiny  # only empty mel filters are below
            ours, theirs = (magnitude.clamp(min=smallest).log() for magnitude in (prediction, target))
            total = total + self.w_log_mag * norm_of_difference(ours, theirs, self.norm, average=True)
        if self.w_lin_mag:
            total = total + self.w_lin_mag * norm_of_difference(prediction, target, self.norm, average=True)
        return total


def make_prefilter(prefilter: Prefilter | None, sample_rate: float) -> AWeighting | None:
    """The pre-filter of a name, or None.

    Raises:
        ValueError: if there is none of that name.
    """
    if prefilter is None:
        return None
    if prefilter not in get_args(Prefilter):
        raise ValueError(f"prefilter must be one of {', '.join(get_args(Prefilter))}, or none, got {prefilter!r}")
    return AWeighting(sample_rate=sample_rate)
