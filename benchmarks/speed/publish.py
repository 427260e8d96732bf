"""From what pytest-benchmark measured to the published record and page, and a check of the ratios against stored ones.

``python benchmarks/speed/publish.py MEASURED.json [--store]``: writes ``results/published/speed/`` and
``results/published/speed.md``; exit status 1 if a ratio has fallen far below the one in ``ratios.json``. ``--store``
makes this run's ratios the stored ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tonedeaf.results import RecordStore
from tonedeaf.results.environment import environment, peak_memory_mib, revision
from tonedeaf.results.record import DistanceIdentity, Record, TaskIdentity, record_key
from tonedeaf.results.speed import KIND, from_pytest_benchmark, ratios, regressions
from tonedeaf.results.speed_text import speed_markdown

HERE = Path(__file__).resolve().parent
PUBLISHED = HERE.parents[1] / "results" / "published"
STORED = HERE / "ratios.json"
PACKAGES = ("auraloss", "nnAudio", "numpy", "POT", "torch", "torchaudio")


def record_of(report: dict[str, object]) -> Record:
    """The record of a run of pytest-benchmark."""
    found = [each.as_metric() for each in from_pytest_benchmark(report)]
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    identity = DistanceIdentity(
        name="suite", class_name="tonedeaf", params={}, weights_sha256=None, packages=_versions()
    )
    task = TaskIdentity(name="speed", version=1, params={})
    return Record(
        kind=KIND,
        # what was asked is how long it took this time
        key=record_key(
            kind=KIND, distance=identity, task=task, seed=0, trials=None, weights=None, source_digest=digest
        ),
        distance=identity,
        task=task,
        seed=0,
        trials=None,
        status="ok",
        reason=None,
        metrics={"measurements": found},
        artefacts=(),
        seconds=sum(each["seconds"] for each in found),
        peak_memory_mib=peak_memory_mib(),
        environment=environment("cpu"),
        revision=revision(),
        started=datetime.now(UTC),
    )


def _versions() -> dict[str, str]:
    versions: dict[str, str] = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, help="what pytest --benchmark-json wrote")
    parser.add_argument("--store", action="store_true", help="make these ratios the stored ones")
    parser.add_argument("--out", type=Path, default=PUBLISHED, help="folder of speed.md and speed/")
    options = parser.parse_args()
    report = json.loads(options.measured.read_text(encoding="utf-8"))
    record = record_of(report)
    store = RecordStore(options.out / "speed")
    for old in store.folder.glob("speed-*.json"):
        old.unlink()  # the published page is about one run
    store.write(record)
    (options.out / "speed.md").write_text(speed_markdown(record), encoding="utf-8")
    now = ratios(from_pytest_benchmark(report))
    if options.store:
        STORED.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fallen = regressions(now, json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {})
    for line in fallen:
        print(f"slower than it was: {line}", file=sys.stderr)
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
