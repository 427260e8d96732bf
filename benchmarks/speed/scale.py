"""What a sweep costs, from slopes measured here: writes ``docs/scale.md``. Nothing else may run meanwhile.

``python benchmarks/speed/scale.py``: how time and memory grow with the trials, what a trial of every distance costs,
what two workers are worth, how long a training step takes; then the model that extrapolates. For a look:
``--quick --out FOLDER``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tonedeaf.benchmarks.task import BLOCK, Task
from tonedeaf.harnesses.cells import prepare
from tonedeaf.harnesses.execution import execute
from tonedeaf.harnesses.processes import available_cores
from tonedeaf.harnesses.ranking import batch_margins
from tonedeaf.harnesses.suites import HOUSE_MODE
from tonedeaf.losses import AudioDistance, describe
from tonedeaf.results import RecordStore
from tonedeaf.results.environment import environment, peak_memory_mib, revision
from tonedeaf.results.record import DistanceIdentity, Record, TaskIdentity, record_key

ROOT = Path(__file__).resolve().parents[2]
KIND = "scale"
SWEEP = {"distances": 100, "tasks": 10, "trials": 100_000, "seeds": 5, "arms": 100}
TASKS = ("sines", "harmonic_timbre", "in_mix")
"""A cheap one, an ordinary one and a dear one."""
STEPS_OF_AN_ARM = 1500
"""Of the tiny preset: a whole training from random weights."""


def ranked(folder: Path, *arguments: str, threads: int | None = None) -> tuple[float, list[dict[str, Any]]]:
    """Seconds of the call, start of Python included, and its records."""
    program = folder / "call.py"
    program.write_text(
        "import sys\nfrom tonedeaf.harnesses.cli import run_command\n"
        "if __name__ == '__main__':\n    sys.exit(run_command(sys.argv[1:]))\n"
    )
    variables = {**os.environ} | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as out:
        finished = subprocess.run(
            [sys.executable, str(program), "rank", *arguments, "--json", "--out", out],
            stdout=subprocess.PIPE,
            env=variables,
            check=True,
        )
    return time.perf_counter() - start, json.loads(finished.stdout)


def growth(name: str, counts: list[int]) -> dict[str, Any]:
    """Seconds and peak memory at several numbers of trials of one run, and how far from a line the times are."""
    call = [sys.executable, str(Path(__file__).with_name("growth.py")), name, *map(str, counts)]
    rows = json.loads(subprocess.run(call, stdout=subprocess.PIPE, check=True).stdout)
    trials, seconds = (np.array([row[key] for row in rows]) for key in ("trials", "seconds"))
    slopes = np.diff(seconds) / np.diff(trials)
    slope = float((seconds[-1] - seconds[0]) / (trials[-1] - trials[0]))
    return {
        "distance": name,
        "rows": rows,
        "ms_per_trial": 1e3 * slope,
        "slopes_within": float(np.abs(slopes / slope - 1).max()),
        "memory_grows_mib": rows[-1]["peak_memory_mib"] - rows[0]["peak_memory_mib"],
    }


def costs_of_a_trial(quick: bool) -> dict[str, dict[str, float]]:
    """Distance to task to milliseconds a trial on one thread, for every distance that can run here."""
    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [each.name for each in describe() if each.available and each.differentiable]
    for name in names[:: 8 if quick else 1]:
        found[name] = {}
        for task in TASKS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cell = prepare(
                    name,
                    task,
                    seed=0,
                    trials=8,
                    sample_rate=44100,
                    duration=None,
                    task_preset=HOUSE_MODE.task,
                    distance_preset=HOUSE_MODE.distance,
                    skip=True,
                )
                if cell.distance is None or not cell.possible:
                    continue
                seconds = _fastest(cell.distance, cell.task, 1)
                if seconds < 1:
                    seconds = _fastest(cell.distance, cell.task, 8) / 8
            found[name][task] = 1e3 * seconds
    return {name: of_task for name, of_task in found.items() if of_task}


def _fastest(distance: AudioDistance, task: Task, trials: int) -> float:
    some = task.trials(0, 0, trials)
    return min(_timed(lambda: batch_margins(distance, task, some)) for _ in range(2))


def _timed(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def workers(folder: Path, trials: int) -> dict[str, float]:
    """Seconds of one call with one worker on one thread, two workers, and one process on two threads."""
    call = ("mss", "log_mss", "tonedeaf", "--trials", str(trials))
    tiny = ("l1_waveform", "--trials", "1", "--duration", "0.05")
    return {
        "one": ranked(folder, *call, threads=1)[0],
        "two": ranked(folder, *call, "--workers", "2")[0],
        "threads": ranked(folder, *call)[0],
        "start_one": ranked(folder, *tiny, threads=1)[0],
        "start_two": ranked(folder, *tiny, "--workers", "2")[0],
        "share_ms": 1e3 * (_handed_out(4000) - _handed_out(1)) / 4000,
    }


def _handed_out(items: int) -> float:
    """Seconds to have two workers do nothing, so many times."""
    return _timed(lambda: [done.result for done in execute(abs, range(items), workers=2)])


def training_step(quick: bool) -> float:
    """Seconds of a step of BassNet's tiny preset, all cores."""
    from importlib.util import module_from_spec, spec_from_file_location

    from tonedeaf.bassnet.config import preset

    torch.set_num_threads(available_cores())
    specification = spec_from_file_location("training_step", Path(__file__).with_name("training_step.py"))
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    step = module.steps(preset("tiny"), torch.device("cpu"))["tonedeaf"]
    step()
    return min(_timed(step) for _ in range(2 if quick else 10))


