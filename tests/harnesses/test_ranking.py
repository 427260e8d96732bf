"""The ranking harness: on distances whose accuracy is known, and on derivatives."""

import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from typing_extensions import override

from tonedeaf.benchmarks.harmonic import Harmonic
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.benchmarks.task import BLOCK, LEVEL, PITCH, Task
from tonedeaf.benchmarks.tilt import Tilt
from tonedeaf.harnesses import ranking
from tonedeaf.harnesses.batching import Batches, batches, parse_memory, saved_bytes
from tonedeaf.harnesses.ranking import Margins, NonFiniteError, accuracy, rank
from tonedeaf.losses import AudioDistance, RepresentationDistance, make
from tonedeaf.losses.spectral_centroid import Log2SpectralCentroid

CPU = torch.device("cpu")
TABLE1 = ("spectrogram", "log_spectrogram", "mel", "mfcc", "mss", "log_mss", "log2_spectral_centroid")


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def _rank(
    distance: AudioDistance,
    executor: ThreadPoolExecutor,
    *,
    task: Task | None = None,
    trials: int = 60,
    memory: int = 2**28,
) -> Margins:
    task = task or Sines(duration=0.1)
    return rank(distance, task, seed=0, trials=trials, memory=memory, device=CPU, executor=executor)


class _Energy(RepresentationDistance):
    """The difference of energies: knows level, is deaf to pitch."""

    @override
    def represent(self, signal: Tensor) -> Tensor:
        return signal.square().mean(-1)

    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs()


class _Reversed(_Energy):
    """Always wrong about level."""

    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return -super().compare(prediction, target)


class _Constant(_Energy):
    """Says 1 whatever it hears."""

    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return 0 * prediction + 1


class _NotDifferentiable(_Energy):
    differentiable = False

    @override
    def represent(self, signal: Tensor) -> Tensor:
        return super().represent(signal).mul(1e6).round()


class _Broken(_Energy):
    @override
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        return torch.where(prediction > target, torch.nan, super().compare(prediction, target))


def test_a_distance_that_knows_level_is_always_right_about_it(executor: ThreadPoolExecutor):
    margins = _rank(_Energy(), executor, task=Sines(duration=0.5), trials=200)
    # below 60 Hz, 0.5 s hold no whole number of periods, and the energy ripples by 1 %
    assert all(accuracy(margins[column]).value > 0.97 for column in ("level_analytic", "level_2_db", "level_10_db"))


def test_a_distance_that_is_always_wrong_scores_nothing(executor: ThreadPoolExecutor):
    right, wrong = (_rank(distance, executor) for distance in (_Energy(), _Reversed()))
    for column in right:
        np.testing.assert_array_equal(right[column] > 0, wrong[column] < 0)


def test_ties_are_wrong_and_counted(executor: ThreadPoolExecutor):
    for column, margins in _rank(_Constant(), executor).items():
        found = accuracy(margins)
        assert (found.value, found.ties, found.n) == (0.0, 60, 60), column


def test_a_distance_that_is_not_differentiable_has_no_analytic_columns(executor: ThreadPoolExecutor):
    assert list(_rank(_NotDifferentiable(), executor)) == [
        "pitch_30_cents",
        "pitch_600_cents",
        "level_2_db",
        "level_10_db",
    ]


def test_a_distance_that_is_not_finite_is_named_with_its_trial(executor: ThreadPoolExecutor):
    with pytest.raises(NonFiniteError, match=r"not finite: \w+ of trial \d+ \(seed 0\)"):
        _rank(_Broken(), executor)


def test_outcomes_do_not_depend_on_the_batches(executor: ThreadPoolExecutor):
    together, alone = (_rank(make("log_mss"), executor, memory=memory) for memory in (2**30, 1))
    for column, margins in together.items():
        # the order in which float32 sums are taken may change with the batch's size
        np.testing.assert_allclose(margins, alone[column], rtol=1e-3, atol=1e-6)


