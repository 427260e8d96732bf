"""Which distance a record is about: its name, parameters, weights and packages, and the sources behind its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..losses import AudioDistance
from ..losses.neural import NeuralDistance
from ..results.record import DistanceIdentity
from .sources import package_versions, source_digest


def identify(text: str, distance: AudioDistance | None, others: Sequence[type[Any]]) -> tuple[DistanceIdentity, str]:
    """A distance's identity for a record, and the digest of all sources that decide its numbers.

    Args:
        text: what it was asked for by.
        distance: made by :func:`tonedeaf.make`; None if it is not available here.
        others: classes that decide the numbers beside the distance's own: the task's.
    """
    if distance is None:
        nothing = DistanceIdentity(name=text, class_name="unavailable", params={}, weights_sha256=None, packages={})
        return nothing, source_digest(others)
    assert distance.specification is not None
    specification = distance.specification
    parts = [module for module in distance.modules() if isinstance(module, AudioDistance)]
    ordered = sorted({type(part) for part in parts}, key=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
    neural = [part for part in parts if isinstance(part, NeuralDistance)]
    identity = DistanceIdentity(
        name=specification.name,
        class_name=specification.target,
        params=plain(specification.parameters),
        weights_sha256=_weights_digest([part.weights_sha256 for part in neural]),
        packages=package_versions(ordered, [name for part in neural for name in part.packages]),
    )
    return identity, source_digest([*ordered, *others])


def _weights_digest(digests: Sequence[str]) -> str | None:
    """The digest of a distance's weights: the only one, or that of its terms' digests in their order."""
    if len(set(digests)) <= 1:
        return digests[0] if digests else None
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()


def plain(value: Any) -> Any:
    """The value as JSON says it: tuples are lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
