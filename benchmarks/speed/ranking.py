"""Ranking: the engine, the plain per-trial loop, and the Fourier transforms that no version can avoid.

All cores, as a user runs it. Times are for :data:`TRIALS` trials of sines of half a second, by ``mss``.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from tonedeaf.benchmarks.task import Task
from tonedeaf.harnesses.cells import prepare
from tonedeaf.harnesses.processes import available_cores
from tonedeaf.harnesses.ranking import Margins, rank
from tonedeaf.harnesses.resources import opened
from tonedeaf.harnesses.suites import HOUSE_MODE, PAPERS_MODE
from tonedeaf.losses import AudioDistance
from tonedeaf.losses.stft import Stft

TRIALS = 64
MODES = {"house mode": HOUSE_MODE, "paper's mode": PAPERS_MODE}


def plain_loop(distance: AudioDistance, task: Task, *, seed: int, trials: int) -> Margins:
    """The margins as one would first write it: trial by trial, and every distance from two waveforms.

    On each axis one differentiable distance, one of the prediction and one for each step: 8 distances, 16
    representations a trial. The same numbers as :func:`tonedeaf.harnesses.ranking.rank`'s, to a float's rounding.
    """
    margins = {column: np.empty(trials) for column in task.columns}
    for number in range(trials):
        trial = task.trials(seed, number, number + 1)
        target = task.render_target(trial).float()
        take = 0
        for axis in task.axes:
            away = (trial.prediction[axis.name] - trial.target[axis.name]).sign()
            coordinates = {**trial.prediction, axis.name: trial.prediction[axis.name].clone().requires_grad_()}
            start = distance(task.render_prediction(trial, coordinates).float(), target)
            (slope,) = torch.autograd.grad(start.sum(), coordinates[axis.name], materialize_grads=True)
            margins[axis.analytic_column][number] = float(slope * away)
            with torch.no_grad():
                start = distance(task.render_prediction(trial, trial.prediction).float(), target)
                for step in axis.steps:
                    take += 1
                    moved = {**trial.prediction, axis.name: trial.prediction[axis.name] + step * away}
                    there = distance(task.render_prediction(trial, moved, take).float(), target)
                    margins[axis.column(step)][number] = float(there - start)
    return margins


def engine(distance: AudioDistance, task: Task, *, seed: int, trials: int) -> Margins:
    """What ``tonedeaf rank`` does."""
    with opened("cpu", "auto") as resources:
        return rank(
            distance,
            task,
            seed=seed,
            trials=trials,
            memory=resources.memory,
            device=resources.device,
            executor=resources.executor,
        )


def framed(distance: AudioDistance, task: Task, *, signals: int) -> list[torch.Tensor]:
    """The windowed frames of some signals, at every scale of ``mss``: what has to be transformed."""
    frames: list[torch.Tensor] = []
    for stft in distance.modules():
        if isinstance(stft, Stft):
            signal = torch.randn(signals, task.samples)
            frames.append((signal.unfold(-1, stft.n_fft, stft.hop_length) * stft.window(signal)).contiguous())
    return frames


def subject(mode: str = "house mode", name: str = "mss") -> tuple[AudioDistance, Task]:
    suite = MODES[mode]
    cell = prepare(
        name,
        "sines",
        seed=0,
        trials=TRIALS,
        sample_rate=44100,
        duration=None,
        task_preset=suite.task,
        distance_preset=suite.distance,
    )
    assert cell.distance is not None
    return cell.distance, cell.task


@pytest.fixture(autouse=True)
def all_cores(one_thread: None) -> None:
    torch.set_num_threads(available_cores())


@pytest.mark.parametrize("who", ["tonedeaf", "plain loop", "plain loop, one thread"])
def test_all_columns(measure: Any, who: str):
    distance, task = subject()
    run = engine if who == "tonedeaf" else plain_loop
    if who.endswith("one thread"):
        torch.set_num_threads(1)
    work = f"mss, all columns of {TRIALS} trials"
    measure("ranking", work, who, lambda: run(distance, task, seed=0, trials=TRIALS), rounds=3)


@pytest.mark.parametrize("who", ["tonedeaf", "bare FFTs"])
def test_numeric_columns(measure: Any, who: str):
    distance, task = subject()
    work = f"mss, numeric columns of {TRIALS} trials"
    if who == "tonedeaf":
        distance.differentiable = False  # pyright: ignore[reportAttributeAccessIssue] (no analytic columns, then)
        measure("ranking", work, who, lambda: engine(distance, task, seed=0, trials=TRIALS), rounds=3)
        return
    cores = available_cores()
    frames = framed(distance, task, signals=6 * TRIALS // cores)

    def transform(_: int) -> None:
        for part in frames:
            torch.fft.rfft(part)

    torch.set_num_threads(1)
    with ThreadPoolExecutor(cores) as executor:
        measure("ranking", work, who, lambda: list(executor.map(transform, range(cores))), rounds=3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HOUSE_MODE.distances)
def test_throughput(measure: Any, name: str, mode: str):
    distance, task = subject(mode, name)
    facts = {"distance": name, "mode": mode, "trials": TRIALS}
    measure(
        "throughput",
        f"{name}, {mode}",
        "tonedeaf",
        lambda: engine(distance, task, seed=0, trials=TRIALS),
        rounds=2,
        **facts,
    )