def test_margins_are_the_definition_written_out(executor: ThreadPoolExecutor):
    """Every column of some trials, the way the paper defines it, one signal at a time in plain numpy."""
    task, distance = Sines(duration=0.1), make("mss")
    margins = _rank(distance, executor, task=task, trials=8)
    trials = task.trials(0, 0, 8)
    time = np.arange(task.samples) / task.sample_rate

    def sine(pitch: float, level: float, phase: float) -> Tensor:
        wave = 10 ** (level / 25) * np.cos(2 * np.pi * (2 ** (pitch / 1200) * time + phase))
        return torch.from_numpy(wave.astype(np.float32)).unsqueeze(0)

    for index in range(8):
        pitch, level = (float(trials.target[axis][index]) for axis in ("pitch", "level"))
        ours, loud = (float(trials.prediction[axis][index]) for axis in ("pitch", "level"))
        target = sine(pitch, level, float(trials.drawn["target_phase"][index]))
        phase = float(trials.drawn["prediction_phase"][index, 0])
        start = distance(sine(ours, loud, phase), target)
        for cents in (30, 600):
            moved = distance(sine(ours + cents * np.sign(ours - pitch), loud, phase), target)
            np.testing.assert_allclose(margins[f"pitch_{cents}_cents"][index], moved - start, rtol=1e-2, atol=1e-3)
        for decibels in (2, 10):
            moved = distance(sine(ours, loud + decibels * np.sign(loud - level), phase), target)
            np.testing.assert_allclose(margins[f"level_{decibels}_db"][index], moved - start, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", [*TABLE1, "log_spectral_transport"])
@pytest.mark.parametrize("padding", ["valid", "reflect"])
def test_derivatives_along_pitch_and_level_are_central_differences(
    name: str, padding: str, monkeypatch: pytest.MonkeyPatch
):
    """At 20 random points, in float64."""
    monkeypatch.setattr(ranking, "SIGNAL_DTYPE", torch.float64)
    task = Sines(duration=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        distance = make(f"{name}[padding={padding}]")
    trials = task.trials(11, 0, 20)
    margins = ranking.batch_margins(distance, task, trials)
    target = distance.represent(task.render_target(trials))
    for axis, step in (("pitch", 1e-4), ("level", 1e-5)):
        ahead, behind = (
            distance.compare(
                distance.represent(
                    task.render_prediction(trials, {**trials.prediction, axis: trials.prediction[axis] + sign * step})
                ),
                target,
            )
            for sign in (1, -1)
        )
        slope = (ahead - behind) / (2 * step)
        expected = slope * (trials.prediction[axis] - trials.target[axis]).sign()
        # absolute: where a slope vanishes, the difference of two distances keeps 1e-16 of their size
        scale = float(
            distance.compare(distance.represent(task.render_prediction(trials, trials.prediction)), target).max()
        )
        torch.testing.assert_close(margins[f"{axis}_analytic"], expected, rtol=1e-5, atol=1e-10 * scale / step)


def test_derivatives_are_those_of_the_axes_whatever_else_is_a_coordinate(executor: ThreadPoolExecutor):
    """``tilt`` has a level, too, between the two axes that are asked."""
    margins = _rank(_Energy(), executor, task=Tilt(duration=0.1), trials=8)
    assert tuple(margins) == Tilt().columns
    # energy does not know the tilt but for cross terms; its derivative along level would be far from 0
    level = _rank(_Energy(), executor, task=Harmonic(duration=0.1), trials=8)["level_analytic"]
    assert np.abs(margins["tilt_analytic"]).max() < 0.1 * np.abs(level).max()


def test_axes_without_derivatives_have_numeric_columns_only(executor: ThreadPoolExecutor):
    class Numeric(Sines):
        axes = (replace(PITCH, analytic=False), LEVEL)

    margins = _rank(_Energy(), executor, task=Numeric(duration=0.1), trials=8)
    assert tuple(margins) == ("pitch_30_cents", "pitch_600_cents", "level_analytic", "level_2_db", "level_10_db")
    usual = _rank(_Energy(), executor, task=Sines(duration=0.1), trials=8)
    for column, values in margins.items():
        np.testing.assert_array_equal(values, usual[column])


def test_the_known_winner_wins(executor: ThreadPoolExecutor):
    """Every column of the house mode is 1 for transport on log-frequency with a level term (a published claim)."""
    for column, margins in _rank(make("log_spectral_transport"), executor, task=Sines(), trials=60).items():
        assert accuracy(margins).value == 1.0, column


def test_padding_makes_the_centroids_gradient_chaotic(executor: ThreadPoolExecutor):
    valid, padded = (
        accuracy(
            _rank(Log2SpectralCentroid(padding=padding), executor, task=Sines(), trials=120)["pitch_analytic"]
        ).value
        for padding in ("valid", "reflect")
    )
    assert valid > 0.97
    assert padded < 0.75


def test_bad_calls_are_refused(executor: ThreadPoolExecutor):
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        _rank(make("mss"), executor, trials=0)
    with pytest.raises(ValueError, match=r"at least 2048 samples \(0.0464399 s at 44100 Hz\), but sines lasts 0.01 s"):
        _rank(make("mss"), executor, task=Sines(duration=0.01))


def test_the_number_of_threads_is_given_back(executor: ThreadPoolExecutor):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        _rank(_Energy(), executor, trials=4)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("text", "size"), [("512MiB", 2**29), ("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("4096", 4096), ("1kib", 1024)]
)
def test_memory_is_read(text: str, size: int):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1MiB", "0", "12XB", "1e3MiB"])
def test_memory_that_is_no_size_is_refused(text: str):
    with pytest.raises(ValueError, match="memory must be a size such as 512MiB"):
        parse_memory(text)


def test_saved_bytes_counts_each_storage_once():
    leaf = torch.ones(1000, dtype=torch.float32, requires_grad=True)

    def twice() -> Tensor:
        square = leaf * leaf  # keeps leaf, twice
        return (square * square).sum()  # keeps square, twice

    assert saved_bytes(twice) == 2 * 4000


def test_batches_keep_to_the_budget():
    cuda = torch.device("cuda")
    assert batches(2**20, memory=2**30, device=CPU) == Batches(32, 16)  # the cache decides
    assert batches(2**20, memory=2**23, device=CPU) == Batches(4, 1)  # the budget decides
    assert batches(2**30, memory=2**20, device=CPU) == Batches(1, 1)  # never less than one
    assert batches(2**20, memory=2**28, device=cuda) == Batches(128, 1)
    assert batches(1, memory=2**28, device=cuda).size == BLOCK  # never more than a block


def test_no_more_batches_are_under_way_than_fit(executor: ThreadPoolExecutor):
    under_way, most = 0, 0

    def call(item: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.01)
        under_way -= 1
        return item

    assert list(executor.map(Batches(1, 1).limited(call), range(6))) == list(range(6))
    assert most == 1


@pytest.mark.parametrize("name", ["mfcc[n_mels=40;n_mfcc=20]", "log_mss"])
def test_shares_of_whole_blocks_have_the_same_margins_to_the_last_bit(executor: ThreadPoolExecutor, name: str):
    distance = make(name)

    def margins(start: int, trials: int) -> Margins:
        return rank(
            distance,
            Sines(duration=0.06),
            seed=0,
            start=start,
            trials=trials,
            memory=2**26,
            device=CPU,
            executor=executor,
        )

    together, parts = margins(0, 300), [margins(0, BLOCK), margins(BLOCK, 300 - BLOCK)]
    for column, values in together.items():
        assert np.concatenate([part[column] for part in parts]).tobytes() == values.tobytes()
