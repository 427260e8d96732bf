"""The suite's own distance: pitch, level and spectral tilt, each compared as what it is."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .harmonic_comb_transport import HarmonicCombTransport, pseudo_huber

_MASK_HARMONICS = 12
"""Harmonics that are told from what lies between them; everything above the last is theirs."""
_MASK_EDGE = 60.0
"""Slope of the edge above the last harmonic, per octave."""
_SILENCE = 1e-14
"""Of power and energy: silence is at −140 dB."""
_SILENT_POWER = 1e-16
"""Of a frame's bands: what is added before their mean frequency is taken."""

Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""Cumulative distributions of pitch, shares of the frames, tilts (octaves, one a frame), and level (dB)."""


class Tonedeaf(RepresentationDistance):
    """How far pitch, level and tilt have to be moved.

    With the transport ``W_t`` of :class:`~tonedeaf.losses.harmonic_comb_transport.HarmonicCombTransport` and its frame
    weights ``k_t`` (of sum 1), what transport costs there, ``c(W_t)``, and ``h(u) = √(u² + e²) − e`` of a knee ``e``, a
    parabola near 0 and ``|u| − e`` far away::

        d = Σ_t k_t · (pitch_weight · c(W_t) + tilt_weight · h(ΔT_t)) + level_weight · h(ΔL)

    * **Tilt** ``T_t``, octaves: the mean of log2 f over the bands' power (densities, not energies), minus the mean of
      log2 f0 over the distribution of pitch: where power lies above the pitch, which a transposition leaves alone.
    * **Level** ``L``, dB: ``10 log10`` of the signal's mean square, plus ``10 log10`` of the share of the energy
      ``Σ_t Σ_j P_tj 2^x_j`` that is on harmonics of the pitch found. In a mixture, that is the tone's own level.
      Band ``j`` is on a harmonic as far as ``m_tj = s((Σ_i D_ti M_ij − mask_low) / mask_span)``, ``s`` the smooth step
      ``3x² − 2x³`` between 0 and 1; ``M_ij`` is the maximum over the harmonics 1 … 12 of candidate ``i`` of
      ``exp(−½ ((x_j − log2 (h f0_i)) / τ_j)⁴)``, ``τ_j = √(mask_octaves² + (mask_bins bins of the window)²)``, and of a
      sigmoid that takes in everything above the 12th.

    Each part is a distance by itself where the other weights are 0; pitch alone is also ``harmonic_comb_transport``.

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
        pitch_knee: octaves of transport below which the cost is a parabola; 0 makes it the distance itself.
        well: octaves that a wrong pitch costs, at most, beyond its transport, before ``pitch_weight``; 0 leaves it out.
        well_octaves: transport, in octaves, at which half of that is due.
        weigh_frames: false weighs all frames alike.
        pitch_weight: weight of an octave of transport; 0 leaves pitch out.
        level_weight: octaves that 1 dB counts for; 0 makes the distance blind to level.
        level_knee: dB, as ``pitch_knee``.
        level_on_harmonics: false takes the level of the whole signal.
        mask_octaves: half width of a harmonic, in octaves.
        mask_bins: what the window adds to it, in bins of the window.
        mask_low: share of pitch at which a band begins to be on a harmonic, 0 to 1.
        mask_span: share of pitch, above that, until it wholly is.
        tilt_weight: octaves of transport that 1 octave of tilt counts for; 0 makes the distance blind to tilt.
        tilt_knee: octaves, as ``pitch_knee``.

    Raises:
        ValueError: if a parameter is out of its range, or all weights are 0.

    Source:
        Of this suite; see :class:`~tonedeaf.losses.harmonic_comb.HarmonicComb` and
        :class:`~tonedeaf.losses.harmonic_comb_transport.HarmonicCombTransport` for what it builds on.

    Example:
        >>> import torch
        >>> t = torch.arange(22050) / 44100
        >>> tone = torch.sin(6.2832 * 440 * t).unsqueeze(0)
        >>> Tonedeaf(sample_rate=44100, level_knee=0)(0.1 * tone, tone).round(decimals=3)
        tensor([0.2000])
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
        pitch_weight: float = 1.0,
        level_weight: float = 0.01,
        level_knee: float = 0.5,
        level_on_harmonics: bool = True,
        mask_octaves: float = 0.06,
        mask_bins: float = 2.2,
        mask_low: float = 0.15,
        mask_span: float = 0.5,
        tilt_weight: float = 0.5,
        tilt_knee: float = 0.05,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        self.transport = HarmonicCombTransport(
            sample_rate=sample_rate,
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
            pitch_knee=pitch_knee,
            well=well,
            well_octaves=well_octaves,
            weigh_frames=weigh_frames,
        )
        weights = {"pitch_weight": pitch_weight, "level_weight": level_weight, "tilt_weight": tilt_weight}
        _check_at_least_0(**weights, level_knee=level_knee, tilt_knee=tilt_knee, mask_bins=mask_bins)
        if not any(weights.values()):
            raise ValueError("one of pitch_weight, level_weight and tilt_weight must be positive, got 0 for all")
        if not 0 < mask_octaves < math.inf:
            raise ValueError(f"mask_octaves must be positive (octaves), got {mask_octaves}")
        if not 0 <= mask_low < 1:
            raise ValueError(f"mask_low must be at least 0 and below 1, got {mask_low}")
        if not 0 < mask_span < math.inf:
            raise ValueError(f"mask_span must be positive, got {mask_span}")
        self.pitch_weight = pitch_weight
        self.level_weight = level_weight
        self.level_knee = level_knee
        self.level_on_harmonics = level_on_harmonics
        self.mask_octaves = mask_octaves
        self.mask_bins = mask_bins
        self.mask_low = mask_low
        self.mask_span = mask_span
        self.tilt_weight = tilt_weight
        self.tilt_knee = tilt_knee
        self._octaves = Constant(self.transport.comb.octaves)
        self._f0_octaves = Constant(self.transport.comb.f0_octaves)
        self._masks: dict[int, Constant] = {}

    @property
    def min_samples(self) -> int:
        """A tenth of a second."""
        return self.transport.min_samples

    def represent(self, signal: Tensor) -> Parts:
        """``(batch, samples)`` to cumulative pitch, shares, tilt and level (see :data:`Parts`)."""
        power, pitch = self.transport.comb(signal)
        energy = self.transport.band_energy(power)
        cumulative, shares = self.transport.pitch_and_shares(energy, pitch)
        level = 10 * (signal.square().mean(-1) + _SILENCE).log10()
        if self.level_on_harmonics:
            on_harmonics = self._on_harmonics(pitch, self.transport.comb.bands.window_length(signal.shape[-1]))
            heard = (energy * on_harmonics).sum((-1, -2)) + _SILENCE
            level = level + 10 * (heard / (energy.sum((-1, -2)) + _SILENCE)).log10()
        return cumulative, shares, self._tilt(power, pitch), level

    def compare(self, prediction: Parts, target: Parts) -> Tensor:
        """The weighted sum of what pitch, tilt and level cost: ``(batch,)``."""
        pitch = self.transport.per_frame(prediction[0], target[0])
        tilt = pseudo_huber(prediction[2] - target[2], self.tilt_knee)
        level = pseudo_huber(prediction[3] - target[3], self.level_knee)
        frames = self.transport.frame_weights(prediction[1], target[1])
        in_frames = ((self.pitch_weight * pitch + self.tilt_weight * tilt) * frames).sum(-1)
        return in_frames + self.level_weight * level

    def _tilt(self, power: Tensor, pitch: Tensor) -> Tensor:
        share = power / (power.sum(-1, keepdim=True) + _SILENT_POWER)
        return share @ self._octaves(power) - pitch @ self._f0_octaves(power)

    def _on_harmonics(self, pitch: Tensor, window: int) -> Tensor:
        """How far each band is on a harmonic of the pitch, 0 to 1: ``(batch, frames, bands)``."""
        if window not in self._masks:
            self._masks[window] = Constant(self._mask(window))
        risen = (pitch @ self._masks[window](pitch) - self.mask_low) / self.mask_span
        return _smooth_step(risen.clamp(0, 1))

    def _mask(self, window: int) -> NDArray[np.float64]:
        """How far each band is on a harmonic of each candidate: ``(candidates, bands)``."""
        comb = self.transport.comb
        above_f0 = comb.octaves - comb.f0_octaves[:, None]
        beyond = torch.from_numpy(_MASK_EDGE * (above_f0 - math.log2(_MASK_HARMONICS))).sigmoid().numpy()
        harmonics = np.log2(np.arange(1, _MASK_HARMONICS + 1))
        off = np.minimum.reduce([np.abs(above_f0 - harmonic) for harmonic in harmonics])
        width = comb.bands.blurred(window, self.mask_octaves, self.mask_bins)
        return np.maximum(beyond, np.exp(-0.5 * (off / width) ** 4))


def _smooth_step(x: Tensor) -> Tensor:
    return x.square() * (3 - 2 * x)


def _check_at_least_0(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be at least 0, got {value}")
