"""How time and memory grow with the trials of one ranking: ``python benchmarks/speed/growth.py mss 1000 2000 4000``.

Prints one JSON array with a row for each number: seconds since the ranking began, and the largest memory that the
process has held (0 where that cannot be read), when so many trials were done. All rows are of one run, so that a
machine which is slower at one hour than at another does not look like a curve. For a process of its own: memory that
was ever held counts.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings

from tonedeaf.harnesses.cells import prepare
from tonedeaf.harnesses.ranking import rank
from tonedeaf.harnesses.resources import AUTO, opened
from tonedeaf.harnesses.suites import HOUSE_MODE
from tonedeaf.results.environment import peak_memory_mib


def growth(name: str, counts: list[int]) -> list[dict[str, float]]:
    """See above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cell = prepare(
            name,
            "sines",
            seed=0,
            trials=max(counts),
            sample_rate=44100,
            duration=None,
            task_preset=HOUSE_MODE.task,
            distance_preset=HOUSE_MODE.distance,
            skip=False,
        )
    assert cell.distance is not None
    rows: list[dict[str, float]] = []
    left = sorted(counts)
    done = 0

    def progress(trials: int) -> None:
        nonlocal done
        done += trials
        while left and done >= left[0]:
            seconds = time.perf_counter() - began
            rows.append({"trials": done, "seconds": seconds, "peak_memory_mib": peak_memory_mib() or 0.0})
            left.pop(0)

    with opened("cpu", AUTO) as resources:
        began = time.perf_counter()
        rank(
            cell.distance,
            cell.task,
            seed=0,
            trials=max(counts),
            memory=resources.memory,
            device=resources.device,
            executor=resources.executor,
            progress=progress,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("distance")
    parser.add_argument("trials", type=int, nargs="+")
    options = parser.parse_args()
    print(json.dumps(growth(options.distance, options.trials)))


if __name__ == "__main__":
    main()
