"""A full disk and a folder that cannot be written: one clear line, and what was finished stays whole.

``python benchmarks/reliability/disk.py``: needs Linux and the right to mount a small tmpfs (root, or ``unshare -rm``);
says why not otherwise. Prints one JSON object of counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tonedeaf.results import RecordStore

DISTANCES = ("l1_waveform", "l2_waveform", "snr", "log_cosh", "esr", "si_sdr", "spectrogram")
INSIDE = "TONEDEAF_DISK_INSIDE"


def rank(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    program = "from tonedeaf.harnesses.cli import main; main()"
    quick = ["--trials", "4000", "--duration", "0.05", "--out", str(folder), *more]
    return subprocess.run(
        [sys.executable, "-c", program, "rank", *DISTANCES, *quick], capture_output=True, text=True, check=False
    )


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, capture_output=True)


def whole(folder: Path) -> int:
    """How many records there are, each with its trials; raises if one is torn."""
    store = RecordStore(folder)
    records = store.read_all()
    for record in records:
        store.trials(record)
    return len(records)


def measured(folder: Path) -> dict[str, Any]:
    """In a mount namespace, or as root."""
    disk = folder / "disk"
    disk.mkdir()
    mount(disk, "size=900k")
    try:
        full = rank(disk / "runs")
        kept = whole(disk / "runs")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        again = rank(disk / "runs")
        in_the_end = whole(disk / "runs")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        read_only = rank(disk / "runs", "--seed", "1")
        untouched = whole(disk / "runs")
    finally:
        subprocess.run(["umount", str(disk)], check=False)
    return {
        "full": {
            "tried": len(DISTANCES),
            "survived": kept,
            "lost": 0,
            "exit_status": full.returncode,
            "message": _without(full.stderr, folder),
            "lines": full.stderr.count("\n"),
            "with_more_room": in_the_end,
            "exit_status_then": again.returncode,
        },
        "read_only": {
            "tried": 1,
            "survived": untouched,
            "lost": in_the_end - untouched,
            "exit_status": read_only.returncode,
            "message": _without(read_only.stderr, folder),
            "lines": read_only.stderr.count("\n"),
        },
    }


def _without(text: str, folder: Path) -> str:
    return text.strip().replace(str(folder), "…")


def main() -> dict[str, Any]:
    if sys.platform != "linux":
        return {"skipped": "needs Linux"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if os.environ.get(INSIDE) or os.geteuid() == 0:
            try:
                return measured(folder)
            except subprocess.CalledProcessError as error:
                return {"skipped": f"cannot mount a tmpfs: {error.stderr or error}"}
        if shutil.which("unshare") is None:
            return {"skipped": "needs root, or unshare, to mount a tmpfs"}
        inside = subprocess.run(
            ["unshare", "-rm", sys.executable, __file__],
            env={**os.environ, INSIDE: "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(inside.stdout) if inside.returncode == 0 else {"skipped": inside.stderr.strip()}


if __name__ == "__main__":
    print(json.dumps(main()))
