"""Every ordeal, and the page that counts what survived: ``make reliability`` writes ``docs/reliability.md``.

``python benchmarks/reliability/run.py``: 24 processes at once, 50 kills, a full disk, fuzzing. On a busy machine or for
a look, fewer: ``--processes 4 --kills 4 --examples 50 --out FOLDER``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tonedeaf.results import RecordStore
from tonedeaf.results.environment import environment, peak_memory_mib, revision
from tonedeaf.results.record import DistanceIdentity, Record, TaskIdentity, record_key

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KIND = "reliability"


def ordeal(name: str, *options: str) -> dict[str, Any]:
    """What a script of this folder counts."""
    start = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py"), *options], stdout=subprocess.PIPE, text=True, check=True
    )
    return {**json.loads(finished.stdout.splitlines()[-1]), "took": round(time.perf_counter() - start)}


def record_of(counts: dict[str, Any]) -> Record:
    identity = DistanceIdentity(name="suite", class_name="tonedeaf", params={}, weights_sha256=None, packages={})
    task = TaskIdentity(name=KIND, version=1, params={})
    digest = hashlib.sha256(json.dumps(counts).encode()).hexdigest()
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
        metrics=counts,
        artefacts=(),
        seconds=float(sum(each["took"] for each in counts.values())),
        peak_memory_mib=peak_memory_mib(),
        environment=environment("cpu"),
        revision=revision(),
        started=datetime.now(UTC),
    )


def page(record: Record) -> str:
    """``docs/reliability.md``."""
    crowd, kills, disk, fuzz = (record.metrics[name] for name in ("crowd", "kills", "disk", "fuzz"))
    lines = [
        "# What it survives",
        "",
        "Made by `make reliability` (`benchmarks/reliability/`), from the record in",
        "[results/published/reliability](../results/published/reliability); never typed.",
        f"{record.environment.platform}, {record.environment.threads} threads, {record.started:%Y-%m-%d}.",
        "",
        "| ordeal | tried | survived | lost |",
        "|---|--:|--:|--:|",
        f"| {crowd['processes']} `tonedeaf rank --memory 128MiB` at once into one folder: records asked for "
        f"| {crowd['tried']} | {crowd['tried'] - crowd['lost_answers']} | {crowd['lost_answers']} |",
        f"| … and records in the folder, against those of a process by itself "
        f"| {crowd['records']} | {crowd['survived']} | {crowd['lost']} |",
        f"| SIGKILL at a random moment: the store opens "
        f"| {kills['tried']} | {kills['survived']} | {kills['tried'] - kills['survived']} |",
        f"| … and after the same calls, undisturbed: records "
        f"| {kills['records']} | {kills['records'] - kills['lost']} | {kills['lost']} |",
    ]
    if "skipped" in disk:
        lines.append(f"| a full disk, a read-only folder | not tried: {disk['skipped']} | – | – |")
    else:
        full, read_only = disk["full"], disk["read_only"]
        lines += [
            f"| a full disk: records that were finished, whole | {full['survived']} | {full['survived']} "
            f"| {full['lost']} |",
            f"| … and all of them, once there is room | {full['tried']} | {full['with_more_room']} "
            f"| {full['tried'] - full['with_more_room']} |",
            f"| a folder that has become read-only: records, whole | {full['with_more_room']} "
            f"| {read_only['survived']} | {read_only['lost']} |",
        ]
    lines += [
        f"| damaged {name} | {each['tried']} | {each['read'] + each['refused']} | {each['lost']} |"
        for name, each in fuzz.items()
        if name != "took"
    ]
    equal = "is equal to" if kills["table_equals_undisturbed"] else "DIFFERS from"
    lines += [
        "",
        f"- **At once**: double records {crowd['double']}, torn ones {crowd['torn']}, temporary files left "
        f"{crowd['temporary_files']}, processes that failed {crowd['processes_failed']}. All ask for the same "
        f"{crowd['records']} records, each in another order; {crowd['seconds']:.0f} s.",
        f"- **Killed**: {kills['killed_before_the_end']} of {kills['tried']} before they had ended; torn records "
        f"{kills['torn']}, processes left behind {kills['orphans']}; the final table {equal} the undisturbed one. "
        "Every other run has two workers, one of which may be killed first.",
    ]
    if "skipped" not in disk:
        lines += [
            f"- **Full disk**: exit status {disk['full']['exit_status']}, `{disk['full']['message']}`.",
            f"- **Read-only**: exit status {disk['read_only']['exit_status']}, `{disk['read_only']['message']}`.",
        ]
    lines += [
        "- **Damaged**: an example is lost if its reader raises anything but the error that it promises, takes more",
        "  than 5 s, or runs code from the data; some checkpoints begin as pickles that would. The rest is refused in",
        "  one message, or read.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=24)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=None, help="folder of the page and the record; theirs by default")
    options = parser.parse_args()
    counts = {
        "fuzz": ordeal("fuzz", "--examples", str(options.examples)),
        "disk": ordeal("disk"),
        "crowd": ordeal("crowd", "--processes", str(options.processes)),
        "kills": ordeal("kills", "--kills", str(options.kills)),
    }
    record = record_of(counts)
    records = (options.out or ROOT / "results" / "published") / KIND
    for old in records.glob(f"{KIND}-*.json"):
        old.unlink()
    RecordStore(records).write(record)
    ((options.out or ROOT / "docs") / "reliability.md").write_text(page(record), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
