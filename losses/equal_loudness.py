"""Equal-loudness contours: how much quieter or louder than 1 kHz the ear hears a frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_PHON, MOST_PHON = 20.0, 80.0
"""The loudness levels for which the standard defines the contours at all its frequencies."""

# ISO 226:2003, Table 1: frequency f in Hz, exponent of loudness perception α_f, magnitude of the linear transfer
# function L_U in dB re 1 kHz, threshold of hearing T_f in dB.
_TABLE: NDArray[np.float64] = np.array(
    [
        (20, 0.532, -31.6, 78.5),
        (25, 0.506, -27.2, 68.7),
        (31.5, 0.480, -23.0, 59.5),
        (40, 0.455, -19.1, 51.1),
        (50, 0.432, -15.9, 44.0),
        (63, 0.409, -13.0, 37.5),
        (80, 0.387, -10.3, 31.5),
        (100, 0.367, -8.1, 26.5),
        (125, 0.349, -6.2, 22.1),
        (160, 0.330, -4.5, 17.9),
        (200, 0.315, -3.1, 14.4),
        (250, 0.301, -2.0, 11.4),
        (315, 0.288, -1.1, 8.6),
        (400, 0.276, -0.4, 6.2),
        (500, 0.267, 0.0, 4.4),
        (630, 0.259, 0.3, 3.0),
        (800, 0.253, 0.5, 2.2),
        (1000, 0.250, 0.0, 2.4),
        (1250, 0.246, -2.7, 3.5),
        (1600, 0.244, -4.1, 1.7),
        (2000, 0.243, -1.0, -1.3),
        (2500, 0.243, 1.7, -4.2),
        (3150, 0.243, 2.5, -6.0),
        (4000, 0.242, 1.2, -5.4),
        (5000, 0.242, -2.1, -1.5),
        (6300, 0.245, -7.1, 6.0),
        (8000, 0.254, -11.2, 12.6),
        (10000, 0.271, -10.7, 13.9),
        (12500, 0.301, -3.1, 12.3),
    ],
    dtype=np.float64,
)
FREQUENCIES: NDArray[np.float64] = _TABLE[:, 0]
"""The frequencies of the standard's table, in Hz: 20 Hz to 12.5 kHz."""


def equal_loudness_contour(phon: float) -> NDArray[np.float64]:
    """The sound pressure levels of pure tones that are as loud as 1 kHz at ``phon`` dB.

    ``L_p = 10/α_f · lg A_f − L_U + 94`` with
    ``A_f = 4.47e-3·(10^(0.025·phon) − 1.15) + (0.4·10^((T_f + L_U)/10 − 9))^α_f``.

    Args:
        phon: loudness level, 20 to 80 phon.

    Returns:
        dB re 20 µPa at each of :data:`FREQUENCIES`.

    Raises:
        ValueError: if ``phon`` is out of its range.

    Source:
        ISO 226:2003, section 4.1 and Table 1.
    """
    if not LEAST_PHON <= phon <= MOST_PHON:
        raise ValueError(f"loudness_phon must be between {LEAST_PHON:g} and {MOST_PHON:g} phon, or none, got {phon}")
    _, exponent, transfer, threshold = _TABLE.T
    loudness = 4.47e-3 * (10 ** (0.025 * phon) - 1.15) + (0.4 * 10 ** ((threshold + transfer) / 10 - 9)) ** exponent
    return 10 / exponent * np.log10(loudness) - transfer + 94


def loudness_weights(frequencies: NDArray[np.float64], phon: float) -> NDArray[np.float64]:
    """What to multiply magnitudes by, so that tones that are equally loud get equal magnitudes.

    ``w(f) = 10^((L_p(1 kHz) − L_p(f))/20)`` with the contour ``L_p`` at ``phon``, its decibels interpolated linearly
    over log f; 1 at 1 kHz. Below 20 Hz and above 12.5 kHz the contour keeps its last value.

    Only the shape of the contour is used: ``phon`` says how loud the listener has set the volume, not what digital full
    scale is. The louder, the flatter. Logarithms of magnitudes far above their floor do not notice: a factor becomes a
    term that the difference of two spectra takes out again.

    Args:
        frequencies: in Hz, any shape.
        phon: loudness level, 20 to 80 phon.

    Returns:
        A factor for each frequency.

    Raises:
        ValueError: if ``phon`` is out of its range.
    """
    contour = equal_loudness_contour(phon)
    level = np.interp(np.log(np.clip(frequencies, FREQUENCIES[0], FREQUENCIES[-1])), np.log(FREQUENCIES), contour)
    weights: NDArray[np.float64] = 10 ** ((contour[FREQUENCIES == 1000] - level) / 20)
    return weights
