"""Harmonic salience as a rigid comb on log2 frequency, and the distribution of pitch that it makes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .constant import Constant
from .log_frequency_bands import LogFrequencyBands

_LOWEST_BAND = 18.0
"""Hz: nothing is looked for below."""
_HIGHEST_SHARE = 0.485
"""Of the sample rate, where the bands end at the latest: above is what anti-aliasing filters leave."""
_GATE_SLOPE, _HALF_GATE_SLOPE = 8 / 1.15, 8 / 1.5
"""Of the two sigmoids over log2 f0 that withdraw what the window cannot resolve, per octave."""
_RECTIFIER = 20.0
"""How sharp the softplus bends that keeps salience positive."""
_SILENT_POWER = 1e-16
"""Beside the largest band's power: silence is evidence everywhere, and its gradient is finite."""
_LEAST_SALIENCE = 1e-6
"""Beside the largest salience."""


@dataclass(frozen=True)
class CombSettings:
    """What :class:`HarmonicComb` can be told, with its defaults; the distances take the same keywords.

    Attributes:
        window_seconds: length of the Hann window, in seconds; at most 0.9 of the signal is taken.
        overlap: share of a window in common with the next, at least.
        zero_padding: transform lengths per window length (the next power of two); 1 pads nothing.
        bands_per_octave: bands, and candidates of f0, in an octave.
        sigma_octaves: standard deviation of a band, in octaves.
        sigma_bins: what the window adds to it, in bins of the window.
        highest: upper end of the bands, in Hz; at most 0.485 of the sample rate.
        f0_low: the lowest candidate of f0, in Hz.
        f0_high: the highest, in Hz.
        compression: exponent of the power; 1 compresses nothing.
        floor: power, relative to the frame's largest band, below which there is little evidence.
        harmonics: number of teeth.
        decay: weight of a tooth relative to the one before.
        first_tooth: factor on the first tooth's weight.
        single: weight of the evidence at f0 itself, resolved or not; 0 leaves it out.
        half_teeth: weight of the first tooth halfway between harmonics, which counts against; 0 leaves them out.
        half_harmonics: number of those.
        half_decay: weight of one of them relative to the one before.
        resolved: f0 from which the teeth count, in bins of the window; 0 counts them everywhere.
        resolved_half: f0 from which the half teeth count, in bins of the window; 0 counts them everywhere.
        sharpness: exponent that makes salience a distribution.

    Raises:
        ValueError: if a parameter is out of its range (of the frames and bands: when the comb is made).
    """

    window_seconds: float = 0.186
    overlap: float = 0.5
    zero_padding: float = 2.0
    bands_per_octave: int = 72
    sigma_octaves: float = 0.025
    sigma_bins: float = 0.4
    highest: float = 8000.0
    f0_low: float = 10.0
    f0_high: float = 7000.0
    compression: float = 0.2
    floor: float = 1.5e-4
    harmonics: int = 11
    decay: float = 0.84
    first_tooth: float = 0.5
    single: float = 0.5
    half_teeth: float = 0.7
    half_harmonics: int = 7
    half_decay: float = 0.86
    resolved: float = 3.6
    resolved_half: float = 5.5
    sharpness: float = 32.0

    def __post_init__(self) -> None:
        for name in ("bands_per_octave", "harmonics", "half_harmonics"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("highest", "f0_low", "compression", "floor", "decay", "half_decay", "sharpness"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("first_tooth", "single", "half_teeth", "resolved", "resolved_half"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if not self.f0_low * 2 ** (1 / self.bands_per_octave) <= self.f0_high < math.inf:
            raise ValueError(f"f0_high must be above f0_low = {self.f0_low:g} Hz by a band, got {self.f0_high}")


class HarmonicComb(nn.Module):
    """A distribution of pitch over log2 f0, frame by frame.

    1. ``P``: powers of :class:`~tonedeaf.losses.log_frequency_bands.LogFrequencyBands`, 18 Hz to ``highest``.
    2. Evidence: ``R = P / max P``, ``Q = ((R + floor)^compression − floor^compression) / ((1 + floor)^compression −
       floor^compression)``, 0 at nothing and 1 at the frame's largest band.
    3. Salience of each candidate f0, on the bands' own grid::

           S(f0) = single · Q(f0)
                   + r(f0) · [ Σ_{h=1..harmonics} w_h Q(h f0) − u(f0) Σ_{h=1..half_harmonics} v_h Q((h − ½) f0) ]

       with ``w_h = decay^(h−1)``, ``w_1`` times ``first_tooth``, and ``v_h = half_teeth · half_decay^(h−1)``. Energy
       halfway between harmonics counts against: a comb an octave above the truth finds every other harmonic there. What
       is below or above the bands counts nothing. The gates ``r`` and ``u`` are sigmoids over log2 f0, ½ where f0 is as
       many bins of the window as ``resolved`` and ``resolved_half`` say: what the window cannot tell apart is neither
       rewarded nor punished. The evidence at f0 itself needs no resolution; it is what a sine has.
    4. ``D ∝ (S⁺ / max S⁺)^sharpness``, of sum 1, with ``S⁺ = ln(1 + e^(20 S)) / 20``, which is positive.

    A tooth is at a whole number of bands (72 an octave put log2 of 3, 5, 7, 9, 11 within ¼ of one): nothing is
    interpolated, so a tone moved by a band moves its salience by a band, and by less, smoothly. Salience is therefore
    one matrix product. The tables are made once for each length of window.

    Args:
        sample_rate: in Hz.
        settings: see :class:`CombSettings`.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate leaves no band.

    Source:
        Of this suite. Sums over harmonics: Hermes 1988, "Measurement of pitch by subharmonic summation"; teeth that
        count against, in a pitch detector: Camacho & Harris 2008, "A sawtooth waveform inspired pitch estimator"
        (SWIPE, SWIPE').

    Departures:
        Bands of compressed power in place of interpolated magnitudes or loudness; whole bands in place of a
        continuous kernel; all harmonics, not the prime ones.
    """

    def __init__(self, *, sample_rate: float, settings: CombSettings | None = None) -> None:
        super().__init__()
        self.settings = given = CombSettings() if settings is None else settings
        top = min(given.highest, _HIGHEST_SHARE * sample_rate)
        self._first = math.ceil(given.bands_per_octave * math.log2(_LOWEST_BAND / given.f0_low))
        last = int(given.bands_per_octave * math.log2(top / given.f0_low))
        if last <= self._first:
            raise ValueError(
                f"no band lies between {_LOWEST_BAND:g} Hz and {top:g} Hz: highest or sample_rate is too low, "
                f"got {given.highest:g} Hz and {sample_rate:g} Hz"
            )
        candidates = int(given.bands_per_octave * math.log2(given.f0_high / given.f0_low))
        origin = math.log2(given.f0_low)
        self.octaves = origin + np.arange(self._first, last) / given.bands_per_octave
        """Centres of the bands, log2 Hz."""
        self.f0_octaves = origin + np.arange(candidates) / given.bands_per_octave
        """Candidates of f0, log2 Hz."""
        self.bands = LogFrequencyBands(
            sample_rate=sample_rate,
            octaves=self.octaves,
            window_seconds=given.window_seconds,
            overlap=given.overlap,
            zero_padding=given.zero_padding,
            sigma_octaves=given.sigma_octaves,
            sigma_bins=given.sigma_bins,
        )
        self._combs: dict[int, Constant] = {}

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to ``P (batch, frames, bands)`` and ``D (batch, frames, candidates)``."""
        power: Tensor = self.bands(signal)
        return power, self.distribution(self.salience(power, self.bands.window_length(signal.shape[-1])))

    def evidence(self, power: Tensor) -> Tensor:
        """``Q``: powers to 0 … 1, same shape."""
        floor, exponent = self.settings.floor, self.settings.compression
        relative = (power + _SILENT_POWER) / (power.amax(-1, keepdim=True) + _SILENT_POWER)
        least, largest = floor**exponent, (1 + floor) ** exponent
        return ((relative + floor) ** exponent - least) / (largest - least)

    def salience(self, power: Tensor, window: int) -> Tensor:
        """``S``: powers, found with a window of so many samples, to ``(batch, frames, candidates)``."""
        if window not in self._combs:
            self._combs[window] = Constant(self._comb(window))
        return self.evidence(power) @ self._combs[window](power)

    def distribution(self, salience: Tensor) -> Tensor:
        """``D``: the share of each candidate, same shape."""
        positive = nn.functional.softplus(salience, beta=_RECTIFIER)
        relative = (positive + _LEAST_SALIENCE) / (positive.amax(-1, keepdim=True) + _LEAST_SALIENCE)
        raised = relative**self.settings.sharpness
        return raised / raised.sum(-1, keepdim=True)

    def _comb(self, window: int) -> NDArray[np.float64]:
        """The weight of each band in each candidate's salience, ``(bands, candidates)``."""
        given = self.settings
        log2_bins = self.f0_octaves + math.log2(window / self.bands.sample_rate)
        resolved = _gate(log2_bins, given.resolved, _GATE_SLOPE)
        resolved_half = resolved * _gate(log2_bins, given.resolved_half, _HALF_GATE_SLOPE)
        comb = np.zeros((len(self.octaves), len(self.f0_octaves)))
        self._add(comb, 1.0, np.full_like(resolved, given.single))
        for h in range(given.harmonics):
            weight = given.decay**h * (given.first_tooth if h == 0 else 1)
            self._add(comb, h + 1, weight * resolved)
        for h in range(given.half_harmonics):
            self._add(comb, h + 0.5, -given.half_teeth * given.half_decay**h * resolved_half)
        return comb

    def _add(self, comb: NDArray[np.float64], ratio: float, weights: NDArray[np.float64]) -> None:
        """Add a tooth at a ratio to f0, where it meets a band."""
        candidates = np.arange(len(weights))
        bands = candidates + round(self.settings.bands_per_octave * math.log2(ratio)) - self._first
        met = (bands >= 0) & (bands < len(comb))
        comb[bands[met], candidates[met]] += weights[met]


def _gate(log2_bins: NDArray[np.float64], bins: float, slope: float) -> NDArray[np.float64]:
    """From 0 far below so many bins to 1 far above; 1 everywhere if there are none to reach."""
    if bins == 0:
        return np.ones_like(log2_bins)
    return torch.from_numpy(slope * (log2_bins - math.log2(bins))).sigmoid().numpy()
