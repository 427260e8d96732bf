"""Records to test with."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tonedeaf.results import (
    DistanceIdentity,
    Environment,
    Proportion,
    Record,
    Revision,
    Status,
    TaskIdentity,
    record_key,
)
from tonedeaf.results.published_values import RANKING_COLUMNS

# Each of the processes that test at once compiles librosa's kernels for itself: in a fresh environment they crash when
# they fill one cache together.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[1] / ".pytest_cache" / "numba" / _WORKER)


def build_record(
    *,
    distance: str = "log_mss",
    accuracies: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    seed: int = 0,
    trials: int = 1000,
    status: Status = "ok",
    task: str = "sines",
    task_params: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    kind: str = "ranking",
) -> Record:
    identity = DistanceIdentity(
        name=distance,
        class_name="tonedeaf.losses.stft:LogMss",
        params={"n_ffts": [2048, 64], "padding": "valid", "epsilon": 1e-4},
        weights_sha256=None,
        packages={"torch": "2.13.0"},
    )
    asked = TaskIdentity(name=task, version=1, params=task_params or {"duration": 0.5})
    found = {
        column: Proportion.of(round(accuracy * trials), trials).as_metric()
        for column, accuracy in zip(RANKING_COLUMNS, accuracies, strict=True)
    }
    return Record(
        kind=kind,
        key=record_key(
            kind=kind, distance=identity, task=asked, seed=seed, trials=trials, weights=None, source_digest="ab" * 32
        ),
        distance=identity,
        task=asked,
        seed=seed,
        trials=trials,
        status=status,
        reason=None if status == "ok" else "out of memory",
        metrics=(found if status == "ok" else {}) if metrics is None else metrics,
        artefacts=(),
        seconds=1.25,
        peak_memory_mib=512.0,
        environment=Environment(python="3.11.2", torch="2.13.0", device="cpu", threads=2, platform="Linux"),
        revision=Revision(commit="c" * 40, dirty=False),
        started=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    return build_record


def build_evaluation(
    distance: str,
    seed: int,
    *,
    pitch: float = 0.5,
    condition: str = "audio-only",
    path: str = "marginal",
    version: int = 1,
    **more: Any,
) -> Record:
    """A record of kind ``evaluation``: one trained model."""
    record = build_record(
        distance=distance,
        seed=seed,
        kind="evaluation",
        task="bassnet",
        task_params={"dataset": "A1", "preset": "tiny", "path": path, "condition": condition},
        metrics={
            "raw_pitch_accuracy": pitch,
            "raw_chroma_accuracy": min(1.0, pitch + 0.1),
            "median_cents": 100 * (1 - pitch),
            "octave_errors": 0.3 * (1 - pitch),
            "harmonic_db": 6.0 - pitch,
            "f0_cross_entropy": 3 * (1 - pitch),
        },
        **more,
    )
    return msgspec.structs.replace(record, task=msgspec.structs.replace(record.task, version=version))


@pytest.fixture(scope="session")
def make_evaluation() -> Callable[..., Record]:
    return build_evaluation
