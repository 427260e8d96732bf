"""The ordeals of benchmarks/reliability, at modest sizes; ``make reliability`` runs them in full."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ORDEALS = Path(__file__).parents[2] / "benchmarks" / "reliability"


def _ordeal(name: str, *options: str) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, str(ORDEALS / f"{name}.py"), *options], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(finished.stdout.splitlines()[-1])


def test_damaged_files_are_refused_or_read():
    counts = _ordeal("fuzz", "--examples", "40")
    assert len(counts) >= 15
    assert {name: each["reasons"] for name, each in counts.items() if each["lost"]} == {}
    assert all(each["tried"] == each["read"] + each["refused"] >= 40 for each in counts.values())


@pytest.mark.slow
def test_a_crowd_writes_what_one_writes():
    counts = _ordeal("crowd", "--processes", "6", "--trials", "64")
    assert counts["survived"] == counts["records"] == 8
    bad = ("lost", "lost_answers", "double", "torn", "temporary_files", "processes_failed")
    assert {name: counts[name] for name in bad} == dict.fromkeys(bad, 0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_killed_runs_lose_nothing():
    counts = _ordeal("kills", "--kills", "6")
    assert counts["survived"] == counts["tried"] == 6
    assert (counts["torn"], counts["orphans"], counts["lost"]) == (0, 0, 0)
    assert counts["table_equals_undisturbed"]


@pytest.mark.slow
def test_a_full_disk_and_a_read_only_folder_are_said():
    counts = _ordeal("disk")
    if "skipped" in counts:
        pytest.skip(counts["skipped"])
    full, read_only = counts["full"], counts["read_only"]
    assert (full["exit_status"], full["lines"], full["exit_status_then"]) == (1, 1, 0)
    assert full["message"].startswith("error: No space left on device: …/disk/runs/")
    assert 0 < full["survived"] < full["tried"] == full["with_more_room"]
    assert (read_only["exit_status"], read_only["lines"], read_only["lost"]) == (2, 1, 0)
    assert "cannot write records to the folder …/disk/runs: Read-only file system" in read_only["message"]
