"""Entropic optimal transport between spectrograms on the plane of time and log2 frequency."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .stft import Padding
from .time_frequency_measure import TimeFrequencyMeasure


class SinkhornTransport(RepresentationDistance):
    """The Sinkhorn divergence of two spectrograms as measures in time and pitch, plus level.

    With the measures of :class:`~tonedeaf.losses.time_frequency_measure.TimeFrequencyMeasure` on the plane whose axes
    are time (``octaves_per_second``) and log2 frequency, and ``c(x, y) = ‖x − y‖²``::

        OT(a, b) = min_π Σ π c + ε Σ π ln(π / (a ⊗ b)),   ε = blur²
        d = OT(prediction, target) − ½ OT(prediction, prediction) − ½ OT(target, target)
            + level_weight · |L(prediction) − L(target)|

    A sound moved by ``s`` octaves (or ``s / octaves_per_second`` seconds) costs ``s²``, whatever the blur; how its
    power is spread within the blur counts for little. ``L`` is the mean power of the whole signal, in dB.

    The potentials are computed by symmetrised Sinkhorn iterations in the logarithmic domain, while ε falls from the
    squared diameter of the plane to ``blur²``; the cost is a sum over both axes, so each step works on one axis at a
    time. The gradient is that of the iterations. At 20 of them the number is within 0.1 % of the limit for tones, and
    below it by up to 8 % for noise. Time and memory grow with ``iterations · times² · lines``.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        padding: see :data:`~tonedeaf.losses.stft.Padding`.
        bins_per_octave: grid lines per octave.
        time_step: seconds between grid lines in time; None keeps the frames as they are.
        octaves_per_second: how many octaves one second counts for.
        blur: in octaves.
        iterations: number of Sinkhorn iterations.
        level_weight: squared octaves that 1 dB counts for; 0 makes the distance blind to level.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Feydy, Séjourné, Vialard, Amari, Trouvé & Peyré 2019, "Interpolating between Optimal Transport and MMD using
        Sinkhorn Divergences"; ``geomloss.SamplesLoss("sinkhorn", p=2)``, whose cost is half of this one. On
        spectrograms: of this suite.
    """

    source = "Feydy et al. 2019, Sinkhorn Divergences (arXiv:1810.08278); geomloss"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        padding: Padding = "valid",
        bins_per_octave: float = 4.0,
        time_step: float | None = 0.05,
        octaves_per_second: float = 1.0,
        blur: float = 0.5,
        iterations: int = 20,
        level_weight: float = 0.1,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if not 0 < blur < math.inf:
            raise ValueError(f"blur must be positive (octaves), got {blur}")
        if iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {iterations}")
        if not level_weight >= 0:
            raise ValueError(f"level_weight must be at least 0 (squared octaves per dB), got {level_weight}")
        self.measure = TimeFrequencyMeasure(
            sample_rate=sample_rate,
            n_fft=n_fft,
            overlap=overlap,
            window=window,
            padding=padding,
            bins_per_octave=bins_per_octave,
            time_step=time_step,
            octaves_per_second=octaves_per_second,
        )
        self.blur = blur
        self.iterations = iterations
        self.level_weight = level_weight
        self._costs: dict[int, tuple[Constant, Constant]] = {}

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.measure.min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to shares ``(batch, times, lines)`` and levels in dB ``(batch,)``."""
        measure: tuple[Tensor, Tensor] = self.measure(signal)
        return measure

    def compare(self, prediction: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """The divergence plus weighted decibels: ``(batch,)``."""
        cells = prediction[0].shape[1]
        if cells not in self._costs:
            places = (self.measure.times(cells), self.measure.octaves)
            time, octave = (Constant(np.subtract.outer(x, x) ** 2) for x in places)
            self._costs[cells] = time, octave
        time, octave = (cost(prediction[0]) for cost in self._costs[cells])
        transport = sinkhorn_divergence(
            prediction[0], target[0], (time, octave), epsilon=self.blur**2, iterations=self.iterations
        )
        return transport + self.level_weight * (prediction[1] - target[1]).abs()


def sinkhorn_divergence(
    prediction: Tensor, target: Tensor, costs: tuple[Tensor, Tensor], *, epsilon: float, iterations: int
) -> Tensor:
    """The Sinkhorn divergence of two measures on a grid, whose cost is a cost of rows plus a cost of columns.

    Args:
        prediction: masses ``(batch, rows, columns)``, of sum 1.
        target: the same.
        costs: of rows ``(rows, rows)`` and of columns ``(columns, columns)``, symmetric, 0 on the diagonal.
        epsilon: weight of the entropy, in units of the costs.
        iterations: number of averaged iterations, which one full step follows; half of them bring epsilon down from the
            greatest cost.

    Returns:
        ``(batch,)``, at least 0 once the iterations have converged, and 0 at equality at any number of them.
    """
    row_costs, column_costs = costs
    # Grid lines that hold no bin have no mass.
    log_a, log_b = (masses.clamp(min=torch.finfo(masses.dtype).tiny).log() for masses in (prediction, target))
    widest = max(float(row_costs.max() + column_costs.max()), epsilon)
    falling = iterations // 2
    schedule = [widest * (epsilon / widest) ** (i / falling) for i in range(falling)]
    f, g, p, q = (torch.zeros_like(prediction) for _ in range(4))
    for now in [*schedule, *[epsilon] * (iterations - falling)]:
        # Each is averaged with what it was: so that a = b keeps f = g = p = q, and all converge without alternating.
        rows, columns = row_costs / now, column_costs / now
        f, g, p, q = (
            (old + _soft_minimum(masses + potential / now, rows, columns, now)) / 2
            for old, masses, potential in ((f, log_b, g), (g, log_a, f), (p, log_a, p), (q, log_b, q))
        )
    rows, columns = row_costs / epsilon, column_costs / epsilon
    f, g, p, q = (
        _soft_minimum(masses + potential / epsilon, rows, columns, epsilon)
        for masses, potential in ((log_b, g), (log_a, f), (log_a, p), (log_b, q))
    )
    return (prediction * (f - p) + target * (g - q)).sum((-2, -1))


def _soft_minimum(logits: Tensor, rows: Tensor, columns: Tensor, epsilon: float) -> Tensor:
    """``−ε ln Σ_{r,c} exp(logits_{r,c} − rows_{i,r} − columns_{j,c})`` for each ``(i, j)``: like ``logits``."""
    along_columns = (logits.unsqueeze(-2) - columns).logsumexp(-1)
    return -epsilon * (along_columns.unsqueeze(-3) - rows.unsqueeze(-1)).logsumexp(-2)
