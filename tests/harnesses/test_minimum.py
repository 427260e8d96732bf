"""The place of the minimum: against a brute-force search, and on distances whose minimum is known."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor
from typing_extensions import override

from tonedeaf.benchmarks import Task
from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.benchmarks.task import Axis, Trials
from tonedeaf.harnesses.answers import Answer, SkippedError
from tonedeaf.harnesses.minimum import METRICS, minima
from tonedeaf.harnesses.ranking import NonFiniteError
from tonedeaf.harnesses.resources import Resources, opened
from tonedeaf.losses import AudioDistance, RepresentationDistance, make


@pytest.fixture(scope="module")
def resources() -> Iterator[Resources]:
    with opened("cpu", "64MiB") as found:
        yield found


def _minima(
    distance: AudioDistance, resources: Resources, *, task: Task | None = None, trials: int = 4, seed: int = 0
) -> Answer:
    return minima(distance, task or Sines(duration=0.1), seed=seed, share=range(trials), resources=resources)


class _Power(RepresentationDistance):
    """The difference of two power spectra of 0.05 s: cheap, with minima where they should not be."""

    @override
    def represent(self, signal: Tensor) -> Tensor:
        return torch.fft.rfft(signal[:, :2205]).abs().square()

    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs().mean(-1)


class _Deaf(_Power):
    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return 0 * prediction.sum(-1) + 1


class _Broken(_Power):
    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().compare(prediction, target) * torch.nan


@pytest.mark.parametrize("mode", ["matched", "unmatched"])
def test_the_minimum_is_that_of_a_fine_grid(resources: Resources, mode: str):
    """Every 10 cents of the range, one prediction at a time, from the waveform's formula."""
    task = Sines(duration=0.05, fmin=200, fmax=800)
    distance = _Power()
    found = _minima(distance, resources, task=task).table
    assert found is not None
    trials = task.trials(0, 0, 4)
    time = np.arange(task.samples) / task.sample_rate

    def sine(pitch: float, level: float, phase: float) -> Tensor:
        wave = 10 ** (level / 25) * np.cos(2 * np.pi * (2 ** (pitch / 1200) * time + phase))
        return torch.from_numpy(wave.astype(np.float32)).unsqueeze(0)

    grid = 1200 * np.log2(200) + 10 * np.arange(241)
    for index in range(4):
        pitch, level = (float(trials.target[axis][index]) for axis in ("pitch", "level"))
        target = sine(pitch, level, float(trials.drawn["target_phase"][index]))
        loud = level if mode == "matched" else float(trials.prediction["level"][index])
        phase = float(trials.drawn["prediction_phase"][index, 0])
        values = [float(distance(sine(each, loud, phase), target)) for each in grid]
        # a flat stretch may have its lowest point at any of some neighbours, by the last digit of a float32
        assert found[f"distance_level_{mode}"][index] == pytest.approx(min(values), rel=1e-4, abs=1e-6)
        # half a trial's fine step off the best of the finer grid: never, unless the two are as near as that
        here = float(found[f"offset_cents_level_{mode}"][index]) + pitch
        assert values[round((here - grid[0]) / 10)] == pytest.approx(min(values), rel=1e-4, abs=1e-6)


def test_transport_finds_every_sine(resources: Resources):
    """A published claim: on log-frequency it has one minimum, at the target, whatever the level."""
    answer = _minima(make("log_spectral_transport"), resources, task=Sines(duration=0.2), trials=6)
    for metric in METRICS:
        assert answer.metrics[metric]["value"] == 1.0


def test_a_deaf_distance_ties_everywhere(resources: Resources):
    answer = _minima(_Deaf(), resources)
    for metric in METRICS:
        assert (answer.metrics[metric]["value"], answer.metrics[metric]["ties"]) == (0.0, 4)


def test_metrics_are_the_tables(resources: Resources):
    answer = _minima(_Power(), resources, task=HarmonicTimbre(duration=0.1), trials=7)
    assert answer.table is not None
    assert answer.table["trial"].to_list() == list(range(7))
    for mode in ("level_matched", "level_unmatched"):
        within = (answer.table[f"offset_cents_{mode}"].abs() <= 50).sum()
        assert answer.metrics[f"minimum_within_50_cents_{mode}"]["value"] == pytest.approx(within / 7)


def test_what_is_found_does_not_depend_on_the_batches(resources: Resources):
    together = _minima(_Power(), resources).table
    with opened("cpu", "1B") as tight:
        alone = _minima(_Power(), tight).table
    assert together is not None
    assert alone is not None
    assert together["offset_cents_level_matched"].to_list() == alone["offset_cents_level_matched"].to_list()


def test_shares_of_the_trials_are_searched_as_all_of_them_are(resources: Resources):
    task, distance = Sines(duration=0.1), _Power()
    shares = [
        minima(distance, task, seed=0, share=share, resources=resources).table for share in (range(2), range(2, 4))
    ]
    together = _minima(distance, resources, task=task).table
    assert together is not None
    assert pl.concat([share for share in shares if share is not None]).equals(together)


def test_a_distance_that_is_not_finite_is_named(resources: Resources):
    with pytest.raises(NonFiniteError, match=r"not finite: prediction at 30\.0 Hz of trial 0 \(seed 0\)"):
        _minima(_Broken(), resources)


class _Rhythm(Sines):
    """A task without pitch."""

    axes = (Axis("tempo", "bpm", (1.0,)),)

    @override
    def draw_block(self, generator: torch.Generator) -> Trials:
        trials = super().draw_block(generator)
        return Trials({"tempo": trials.target["pitch"]}, {"tempo": trials.prediction["pitch"]}, trials.drawn)


def test_a_task_without_pitch_is_skipped(resources: Resources):
    with pytest.raises(SkippedError, match="has no pitch and no level"):
        _minima(_Power(), resources, task=_Rhythm(duration=0.1))


def test_a_task_that_is_too_short_is_skipped(resources: Resources):
    with pytest.raises(SkippedError, match="needs at least 2048 samples, sines has 441"):
        _minima(make("mss"), resources, task=Sines(duration=0.01))
