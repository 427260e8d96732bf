"""Sliced transport is POT's on the points of the grid, and grows with the interval and the delay."""

import math
from typing import Any

import numpy as np
import ot
import pytest
import torch
from torch import Tensor

from tonedeaf.losses.sliced_transport import SlicedTransport
from tonedeaf.losses.time_frequency_measure import TimeFrequencyMeasure

_RATE = 16000


def _note(frequency: float, *, start: float = 0.0, amplitude: float = 0.5, samples: int = 16000) -> Tensor:
    """A short bump of a tone."""
    time = torch.arange(samples, dtype=torch.float64) / _RATE
    envelope = torch.exp(-(((time - 0.3 - start) / 0.05) ** 2))
    return (amplitude * envelope * torch.sin(2 * math.pi * frequency * time)).unsqueeze(0)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("time_step", [None, 0.1])
def test_distance_is_pots(order: int, time_step: float | None):
    distance = SlicedTransport(
        sample_rate=_RATE,
        n_fft=512,
        bins_per_octave=5,
        time_step=time_step,
        octaves_per_second=3,
        directions=7,
        seed=3,
        order=order,
        level_weight=0,
    )
    noise = 0.01 * torch.randn(2, 1, 4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    prediction, target = noise[0] + _note(440)[:, 3000:7000], noise[1] + _note(700)[:, 2000:6000]
    measure = distance.measure
    ours, theirs = measure(prediction)[0][0], measure(target)[0][0]
    points = np.stack(np.meshgrid(measure.times(len(ours)), measure.octaves, indexing="ij"), -1).reshape(-1, 2)
    expected: Any = ot.sliced_wasserstein_distance(
        points, points, ours.numpy().ravel(), theirs.numpy().ravel(), projections=distance.directions, p=order
    )
    assert distance(prediction, target).item() == pytest.approx(float(expected) ** order, rel=1e-9)


def test_measure_keeps_the_mean_time_and_the_mean_log_frequency():
    signal = _note(440) + 0.3 * _note(2000, start=0.2)
    coarse = TimeFrequencyMeasure(
        sample_rate=_RATE,
        n_fft=1024,
        overlap=0.75,
        window="hann",
        padding="valid",
        bins_per_octave=2.0,
        time_step=0.13,
        octaves_per_second=1.0,
    )
    shares, level = coarse(signal)
    power = coarse.stft(signal)[0, :, 1:].numpy()
    seconds = (np.arange(len(power)) * 256 / _RATE)[:, None]
    octaves = np.log2(np.arange(1, 513) * _RATE / 1024)
    found = shares[0].numpy()
    assert found.sum() == pytest.approx(1, rel=1e-12)
    # 1e-4: the floor at −80 dB
    weights = power / power.sum()
    assert (found * coarse.times(len(found))[:, None]).sum() == pytest.approx((weights * seconds).sum(), rel=1e-4)
    assert (found * coarse.octaves).sum() == pytest.approx((weights * octaves).sum(), rel=1e-4)
    assert level.item() == pytest.approx(10 * math.log10(power.sum() / len(power)), rel=1e-4)


@pytest.mark.parametrize("order", [1, 2])
def test_a_moved_note_costs_its_projected_move(order: int):
    distance = SlicedTransport(sample_rate=_RATE, octaves_per_second=4, order=order, level_weight=0)
    along_time, along_octaves = (np.abs(distance.directions) ** order).mean(1)
    later = distance(_note(440, start=0.25), _note(440)).item()
    higher = distance(_note(880), _note(440)).item()
    assert later == pytest.approx(along_time, rel=0.02)  # 0.25 s at 4 octaves per second
    assert higher == pytest.approx(along_octaves, rel=0.02)


def test_seed_decides_the_directions():
    signals = _note(440), _note(600, start=0.1)
    first, again, other = (SlicedTransport(sample_rate=_RATE, directions=3, seed=seed)(*signals) for seed in (0, 0, 1))
    assert first.item() == again.item()
    assert first.item() != other.item()


def test_level_counts_once():
    note = _note(440)
    assert SlicedTransport(sample_rate=_RATE, level_weight=0)(0.5 * note, note).item() < 1e-3
    found = SlicedTransport(sample_rate=_RATE, level_weight=0.25)(0.5 * note, note).item()
    assert found == pytest.approx(0.25 * 20 * math.log10(2), rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"directions": 0}, "directions must be at least 1, got 0"),
        ({"order": 3}, "order must be 1 or 2, got 3"),
        ({"level_weight": -1.0}, "level_weight must be at least 0 .octaves per dB., got -1"),
        ({"bins_per_octave": 0.0}, "bins_per_octave must be positive, got 0"),
        ({"octaves_per_second": math.inf}, "octaves_per_second must be positive, got inf"),
        ({"time_step": 0.0}, "time_step must be positive .seconds., or none, got 0"),
        ({"n_fft": 1}, "n_fft must be at least 2 samples, got 1"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        SlicedTransport(**parameters)  # pyright: ignore[reportArgumentType]
