"""A record: what one run of a harness found, and everything it takes to find it again.

A record is an immutable JSON document. Its ``key`` is the digest of the question that was asked (:func:`record_key`);
records of one key hold one answer. Its document is in :mod:`.record_document`.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec

from .canonical import canonical_digest, check_json

SCHEMA = 1
"""The version of the document that this module reads and writes."""

Status = Literal["ok", "unavailable", "failed", "skipped"]
"""``unavailable``: it cannot run here; ``skipped``: it was not asked (the question makes no sense for it)."""


class RecordError(ValueError):
    """A record that cannot be read; the message names the file and says what is wrong with it."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Immutable, constructed with keywords, strict when read."""


class DistanceIdentity(_Part, frozen=True, kw_only=True, rename={"class_name": "class"}):
    """Which distance was asked.

    Attributes:
        name: its name or term, as in ``log_mss``.
        class_name: ``module:Class`` (``class`` in the document).
        params: every parameter, the defaults included.
        weights_sha256: the digest of its pretrained weights; None if it has none.
        packages: version of each package that takes part in its numbers.
    """

    name: str
    class_name: str
    params: Mapping[str, Any]
    weights_sha256: str | None
    packages: Mapping[str, str]


class TaskIdentity(_Part, frozen=True, kw_only=True):
    """What was asked: the task's name, the version of its definition and every parameter."""

    name: str
    version: int
    params: Mapping[str, Any]


class Artefact(_Part, frozen=True, kw_only=True):
    """A file that belongs to a record: ``path`` is relative to the store's folder, with ``/`` on every system."""

    name: str
    path: str
    sha256: str


class Environment(_Part, frozen=True, kw_only=True):
    """Where it ran: versions, device, number of threads, platform."""

    python: str
    torch: str
    device: str
    threads: int
    platform: str


class Revision(_Part, frozen=True, kw_only=True):
    """Which code ran: the commit (None outside a checkout) and whether the checkout differed from it."""

    commit: str | None
    dirty: bool


class Record(_Part, frozen=True, kw_only=True):
    """One answer of one harness. Every field is required; :data:`SCHEMA` is filled in.

    Attributes:
        schema: version of the document.
        kind: which harness, as in ``ranking``: lower-case letters, digits and underscores.
        key: :func:`record_key` of the question.
        distance: which distance was asked.
        task: what it was asked.
        seed: of the random numbers.
        trials: how many; None for a kind that has none.
        status: whether there is an answer.
        reason: why not; required unless ``status`` is ``ok``.
        metrics: the answer; plain JSON values.
        artefacts: the files that belong to it.
        seconds: wall-clock time it took, in seconds.
        peak_memory_mib: the largest resident memory of the process so far, in MiB; None where unknown.
        environment: where it ran.
        revision: which code ran.
        started: when, in UTC.

    Raises:
        ValueError: on construction, if a value is one that a record may not hold.
    """

    schema: int = SCHEMA
    kind: str
    key: str
    distance: DistanceIdentity
    task: TaskIdentity
    seed: int
    trials: int | None
    status: Status
    reason: str | None
    metrics: Mapping[str, Any]
    artefacts: tuple[Artefact, ...]
    seconds: float
    peak_memory_mib: float | None
    environment: Environment
    revision: Revision
    started: datetime

    def __post_init__(self) -> None:
        check_record(self)


def check_record(record: Record) -> None:
    """Refuse a record that contradicts the contract.

    Raises:
        ValueError: naming the field, its value and what is allowed.
    """
    if record.schema != SCHEMA:
        raise ValueError(f"schema {record.schema} is unknown; this version reads and writes schema {SCHEMA}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", record.kind):
        raise ValueError(f"kind must be lower-case letters, digits and underscores, got {record.kind!r}")
    check_key(record.key)
    if not record.distance.name or not record.task.name:
        raise ValueError("distance.name and task.name must not be empty")
    if record.trials is not None and record.trials < 0:
        raise ValueError(f"trials must not be negative, got {record.trials}")
    if record.status != "ok" and not record.reason:
        raise ValueError(f"a record whose status is {record.status!r} needs a reason")
    for name, number in (("seconds", record.seconds), ("peak_memory_mib", record.peak_memory_mib)):
        if number is not None and not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} must be finite and not negative, got {number}")
    if record.started.utcoffset() != timedelta(0):
        raise ValueError(f"started must be in UTC, got {record.started.isoformat()}")
    check_json(record.distance.params, "distance.params")
    check_json(record.distance.packages, "distance.packages")
    check_json(record.task.params, "task.params")
    check_json(record.metrics, "metrics")
    for artefact in record.artefacts:
        path = PurePosixPath(artefact.path)
        if path.is_absolute() or ".." in path.parts or "\\" in artefact.path or not path.name:
            raise ValueError(f"an artefact's path must be relative to the store's folder, got {artefact.path!r}")


def check_key(key: str) -> None:
    """Refuse what is not 64 lower-case hexadecimal digits.

    Raises:
        ValueError: with the offending value.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        raise ValueError(f"a record's key is 64 lower-case hexadecimal digits, got {key!r}")


def record_key(
    *,
    kind: str,
    distance: DistanceIdentity,
    task: TaskIdentity,
    seed: int,
    trials: int | None,
    weights: str | None,
    source_digest: str,
) -> str:
    """The key of a question: SHA-256 of the canonical JSON of all that decides the answer.

    Where, when and beside which package versions it ran is recorded, but is no part of the question.

    Args:
        kind: which harness.
        distance: of which name, class and parameters enter.
        task: of which name, version and parameters enter.
        seed: of the random numbers.
        trials: how many; None for a kind that has none.
        weights: digest of the pretrained weights; None without.
        source_digest: digest of the source of the distance's and the task's modules.

    Returns:
        64 hexadecimal digits; the same for the same question, whatever the order of its parameters.

    Raises:
        ValueError: if a parameter is not a plain JSON value.
    """
    return canonical_digest(
        {
            "kind": kind,
            "distance": {"name": distance.name, "class": distance.class_name, "params": distance.params},
            "task": {"name": task.name, "version": task.version, "params": task.params},
            "seed": seed,
            "trials": trials,
            "weights": weights,
            "source_digest": source_digest,
        }
    )
