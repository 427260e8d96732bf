"""The controls of a bass that is being composed: formulas from pitch and magnitudes to what each partial does.

Source: "Insights on Harmonic Tones from a Generative Music Experiment" (arXiv:2506.07073) names the controls; it leaves
the formulas open, which are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_HARMONICS = 64

_FLOOR = 1e-4
"""Amplitude (−80 dB) below which a partial's logarithm is not followed."""


@dataclass(frozen=True, kw_only=True)
class Controls:
    """How a predicted bass is to sound; the defaults leave it as it was predicted.

    Args:
        harmonics: how many partials, 1 to 64.
        variation: β of :func:`vary`: 0 a static timbre, 1 as predicted, above 1 exaggerated.
        odd_even: r of :func:`odd_even_gains`: 0 even partials only, ½ all, 1 odd ones only.
        fundamental_gain: of the first partial, in dB, on top of the odd ones' gain.
        lowpass: cutoff in Hz; None for none.
        lowpass_order: n of :func:`lowpass_gain`; 6n dB an octave.
        onset_threshold: a peak of the onset curve that is at least so high, in [0, 1], begins a note; None takes half
            of the track's highest.
        inharmonicity: B of :func:`partial_ratios`.

    Raises:
        ValueError: if a value is out of its range.
    """

    harmonics: int = 20
    variation: float = 1.0
    odd_even: float = 0.5
    fundamental_gain: float = 0.0
    lowpass: float | None = None
    lowpass_order: int = 4
    onset_threshold: float | None = None
    inharmonicity: float = 0.0

    def __post_init__(self) -> None:
        for name, lowest, highest, unit in (
            ("harmonics", 1, MOST_HARMONICS, ""),
            ("variation", 0, 10, ""),
            ("odd_even", 0, 1, ""),
            ("fundamental_gain", -120, 40, " dB"),
            ("lowpass", 1, 1e6, " Hz"),
            ("lowpass_order", 1, 16, ""),
            ("onset_threshold", 0, 1, ""),
            ("inharmonicity", 0, 1, ""),
        ):
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                raise ValueError(f"{name} must be from {lowest:g} to {highest:g}{unit}, got {value:g}")


def vary(amplitudes: Tensor, audible: Tensor, variation: float) -> Tensor:
    """Shares of the partials, their change over time scaled.

    With ``ℓ_h`` the logarithm of an amplitude (of at least 1e-4), ``ℓ'_h = mean_t ℓ_h + β (ℓ_h − mean_t ℓ_h)`` and then
    the softmax over the partials. β = 0 is static, 1 is as predicted, above it is exaggerated.

    Args:
        amplitudes: linear, ``(frames, harmonics)``.
        audible: which count, bool, ``(frames, harmonics)``; the means over time are over these frames.
        variation: β.

    Returns:
        ``(frames, harmonics)``: of what is audible in a frame, sums of 1; 0 elsewhere.
    """
    level = amplitudes.clamp(min=_FLOOR).log()
    mean = (level * audible).sum(0) / audible.sum(0).clamp(min=1)
    changed = (mean + variation * (level - mean)).masked_fill(~audible, -torch.inf)
    return changed.softmax(-1).masked_fill(~audible, 0.0)


def odd_even_gains(harmonics: int, odd_even: float) -> Tensor:
    """``min(1, 2r)`` for odd and ``min(1, 2(1 − r))`` for even partials: ``(harmonics,)``."""
    odd, even = min(1.0, 2 * odd_even), min(1.0, 2 * (1 - odd_even))
    return torch.tensor([odd if number % 2 else even for number in range(1, harmonics + 1)])


def lowpass_gain(frequency: Tensor, cutoff: float, order: int) -> Tensor:
    """``(1 + (f/f_c)^(2n))^(−½)``, a Butterworth filter's magnitude: ½ of the power at the cutoff (Hz)."""
    return (1 + (frequency / cutoff) ** (2 * order)).rsqrt()


def partial_ratios(harmonics: int, inharmonicity: float) -> Tensor:
    """``f_h/f0 = h·√(1 + B·h²)``, the partials of a stiff string: ``(harmonics,)``, float64."""
    number = torch.arange(1, harmonics + 1, dtype=torch.float64)
    return number * (1 + inharmonicity * number**2).sqrt()


def partial_gains(frequency: Tensor, controls: Controls) -> Tensor:
    """Odd/even, fundamental and low-pass gains of partials at ``frequency`` (Hz), ``(…, harmonics)``."""
    gains = odd_even_gains(controls.harmonics, controls.odd_even).to(frequency)
    gains[0] *= 10 ** (controls.fundamental_gain / 20)
    if controls.lowpass is None:
        return gains.expand_as(frequency)
    return gains * lowpass_gain(frequency, controls.lowpass, controls.lowpass_order)
