"""SIGKILL at random moments: does the store always open, and does it end as that of an undisturbed run?

``python benchmarks/reliability/kills.py --kills 50``: each ``tonedeaf rank`` is killed at a random moment of its life;
every other one has two workers, one of which may be killed before. Then the folder is opened. In the end the same
calls, undisturbed, compute what is missing. Prints one JSON object of counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tonedeaf.harnesses.rank_run import RankOptions, rank_suite
from tonedeaf.harnesses.suites import HOUSE_MODE
from tonedeaf.results import RecordStore

DISTANCES = ("spectrogram", "l1_waveform", "snr", "log_cosh", "esr", "si_sdr")
DURATION = 0.06
SCRIPT = """
import sys
from tonedeaf.harnesses.cli import run_command
if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:]))
"""


def called(script: Path, folder: Path, *, seed: int, trials: int, workers: int) -> subprocess.Popen[bytes]:
    arguments = ["rank", *DISTANCES, "--trials", str(trials), "--seed", str(seed), "--duration", str(DURATION)]
    return subprocess.Popen(
        [sys.executable, str(script), *arguments, "--workers", str(workers), "--out", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def members(session: int) -> list[int]:
    """The processes of a session."""
    found: list[int] = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                fields = (each / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(each.name))
    return found


def undisturbed(folder: Path, *, seeds: int, trials: int) -> None:
    for seed in range(seeds):
        rank_suite(
            RankOptions(distances=DISTANCES, trials=trials, seed=seed, duration=DURATION, out=folder), HOUSE_MODE
        )


def table(folder: Path) -> list[dict[str, Any]]:
    rows = RecordStore(folder).table().drop("seconds").to_dicts()
    return sorted(rows, key=lambda row: (row["key"], row["metric"]))


def kills(count: int, trials: int, folder: Path) -> dict[str, Any]:
    script = folder / "call.py"
    script.write_text(SCRIPT)
    moments = random.Random(0)
    whole = {workers: _duration(script, folder / f"timed{workers}", trials, workers) for workers in (1, 2)}
    store = RecordStore(folder / "killed")
    store.check_writable()
    opened = torn = orphans = killed_before_the_end = present = 0
    for seed in range(count):
        workers = 1 + seed % 2
        process = called(script, store.folder, seed=seed, trials=trials, workers=workers)
        time.sleep(moments.uniform(0.3, 1.0) * whole[workers])
        if workers == 2 and moments.random() < 0.5:
            others = [pid for pid in members(process.pid) if pid != process.pid]
            if others:
                _kill(moments.choice(others))  # a worker first: it is replaced
                time.sleep(moments.uniform(0, 0.5))
        killed_before_the_end += process.poll() is None
        _kill(process.pid)
        process.wait()
        try:
            records = store.read_all()
            opened += 1
        except ValueError:
            continue
        for record in records:
            try:
                store.trials(record)
            except ValueError:
                torn += 1
        present = len(records)
        deadline = time.monotonic() + 20
        while members(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        orphans += len(members(process.pid))
    undisturbed(store.folder, seeds=count, trials=trials)
    undisturbed(folder / "undisturbed", seeds=count, trials=trials)
    after, never = table(store.folder), table(folder / "undisturbed")
    return {
        "tried": count,
        "killed_before_the_end": killed_before_the_end,
        "survived": opened,
        "torn": torn,
        "orphans": orphans,
        "records_when_last_killed": present,
        "records": len({row["key"] for row in never}),
        "lost": len({row["key"] for row in never} - {row["key"] for row in after}),
        "table_equals_undisturbed": after == never,
    }


def _duration(script: Path, folder: Path, trials: int, workers: int) -> float:
    start = time.perf_counter()
    called(script, folder, seed=0, trials=trials, workers=workers).wait()
    return time.perf_counter() - start


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--trials", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(kills(options.kills, options.trials, Path(temporary))))
