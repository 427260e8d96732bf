"""What a distance costs: time forward and backward for a pair of signals, and what is kept in between.

Measured as a training loop would call it, on one fixed batch of a task's signals, made beforehand: forward of
prediction and target, then backward to the prediction's samples. The time is the fastest of several calls, for whatever
else a machine does only adds to it; on a CPU, with one thread. Times belong to the machine that the record names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..benchmarks import Task
from ..losses import AudioDistance
from ..results.record import Record
from ..results.store import RecordStore
from . import answers
from .answers import Answer
from .batching import saved_bytes
from .questions import Question, ask
from .ranking import SIGNAL_DTYPE, one_thread_each
from .resources import Resources

KIND = "cost"
BATCH = 4
"""Pairs that are measured together."""
CALLS = 5
"""After one that is not counted."""


def question_of(cell: Question, resources: Resources) -> Question:
    """The question of the cost, on the signals of a ranking's cell; another device is another question."""
    conditions = {"batch": BATCH, "device": str(resources.device)}
    return ask(cell, kind=KIND, seed=cell.seed, trials=BATCH, parameters={"cost": conditions})


def answer(question: Question, store: RecordStore, resources: Resources, *, debug: bool = False) -> Record:
    """The record of a question: see :func:`tonedeaf.harnesses.answers.answer`."""

    def measure(distance: AudioDistance) -> Answer:
        return Answer(cost(distance, question.task, seed=question.seed, device=resources.device))

    return answers.answer(question, store, resources, measure, debug=debug)


def cost(distance: AudioDistance, task: Task, *, seed: int, device: torch.device) -> dict[str, Any]:
    """Metrics for one pair: ``forward_ms``, ``backward_ms``, ``kept_mib`` (tensors kept for backward).

    The last two are None for a distance that is not differentiable.
    """
    trials = task.trials(seed, 0, BATCH).to(device)
    with torch.no_grad():
        target = task.render_target(trials).to(SIGNAL_DTYPE)
        prediction = task.render_prediction(trials, trials.prediction).to(SIGNAL_DTYPE)
    if not distance.differentiable:
        with torch.no_grad(), one_thread_each(device):
            forward = min(_timed(lambda: distance(prediction, target), device)[1] for _ in range(1 + CALLS))
        return {"forward_ms": _milliseconds(forward), "backward_ms": None, "kept_mib": None}
    prediction.requires_grad_()
    forward_times: list[float] = []
    backward_times: list[float] = []
    with one_thread_each(device):
        for _ in range(1 + CALLS):
            found, seconds = _timed(lambda: distance(prediction, target).sum(), device)
            forward_times.append(seconds)
            backward_times.append(_timed(lambda total=found: _backward(total, prediction), device)[1])
        kept = saved_bytes(lambda: distance(prediction, target))
    return {
        "forward_ms": _milliseconds(min(forward_times[1:])),
        "backward_ms": _milliseconds(min(backward_times[1:])),
        "kept_mib": round(kept / BATCH / 2**20, 3),
    }


def _backward(total: Tensor, prediction: Tensor) -> Tensor:
    return torch.autograd.grad(total, prediction, materialize_grads=True)[0]


def _timed(call: Callable[[], Tensor], device: torch.device) -> tuple[Tensor, float]:
    """What a call returns, and how many seconds it took, until the device is done."""
    _wait_for(device)
    start = time.perf_counter()
    found = call()
    _wait_for(device)
    return found, time.perf_counter() - start


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _milliseconds(seconds: float) -> float:
    """For one pair of the batch."""
    return round(1e3 * seconds / BATCH, 3)
