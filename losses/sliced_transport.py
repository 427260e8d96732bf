"""Sliced optimal transport between spectrograms on the plane of time and log2 frequency."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .base import RepresentationDistance
from .constant import Constant
from .stft import Padding
from .time_frequency_measure import TimeFrequencyMeasure
from .wasserstein import Order, check_order, transport_cost


class SlicedTransport(RepresentationDistance):
    """How far spectral power has to be moved in time and pitch, averaged over directions of the plane, plus level.

    With the measures of :class:`~tonedeaf.losses.time_frequency_measure.TimeFrequencyMeasure` on the plane whose axes
    are time (``octaves_per_second``) and log2 frequency, and their projections onto directions ``θ``::

        d = mean_θ W_p^p(θ·prediction, θ·target) + level_weight · |L(prediction) − L(target)|

    A note that is ``s`` octaves (or ``s / octaves_per_second`` seconds) away costs about ``2s/π`` with order 1 and
    ``s²/2`` with order 2: exactly ``s·mean|cos θ|`` and ``s²·mean cos² θ``. ``L`` is the mean power of the whole
    signal, in dB: when it sounds is the transport's matter.

    Args:
        sample_rate: in Hz.
        n_fft: window length, in samples.
        overlap: share of a window in common with the next.
        window: a window name of ``scipy.signal.get_window``.
        padding: see :data:`~tonedeaf.losses.stft.Padding`.
        bins_per_octave: grid lines per octave.
        time_step: seconds between grid lines in time; None keeps the frames as they are.
        octaves_per_second: how many octaves one second counts for.
        directions: number of directions; they are spread over the half circle, one at random in each equal part.
        seed: of the directions.
        order: ``p``, 1 or 2; 2 takes some ten times as long.
        level_weight: octaves (or their squares) that 1 dB counts for; 0 makes the distance blind to level.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Bonneel, Rabin, Peyré & Pfister 2015, "Sliced and Radon Wasserstein Barycenters of Measures";
        ``ot.sliced_wasserstein_distance`` (POT). On spectrograms: of this suite.

    Departures:
        POT draws directions independently, and takes the p-th root, whose slope at equality is infinite for order 2.
    """

    source = "Bonneel et al. 2015, Sliced and Radon Wasserstein Barycenters; POT ot.sliced_wasserstein_distance"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_fft: int = 2048,
        overlap: float = 0.75,
        window: str = "hann",
        padding: Padding = "valid",
        bins_per_octave: float = 24.0,
        time_step: float | None = None,
        octaves_per_second: float = 1.0,
        directions: int = 16,
        seed: int = 0,
        order: int = 1,
        level_weight: float = 0.1,
    ) -> None:
        super().__init__(sample_rate=sample_rate)
        if directions < 1:
            raise ValueError(f"directions must be at least 1, got {directions}")
        if not level_weight >= 0:
            raise ValueError(f"level_weight must be at least 0 (octaves per dB), got {level_weight}")
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
        self.order: Order = check_order(order)
        self.level_weight = level_weight
        generator = torch.Generator().manual_seed(seed)
        inside = torch.rand(directions, generator=generator, dtype=torch.float64).numpy()
        angles = math.pi * (np.arange(directions) + inside) / directions
        self.directions = np.stack([np.cos(angles), np.sin(angles)])
        """Components along time and along log2 frequency: ``(2, directions)``."""
        self._projections: dict[int, tuple[Tensor, Constant]] = {}

    @property
    def min_samples(self) -> int:
        """One frame."""
        return self.measure.min_samples

    def represent(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, samples)`` to shares ``(batch, times, lines)`` and levels in dB ``(batch,)``."""
        measure: tuple[Tensor, Tensor] = self.measure(signal)
        return measure

    def compare(self, prediction: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """The transport averaged over directions, plus weighted decibels: ``(batch,)``."""
        order, places = self._projected(prediction[0].shape[1])
        order = order.to(prediction[0].device)
        ours, theirs = (shares.flatten(1)[:, order] for shares in (prediction[0], target[0]))
        transport = transport_cost(ours, theirs, places(ours), self.order).mean(-1)
        return transport + self.level_weight * (prediction[1] - target[1]).abs()

    def _projected(self, cells: int) -> tuple[Tensor, Constant]:
        """The grid's points in ascending order along each direction, and their places: ``(directions, points)``."""
        if cells not in self._projections:
            time, octave = np.meshgrid(self.measure.times(cells), self.measure.octaves, indexing="ij")
            places = self.directions.T @ np.stack([time.ravel(), octave.ravel()])
            order = places.argsort(-1)
            self._projections[cells] = torch.as_tensor(order), Constant(np.take_along_axis(places, order, -1))
        return self._projections[cells]
