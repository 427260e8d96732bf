"""Write ``tasks.json``: what each task of the ladder draws and renders for its first trials, under its version.

A task whose trials or signals change is another task: **raise its version first**, so that records of the old one are
no longer compared with records of the new one; then run ``python tests/golden/regenerate_tasks.py``.
"""

import json
from pathlib import Path
from typing import Any

import torch

from tonedeaf.benchmarks import TASKS, Task
from tonedeaf.harnesses.tasks import make_task

GOLDEN = Path(__file__).with_name("tasks.json")
TRIALS = 2


def golden_of(task: Task) -> dict[str, Any]:
    """Version, materials (the sound font), and numbers: coordinates, then energies and samples of every signal."""
    trials = task.trials(0, 0, TRIALS)
    signals = [task.render_target(trials), task.render_prediction(trials, trials.prediction)]
    take = 0
    for axis in task.axes:
        away = (trials.prediction[axis.name] - trials.target[axis.name]).sign()
        for step in axis.steps:
            take += 1
            moved = {**trials.prediction, axis.name: trials.prediction[axis.name] + step * away}
            signals.append(task.render_prediction(trials, moved, take))
    sounds = torch.stack(signals).double()
    numbers = [
        *(values.double() for group in (trials.target, trials.prediction) for values in group.values()),
        sounds.square().mean(-1).sqrt().flatten(),
        sounds[..., task.samples // 7 :: task.samples // 3].flatten(),
    ]
    return {
        "version": task.version,
        "materials": dict(task.materials),
        "numbers": [float(f"{value:.9g}") for value in torch.cat(numbers).tolist()],
    }


def golden_task(name: str) -> Task:
    """The task as it is asked of BassNet's losses, but shorter."""
    return make_task(name, {"sample_rate": 16000.0, "duration": 0.2}).task


if __name__ == "__main__":
    tasks = {name: golden_task(name) for name in TASKS}
    found = {name: golden_of(task) for name, task in tasks.items() if not task.unavailable}
    before = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    GOLDEN.write_text(json.dumps({**before, **found}, indent=1) + "\n", encoding="utf-8")
