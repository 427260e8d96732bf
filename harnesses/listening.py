"""Trials as sounds: what a distance was asked about, rendered again from the task and the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..benchmarks import Task
from ..benchmarks.task import PITCH
from ..results.report_listening import Choice, HeardTrial
from ..results.sound import mp3
from . import screens
from .ranking import one_thread_each
from .tasks import make_task

_FADE_SECONDS = 0.005
_PEAK = 0.7


def render(choices: Sequence[Choice]) -> list[HeardTrial]:
    """The sounds of some trials; a task that is not available here, or is another version by now, is left out.

    All sounds of a trial have the same gain, so that levels can be compared; they are faded in and out over 5 ms, which
    the distances' signals are not.
    """
    heard: list[HeardTrial] = []
    with one_thread_each(torch.device("cpu")), torch.no_grad():
        for choice in choices:
            identity = choice.record.task
            try:
                task = make_task(identity.name, identity.params).task
            except ValueError as error:
                screens.note(f"note: no sounds of {identity.name}: {error}")
                continue
            if task.unavailable or task.version != identity.version:
                why = task.unavailable or f"it is version {task.version} now, the record's is {identity.version}"
                screens.note(f"note: no sounds of {identity.name}: {why}")
                continue
            heard.append(_heard(task, choice))
    return heard


def _heard(task: Task, choice: Choice) -> HeardTrial:
    trials = task.trials(choice.record.seed, choice.trial, choice.trial + 1)
    signals = {"target": task.render_target(trials), "prediction": task.render_prediction(trials, trials.prediction)}
    take = 0
    for axis in task.axes:
        away = (trials.prediction[axis.name] - trials.target[axis.name]).sign()
        for step in axis.steps:
            take += 1
            moved = {**trials.prediction, axis.name: trials.prediction[axis.name] + step * away}
            signals[axis.column(step)] = task.render_prediction(trials, moved, take)
    largest = max(float(signal.abs().max()) for signal in signals.values()) or 1.0
    return HeardTrial(
        choice=choice,
        target=_coordinates(trials.target),
        prediction=_coordinates(trials.prediction),
        sounds={
            name: mp3(_PEAK / largest * _faded(signal, task), task.sample_rate) for name, signal in signals.items()
        },
    )


def _faded(signal: Tensor, task: Task) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    samples = signal[0].double().numpy().copy()
    fade = min(int(_FADE_SECONDS * task.sample_rate), len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / max(fade, 1))
    samples[:fade] *= ramp
    samples[len(samples) - fade :] *= ramp[::-1]
    return samples


def _coordinates(values: dict[str, Tensor]) -> dict[str, float]:
    """Each coordinate, and the pitch in Hz."""
    found = {name: round(float(value[0]), 2) for name, value in values.items()}
    if PITCH.name in values:
        found["hz"] = round(float(torch.exp2(values[PITCH.name][0] / 1200)), 2)
    return found