def measured(quick: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found: dict[str, Any] = {
            "growth": [
                growth("spectrogram", [500, 1000] if quick else [1000, 5000, 20_000, 100_000]),
                growth("mss", [64, 128] if quick else [1000, 2000, 4000]),
            ],
            "workers": workers(folder, 64 if quick else 1024),
        }
    found["trial_ms"] = costs_of_a_trial(quick)
    found["training_step_seconds"] = training_step(quick)
    return found


def record_of(found: dict[str, Any], seconds: float) -> Record:
    identity = DistanceIdentity(name="suite", class_name="tonedeaf", params={}, weights_sha256=None, packages={})
    task = TaskIdentity(name=KIND, version=1, params={"sweep": SWEEP})
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    return Record(
        kind=KIND,
        key=record_key(
            kind=KIND, distance=identity, task=task, seed=0, trials=None, weights=None, source_digest=digest
        ),
        distance=identity,
        task=task,
        seed=0,
        trials=None,
        status="ok",
        reason=None,
        metrics=found,
        artefacts=(),
        seconds=round(seconds, 1),
        peak_memory_mib=peak_memory_mib(),
        environment=environment("cpu"),
        revision=revision(),
        started=datetime.now(UTC),
    )


def page(record: Record) -> str:
    """``docs/scale.md``."""
    found, threads = record.metrics, record.environment.threads
    return "\n".join(
        [
            "# What a sweep costs",
            "",
            "Made by `python benchmarks/speed/scale.py` from the record in"
            " [results/published/scale](../results/published/scale); never typed. Measured on"
            f" {record.environment.platform}, {threads} threads, {record.started:%Y-%m-%d}; hours are those of one core"
            " of that machine.",
            "",
            *_growth_section(found),
            *_sweep_section(found, threads),
            *_workers_section(found),
        ]
    )


def _growth_section(found: Mapping[str, Any]) -> list[str]:
    lines = [
        "## How time and memory grow with the trials",
        "",
        "The rows of a distance are stations of one run.",
        "",
        "| distance | trials | seconds | peak memory, MiB |",
        "|---|--:|--:|--:|",
    ]
    for each in found["growth"]:
        lines += [
            f"| `{each['distance']}` | {row['trials']} | {row['seconds']:.1f} | {row['peak_memory_mib']:.0f} |"
            for row in each["rows"]
        ]
    lines.append("")
    for each in found["growth"]:
        lines.append(
            f"- `{each['distance']}`: {each['ms_per_trial']:.2f} ms a trial on all cores. The slopes between"
            f" neighbouring rows are within {100 * each['slopes_within']:.0f} % of that; memory grows by"
            f" {each['memory_grows_mib']:.0f} MiB."
        )
    return [*lines, ""]


def _sweep_section(found: Mapping[str, Any], threads: int) -> list[str]:
    of_distance = {name: statistics.mean(of_task.values()) for name, of_task in found["trial_ms"].items()}
    ordered = sorted(of_distance.values())
    tenth = max(1, len(ordered) // 10)
    costs = {
        "every distance like the mean": statistics.mean(ordered),
        "… like the mean without the dearest tenth": statistics.mean(ordered[:-tenth]),
        "… like the median": statistics.median(ordered),
    }
    trials = _trials()
    rows = {what: trials * ms / 1e3 / 3600 for what, ms in costs.items()}
    arms = SWEEP["arms"] * STEPS_OF_AN_ARM * found["training_step_seconds"] * threads / 3600
    rows[f"{SWEEP['arms']} training arms (tiny preset, {STEPS_OF_AN_ARM} steps)"] = arms
    dearest = sorted(of_distance.items(), key=lambda each: -each[1])[:tenth]
    of_dearest = sum(ms for _, ms in dearest) / sum(ordered)
    efficiency = _efficiency(found)
    return [
        "## The sweep",
        "",
        f"{SWEEP['distances']} distances × {SWEEP['tasks']} tasks × {SWEEP['trials']} trials × {SWEEP['seeds']} seeds:"
        f" {trials:.0e} trials. One, with all its columns, costs on one core, over {len(ordered)} distances and the"
        f" tasks {', '.join(TASKS)}: " + ", ".join(f"{ms:.1f} ms ({what})" for what, ms in costs.items()) + ".",
        "",
        "| | core hours | days on 16 cores | days on 256 cores |",
        "|---|--:|--:|--:|",
        *(
            f"| {what} | {hours:,.0f} | {hours / 24 / 16 / efficiency:,.1f} | {hours / 24 / 256 / efficiency:,.2f} |"
            for what, hours in rows.items()
        ),
        "",
        f"The time goes to the rankings, {100 * of_dearest:.0f} % of it to the dearest tenth of the distances: "
        + ", ".join(f"`{name}` ({ms:.0f} ms)" for name, ms in dearest)
        + f". 1000 trials already give intervals of ±0.03, {SWEEP['trials']} of ±0.003, for a hundred times as much.",
        "",
    ]


def _workers_section(found: Mapping[str, Any]) -> list[str]:
    work, efficiency = found["workers"], _efficiency(found)
    shares = _trials() / BLOCK
    seconds_each = statistics.mean(statistics.mean(of_task.values()) for of_task in found["trial_ms"].values()) / 1e3
    most = BLOCK * seconds_each / efficiency / (work["share_ms"] / 1e3)
    return [
        "## How many workers are worth it",
        "",
        "| the same three rankings | seconds | start alone |",
        "|---|--:|--:|",
        f"| one process, one thread | {work['one']:.1f} | {work['start_one']:.1f} |",
        f"| one process, all threads | {work['threads']:.1f} | {work['start_one']:.1f} |",
        f"| two workers, one thread each | {work['two']:.1f} | {work['start_two']:.1f} |",
        "",
        f"Efficiency of two workers, the start aside: {efficiency:.2f}. Shares of {BLOCK} trials are independent of"
        f" each other; what is serial is the start and the handing out of shares, {work['share_ms']:.2f} ms each. So W"
        " core seconds of work in S shares take N workers",
        "",
        f"    T(N) = {work['start_two']:.0f} s + max( W / ({efficiency:.2f} · N), {work['share_ms'] / 1e3:.5f} s · S )",
        "",
        f"The sweep has {shares:.1e} shares of {BLOCK * seconds_each:.1f} s in the mean, so one first process keeps up"
        f" to {most:,.0f} workers busy; beyond, a command for each seed, into one folder. A small job is worth few:"
        f" they pay off from some {work['start_two']:.0f} core seconds a worker on."
        " Measured with 2 workers on one machine; a cluster's network is not in it.",
        "",
    ]


def _trials() -> int:
    return SWEEP["distances"] * SWEEP["tasks"] * SWEEP["trials"] * SWEEP["seeds"]


def _efficiency(found: Mapping[str, Any]) -> float:
    """Of two workers: one's time over twice theirs, the start aside."""
    work = found["workers"]
    return (work["one"] - work["start_one"]) / (2 * (work["two"] - work["start_two"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look: few trials, few distances")
    parser.add_argument("--out", type=Path, default=None, help="folder of the page and the record; theirs by default")
    options = parser.parse_args()
    start = time.perf_counter()
    found = measured(options.quick)
    torch.set_num_threads(available_cores())
    record = record_of(found, time.perf_counter() - start)
    records = (options.out or ROOT / "results" / "published") / KIND
    for old in records.glob(f"{KIND}-*.json"):
        old.unlink()
    RecordStore(records).write(record)
    ((options.out or ROOT / "docs") / "scale.md").write_text(page(record), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
