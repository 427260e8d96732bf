"""Optimal transport of pitch: how far the salience of a harmonic comb has to be moved along log2 f0."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .harmonic_comb import CombSettings, HarmonicComb

SHORTEST_SECONDS = 0.1
"""Of a signal: below, its window resolves no bass."""
_SILENT_ENERGY = 1e-14
"""Of a frame: what it weighs at least, so that the gradient at silence is finite."""


class HarmonicCombTransport(RepresentationDistance):
    """How far pitch has to be moved, in octaves; blind to level and, where pitch is clear, nearly so to timbre.

    With ``D_t`` the distribution over log2 f0 that :class:`~tonedeaf.losses.harmonic_comb.HarmonicComb` finds in frame
    ``t``, and ``F_t`` its cumulative sum::

        W_t = Σ_i |F_t(prediction)_i − F_t(target)_i| / bands_per_octave
        d = Σ_t k_t c(W_t) / Σ_t k_t,   c(u) = h(u) + well · u² / (u² + well_octaves²)
        h(u) = u² / (√(u² + pitch_knee²) + pitch_knee)

    ``W_t`` is the Wasserstein-1 distance along log2 f0: for two tones, their interval in octaves. The pseudo-Huber
    function ``h`` is ``|u| − pitch_knee`` far away and a parabola near, so that descent settles. Frames weigh by what
    sounds in both: ``k_t = √(a_t(prediction) · a_t(target))``, where ``a_t`` is the frame's share of the signal's
    amplitudes, the root of ``E_t = Σ_j P_tj · 2^x_j`` over bands at ``x_j`` (power, as bands grow with frequency).

    The **well** is what a wrong pitch costs beyond its transport: with the usual ``well_octaves`` four fifths of it for
    a semitone, all of it for an octave. In one frame both grow with ``u``, so that which of two pitches is nearer does
    not depend on the well; how much nearer does, and that is what is heard where candidates are compared, or where
    other terms stand beside it. Over several frames transport says how far they are off, the well how many. Its price
    is a slope of up to ``0.65 well / well_octaves`` for an octave (at ``0.58 well_octaves``), which near the target
    drowns other terms, and that whatever makes two distributions of one pitch differ (timbre, vibrato) costs more.

    Args:
        sample_rate: in Hz.
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
        harmonics: number of teeth of the comb.
        decay: weight of a tooth relative to the one before.
        first_tooth: factor on the first tooth's weight.
        single: weight of the evidence at f0 itself, resolved or not; 0 leaves it out.
        half_teeth: weight of the first tooth halfway between harmonics, which counts against; 0 leaves them out.
        half_harmonics: number of those.
        half_decay: weight of one of them relative to the one before.
        resolved: f0 from which the teeth count, in bins of the window; 0 counts them everywhere.
        resolved_half: f0 from which the half teeth count, in bins of the window; 0 counts them everywhere.
        sharpness: exponent that makes salience a distribution of f0.
        pitch_knee: octaves below which the cost is a parabola; 0 makes it the distance itself.
        well: octaves that a wrong pitch costs, at most, beyond its transport; 0 leaves the well out.
        well_octaves: transport, in octaves, at which half of that is due.
        weigh_frames: false weighs all frames alike.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Of this suite. The salience: see :class:`~tonedeaf.losses.harmonic_comb.HarmonicComb`. Transport between
        spectra as a training loss: Torres, Peeters & Richard 2023 (linear frequency; power, not pitch, is moved). The
        well's function: Geman & McClure 1985 (Bayesian image analysis), the robust cost ``u² / (u² + σ²)``.

    Example:
        >>> import torch
        >>> t = torch.arange(22050) / 44100
        >>> a, b = (sum(torch.sin(6.2832 * h * f * t) / h for h in (1, 2, 3, 4)).unsqueeze(0) for f in (220, 440))
        >>> HarmonicCombTransport(sample_rate=44100, pitch_knee=0)(a, b).round(decimals=2)
        tensor([1.])
    """

    source = "tonedeaf; after Hermes 1988, Camacho & Harris 2008 (SWIPE), Torres, Peeters & Richard 2023"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        window_seconds: float = 0.186,
        overlap: float = 0.5,
        zero_padding: float = 2.0,
        bands_per_octave: int = 72,
        sigma_octaves: float = 0.025,
        sigma_bins: float = 0.4,
        highest: float = 8000.0,
        f0_low: float = 10.0,
        f0_high: float = 7000.0,
        compression: float = 0.2,
        floor: float = 1.5e-4,
        harmonics: int = 11,
        decay: float = 0.84,
        first_tooth: float = 0.5,
        single: float = 0.5,
        half_teeth: float = 0.7,
        half_harmonics: int = 7,
        half_decay: float = 0.86,
        resolved: float = 3.6,
        resolved_half: float = 5.5,
        sharpness: float = 32.0,
        pitch_knee: float = 0.1,
        well: float = 0.0,
        well_octaves: float = 0.04,
        weigh_frames: bool = True,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        for name, value in (("pitch_knee", pitch_knee), ("well", well)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be at least 0 (octaves), got {value}")
        if not 0 < well_octaves < math.inf:
            raise ValueError(f"well_octaves must be positive (octaves), got {well_octaves}")
        settings = CombSettings(
            window_seconds=window_seconds,
            overlap=overlap,
            zero_padding=zero_padding,
            bands_per_octave=bands_per_octave,
            sigma_octaves=sigma_octaves,
            sigma_bins=sigma_bins,
            highest=highest,
            f0_low=f0_low,
            f0_high=f0_high,
            compression=compression,
            floor=floor,
            harmonics=harmonics,
            decay=decay,
            first_tooth=first_tooth,
            single=single,
            half_teeth=half_teeth,
            half_harmonics=half_harmonics,
            half_decay=half_decay,
            resolved=resolved,
            resolved_half=resolved_half,
            sharpness=sharpness,
        )
        self.comb = HarmonicComb(sample_rate=sample_rate, settings=settings)
        self.pitch_knee = pitch_knee
        self.well = well
        self.well_octaves = well_octaves
        self.weigh_frames = weigh_frames
        self._band_hz = Constant(2**self.comb.octaves)

    @property
    def min_samples(self) -> int:
        """A tenth of a second, whatever the window: it adapts to the signal."""
        return math.ceil(SHORTEST_SECONDS * self.sample_rate)

    def represent(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to cumulative ``(batch, frames, candidates − 1)`` and shares ``(batch, frames)``."""
        power, pitch = self.comb(signal)
        return self.pitch_and_shares(self.band_energy(power), pitch)

    def compare(self, prediction: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """What transport costs, averaged over frames: ``(batch,)``."""
        return (self.per_frame(prediction[0], target[0]) * self.frame_weights(prediction[1], target[1])).sum(-1)

    def band_energy(self, power: Tensor) -> Tensor:
        """Mean densities to energies: each band's power times its width, up to a factor."""
        return power * self._band_hz(power)

    def pitch_and_shares(self, energy: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
        """The representation, from the bands' energies and the distribution of pitch."""
        amplitude = (energy.sum(-1) + _SILENT_ENERGY).sqrt()
        return pitch.cumsum(-1)[..., :-1], amplitude / amplitude.sum(-1, keepdim=True)

    def per_frame(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The cost of moving one pitch to the other, from cumulative distributions: ``(batch, frames)``."""
        octaves = (prediction - target).abs().sum(-1) / self.comb.settings.bands_per_octave
        cost = pseudo_huber(octaves, self.pitch_knee)
        return cost if self.well == 0 else cost + self.well * geman_mcclure(octaves, self.well_octaves)

    def frame_weights(self, prediction: Tensor, target: Tensor) -> Tensor:
        """What each frame weighs, from both signals' shares; of sum 1: ``(batch, frames)``."""
        weights = (prediction * target).sqrt() if self.weigh_frames else torch.ones_like(target)
        return weights / weights.sum(-1, keepdim=True)


def pseudo_huber(value: Tensor, knee: float) -> Tensor:
    """``√(u² + knee²) − knee`` without its rounding: exactly 0 at 0; ``|u|`` if the knee is 0."""
    if knee == 0:
        return value.abs()
    squared = value.square()
    return squared / ((squared + knee**2).sqrt() + knee)


def geman_mcclure(value: Tensor, scale: float) -> Tensor:
    """``u² / (u² + scale²)``: 0 at 0, ½ at the scale, 1 far away."""
    squared = value.square()
    return squared / (squared + scale**2)
