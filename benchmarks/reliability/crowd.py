"""Many ``tonedeaf rank`` at once into one folder: is any record lost, double or torn?

``python benchmarks/reliability/crowd.py --processes 24``: every process ranks all the distances, each in another order,
so that they meet at the same records at different times. Prints one JSON object of counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tonedeaf.results import RecordStore

DISTANCES = ("mss", "spectrogram", "l1_waveform", "l2_waveform", "snr", "si_sdr", "log_cosh", "esr")
TIME_AND_PLACE = {"seconds", "peak_memory_mib", "started", "environment", "revision"}


def command(distances: tuple[str, ...], trials: int, folder: Path) -> list[str]:
    quick = ["--trials", str(trials), "--duration", "0.06", "--memory", "128MiB"]
    program = "from tonedeaf.harnesses.cli import main; main()"
    return [sys.executable, "-c", program, "rank", *distances, *quick, "--out", str(folder), "--json"]


def documents(folder: Path) -> dict[str, Any]:
    """Key to what a record says, but for time and place; the trials are in it by their digest."""
    found: dict[str, Any] = {}
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        found[document["key"]] = {name: value for name, value in document.items() if name not in TIME_AND_PLACE}
    return found


def crowd(processes: int, trials: int, folder: Path) -> dict[str, Any]:
    subprocess.run(command(DISTANCES, trials, folder / "alone"), check=True, stdout=subprocess.DEVNULL)
    alone = documents(folder / "alone")
    together = folder / "together"
    start = time.perf_counter()
    started = [
        subprocess.Popen(
            command(DISTANCES[number % len(DISTANCES) :] + DISTANCES[: number % len(DISTANCES)], trials, together),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    printed = [process.communicate() for process in started]
    seconds = time.perf_counter() - start
    store = RecordStore(together)
    records = store.read_all()  # raises if one is torn
    torn = 0
    for record in records:
        try:
            store.trials(record)
        except ValueError:
            torn += 1
    found = documents(together)
    # what each process printed is what the folder holds
    differing = sum(
        json.loads(out) != [json.loads(store.path(record).read_text()) for record in _in_order(records, out)]
        for out, _ in printed
    )
    return {
        "processes": processes,
        "lost_answers": sum(len(DISTANCES) - len(json.loads(out or "[]")) for out, _ in printed),
        "processes_failed": sum(
            process.returncode != 0 or bool(err) for process, (_, err) in zip(started, printed, strict=True)
        ),
        "tried": processes * len(DISTANCES),
        "records": len(alone),
        "survived": sum(found.get(key) == document for key, document in alone.items()),
        "lost": len(alone.keys() - found.keys()),
        "double": len(records) - len(found) + len(found.keys() - alone.keys()),
        "torn": torn + differing,
        "temporary_files": len(list(together.rglob(".*.tmp"))),
        "seconds": round(seconds, 1),
    }


def _in_order(records: list[Any], printed: str) -> list[Any]:
    of_key = {record.key: record for record in records}
    return [of_key[each["key"]] for each in json.loads(printed)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=24)
    parser.add_argument("--trials", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(crowd(options.processes, options.trials, Path(temporary))))
