"""Landscapes: what is measured, cell by cell, and what the paper says of its figures."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from tonedeaf.benchmarks.bass_notes import BassNotes
from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre
from tonedeaf.benchmarks.in_mix import InMix
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.benchmarks.task import Axis, Task, Trials
from tonedeaf.harnesses import landscapes, plane
from tonedeaf.harnesses.answers import SkippedError
from tonedeaf.harnesses.landscape_cells import (
    Kind,
    Target,
    cells_of,
    check_targets,
    nearest_targets,
    size,
    usual_targets,
)
from tonedeaf.harnesses.landscapes import measure
from tonedeaf.harnesses.ranking import NonFiniteError
from tonedeaf.harnesses.resources import Resources
from tonedeaf.losses import AudioDistance, make

MIDDLE = Target(346.0, -12.5)
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def resources() -> Iterator[Resources]:
    with ThreadPoolExecutor(2) as threads:
        yield Resources(torch.device("cpu"), 2**28, threads, 2)


def _table(
    kind: Kind,
    distance: AudioDistance | str,
    resources: Resources,
    *,
    task: Task | None = None,
    targets: Sequence[Target] = (MIDDLE,),
    seed: int = 0,
) -> pl.DataFrame:
    made = make(distance) if isinstance(distance, str) else distance
    table = measure(kind, made, task or Sines(duration=0.1), targets, seed=seed, resources=resources).table
    assert table is not None
    return table


def _narrow() -> Sines:
    """Sines of a range so small that a map has few cells."""
    return Sines(duration=0.1, fmin=300.0, fmax=420.0, lowest_level=-2.0)


def _sine(task: Task, hertz: float, level: float, phase: float) -> Tensor:
    time = np.arange(task.samples) / task.sample_rate
    wave = 10 ** (level / 25) * np.cos(2 * np.pi * (hertz * time + phase))
    return torch.from_numpy(wave.astype(np.float32)).unsqueeze(0)


def test_the_papers_targets_are_cells_of_the_papers_map():
    """346 Hz and −12.5 dB are "the center of the search space"; cells are "106 cents and 0.31 dB"."""
    task = Sines()
    assert usual_targets("map", task) == (Target(346, -12.5), Target(130, -7.5), Target(922, -17.5))
    assert usual_targets("curve", task) == (Target(130, -12.5), Target(346, -12.5), Target(922, -12.5))
    (cells,) = cells_of("map", task, usual_targets("map", task))
    assert (cells.pitch.size, cells.level.size) == (81, 81)
    np.testing.assert_allclose(2 ** (cells.pitch[[0, -1]] / 1200), [30, 4000])
    np.testing.assert_allclose([np.diff(cells.pitch).mean(), np.diff(cells.level).mean()], [105.9, 0.3125], atol=0.05)
    for target in usual_targets("map", task):
        assert np.abs(cells.pitch - target.cents).min() < 4, "a whole Hz is within 4 cents at 130 Hz"
        assert np.abs(cells.level - target.level_db).min() < 1e-9


def test_other_tasks_have_their_own_range_and_targets_in_proportion():
    task = InMix()
    assert usual_targets("map", task) == (Target(87, -12.5), Target(57, -7.5), Target(132, -17.5))
    (cells,) = cells_of("map", task, usual_targets("map", task))
    np.testing.assert_allclose(2 ** (cells.pitch[[0, -1]] / 1200), [30, 250])
    assert abs(np.diff(cells.pitch).mean() - 106) < 2


def test_cells_are_the_definition_written_out(resources: Resources):
    """Every cell of two small maps, one signal at a time in plain numpy; the phases are those of trial 0."""
    task, distance, targets = _narrow(), make("mss"), (Target(330.0, -1.0), Target(400.0, 0.0))
    table = _table("map", distance, resources, task=task, targets=targets, seed=5)
    drawn = task.trials(5, 0, 1).drawn
    theirs, ours = float(drawn["target_phase"][0]), float(drawn["prediction_phase"][0, 0])
    assert table.height == size(cells_of("map", task, targets)) == 2 * 6 * 7
    for row in table[::5].rows(named=True):
        target = targets[row["target"]]
        expected = distance(
            _sine(task, row["pitch_hz"], row["level_db"], ours), _sine(task, target.pitch_hz, target.level_db, theirs)
        )
        np.testing.assert_allclose(row["distance"], float(expected), rtol=1e-3, atol=1e-3)  # float32 spectra


def test_cells_depend_neither_on_the_batches_nor_on_the_other_targets(resources: Resources):
    task, targets = _narrow(), (Target(330.0, -1.0), Target(400.0, 0.0))
    together = _table("map", "log_mss", resources, task=task, targets=targets)
    small = replace(resources, memory=1)
    alone = pl.concat([_table("map", "log_mss", small, task=task, targets=[target]) for target in targets])
    np.testing.assert_allclose(together["distance"], alone["distance"], rtol=1e-4)


def test_the_gradient_of_a_curve_is_a_central_difference(resources: Resources, monkeypatch: pytest.MonkeyPatch):
    """In float64, at some of its pitches, per octave."""
    monkeypatch.setattr(landscapes, "SIGNAL_DTYPE", torch.float64)
    monkeypatch.setattr(plane, "SIGNAL_DTYPE", torch.float64)
    task, distance, target = _narrow(), make("log_mss"), Target(330.0, -1.0)
    table = _table("curve", distance, resources, task=task, targets=[target])
    (cells,) = cells_of("curve", task, [target])
    trial = target.of(task.trials(0, 0, 1))
    goal = distance.represent(task.render_target(trial))

    def at(cents: float) -> float:
        coordinates = {"pitch": torch.tensor([cents], dtype=torch.float64), "level": trial.target["level"]}
        return float(distance.compare(distance.represent(task.render_prediction(trial, coordinates)), goal))

    for cell in (0, 7, 31, len(cells) - 1):
        slope = 1200 * (at(cells.pitch[cell] + 1e-4) - at(cells.pitch[cell] - 1e-4)) / 2e-4
        np.testing.assert_allclose(table["gradient_per_octave"][cell], slope, rtol=1e-5, atol=1e-5)


def test_a_field_is_eleven_cells_around_the_target_within_the_range(resources: Resources):
    table = _table("field", "spectrogram", resources)
    cents = 1200 * np.log2(table["pitch_hz"].unique().sort().to_numpy() / 346)
    np.testing.assert_allclose(cents, 340.0 * np.arange(-5, 6), atol=1e-6)
    np.testing.assert_allclose(table["level_db"].unique().sort(), np.arange(-17.5, -7, 1.0))
    (corner,) = cells_of("field", Sines(), [Target(4000.0, 0.0)])
    assert (corner.pitch.size, corner.level.size) == (6, 6)
    assert corner.level.max() == 0


def test_the_gradients_of_a_field_are_differences_of_its_cells(resources: Resources):
    table = _table("field", "log_mss", resources)
    values, along_pitch, along_level = (
        table[name].to_numpy().reshape(11, 11) for name in ("distance", "pitch_gradient", "level_gradient")
    )
    np.testing.assert_allclose(along_pitch[:, 1:-1], (values[:, 2:] - values[:, :-2]) / 2)
    np.testing.assert_allclose(along_level[1:-1], (values[2:] - values[:-2]) / 2)
    np.testing.assert_allclose(along_pitch[:, 0], values[:, 1] - values[:, 0])
    np.testing.assert_allclose(along_level[-1], values[-1] - values[-2])


@dataclass(frozen=True)
class _Curve:
    """Cents from the target, distances and gradients per octave."""

    hertz: float
    cents: Floats
    distances: Floats
    gradients: Floats

    @property
    def right(self) -> float:
        return float((self.gradients * np.sign(self.cents) > 0).mean())


def _curves(name: str, resources: Resources, *pitches: float) -> list[_Curve]:
    """With frames that fit, as in the house mode."""
    targets = [Target(hertz, -12.5) for hertz in pitches]
    table = _table("curve", name, resources, targets=targets)
    found: list[_Curve] = []
    for number, hertz in enumerate(pitches):
        rows = table.filter(pl.col("target") == number)
        cents = 1200 * np.log2(rows["pitch_hz"].to_numpy() / hertz)
        found.append(_Curve(hertz, cents, rows["distance"].to_numpy(), rows["gradient_per_octave"].to_numpy()))
    return found


def test_transport_is_a_v_whose_foot_is_the_target(resources: Resources):
    for curve in _curves("log_spectral_transport", resources, 130.0, 346.0, 922.0):
        step = float(np.diff(curve.cents).mean())
        assert abs(curve.cents[curve.distances.argmin()]) <= step
        # a step across the target may go either way
        assert (np.diff(curve.distances)[curve.cents[1:] < -step] < 0).all()
        assert (np.diff(curve.distances)[curve.cents[:-1] > step] > 0).all()
        # an octave of interval is an octave of transport; a line is as wide as its frequency below three bins (65 Hz)
        steady = (np.abs(curve.cents) > 200) & (curve.cents > 1200 * np.log2(100 / curve.hertz))
        np.testing.assert_allclose(np.abs(curve.gradients[steady]), 1.0, atol=0.1)


def test_the_spectrogram_has_a_plateau_far_away_and_a_sharp_well_at_the_target(resources: Resources):
    # "At great distances it has no sense of pitch orientation whatsoever (a vanishing gradient), and it locks-in with
    # extreme confidence at fine pitch distances"; "lower target pitches have slightly wider regions".
    widths: list[float] = []
    for curve in _curves("spectrogram", resources, 130.0, 346.0, 922.0):
        cents, distances, gradients = curve.cents, curve.distances, curve.gradients
        plateau = float(np.median(distances))
        far = np.abs(1200 * np.log2(1 + 5 * 44100 / 2048 / curve.hertz)) < np.abs(cents)  # five bins of the window
        assert np.abs(distances[far] / plateau - 1).max() < 0.03
        assert np.abs(gradients[far]).max() < 0.05 * np.abs(gradients).max()
        assert distances.min() < 0.05 * plateau
        assert abs(cents[distances.argmin()]) < 15
        inside = cents[distances < plateau / 2]
        widths.append(float(inside.max() - inside.min()))
    assert widths[0] > widths[1] > widths[2]
    assert widths[1] < 200, "less than a whole tone, of a range of seven octaves"


def test_the_multi_scale_spectrogram_slopes_gently_and_still_fades_at_high_pitch(resources: Resources):
    # It "somewhat alleviates this problem, but still suffers from a sharp gradient near the target and a vanishing
    # gradient in high predicted pitch extrema".
    (curve,), (spectrogram,) = (_curves(name, resources, 346.0) for name in ("mss", "spectrogram"))
    cents, distances, gradients = curve.cents, curve.distances, curve.gradients
    steepest = float(np.abs(gradients).max())
    assert abs(cents[np.abs(gradients).argmax()]) < 100
    assert np.abs(gradients[cents > 2400]).max() < 0.01 * steepest
    assert curve.right > 0.85 > spectrogram.right
    assert distances[0] > distances[cents > -2400][0] > distances[cents > -1200][0], "it slopes three octaves away"


def test_the_level_of_the_multi_scale_spectrogram_falls_away_from_the_target_unless_locked_in(resources: Resources):
    # "The level-gradient always drives the level down and away from the target signal, even when the prediction level
    # is lower than the target. Only when pitch is locked-in are the level gradients correctly oriented".
    table = _table("field", "mss", resources)
    slopes = table["level_gradient"].to_numpy().reshape(11, 11)
    elsewhere = np.delete(slopes, 5, axis=1)
    assert (elsewhere > 0).all(), "the distance grows with level in every cell: down is downhill"
    locked = slopes[:, 5]
    assert (locked[:5] < 0).all()
    assert (locked[6:] > 0).all()


def test_a_timbre_is_the_same_in_every_cell(resources: Resources):
    """The partials that exist are those of the highest pitch of the map, in the lowest cell as well."""
    task = HarmonicTimbre(sample_rate=16000, duration=0.05)
    distance = make("l2_waveform", sample_rate=16000)
    target = Target(173.0, -12.5)
    table = _table("curve", distance, resources, task=task, targets=[target])
    trial = target.of(task.trials(0, 0, 1))
    highest = Trials(trial.target, {**trial.prediction, "pitch": torch.full((1,), 1200 * np.log2(1000.0))}, trial.drawn)
    for row in (0, 200):
        pitch = torch.tensor([1200 * np.log2(table["pitch_hz"][row])], dtype=torch.float64)
        signal = task.render_prediction(highest, {"pitch": pitch, "level": trial.target["level"]}).float()
        expected = distance(signal, task.render_target(highest).float())
        np.testing.assert_allclose(table["distance"][row], float(expected), rtol=1e-4)


def test_a_task_that_draws_its_targets_lends_the_nearest():
    task = BassNotes(duration=0.1)
    if task.unavailable:
        pytest.skip(task.unavailable)
    (found,) = nearest_targets(task, 0, [Target(100.0, -12.5)])
    pitch = float(task.trials(0, found.trial, found.trial + 1).target["pitch"])
    assert found.pitch_hz == pytest.approx(2 ** (pitch / 1200), abs=0.01)
    assert abs(1200 * np.log2(found.pitch_hz / 100)) < 60
    assert nearest_targets(Sines(duration=0.1), 0, [MIDDLE]) == (MIDDLE,)


class _Half(AudioDistance):
    """Not a number for a quiet prediction."""

    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = (prediction - target).abs().mean(-1)
        return torch.where(prediction.abs().amax(-1) < 0.84, torch.nan, error)


class _Deaf(Sines):
    """A task whose predictions have no level."""

    axes = (Axis("pitch", "cents", (30.0,)),)

    @override
    def draw_block(self, generator: torch.Generator) -> Trials:
        trials = super().draw_block(generator)
        return Trials(trials.target, {"pitch": trials.prediction["pitch"]}, trials.drawn)


def test_what_cannot_be_measured_is_said(resources: Resources):
    with pytest.raises(NonFiniteError, match=r"the distance is not finite: prediction at 300\.0 Hz, -2\.00 dB"):
        _table("map", _Half(), resources, task=_narrow())
    with pytest.raises(SkippedError, match="sines has no level"):
        _table("map", "mss", resources, task=_Deaf(duration=0.1))
    with pytest.raises(SkippedError, match="needs at least 2048 samples, sines has 441"):
        _table("map", "mss", resources, task=Sines(duration=0.01))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target(29.0, -12.5), "pitch must be 30 to 4000 Hz for sines, got 29 Hz"),
        (Target(float("nan"), -12.5), "pitch must be 30 to 4000 Hz for sines, got nan Hz"),
        (Target(346.0, 1.0), "level must be -25 to 0 dB for sines, got 1 dB"),
        (Target(346.0, -26.0), "level must be -25 to 0 dB for sines, got -26 dB"),
    ],
)
def test_targets_outside_the_range_are_refused(target: Target, message: str):
    with pytest.raises(ValueError, match=message):
        check_targets(Sines(), [target])
    check_targets(Sines(), [Target(30.0, -25.0), Target(4000.0, 0.0)])
