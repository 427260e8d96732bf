"""Canonical JSON: one text for one value, whatever the order of its keys.

A record and its key consist of plain JSON values: ``None``, ``bool``, ``int``, finite ``float``, ``str``, and lists,
tuples and dicts (with text keys) of these. Nothing else is accepted, so that nothing is written that a reader would
understand otherwise: NumPy and torch scalars are refused rather than guessed at, and NaN, which JSON cannot say, too.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import cast

_LARGEST_EXACT = 2.0**53
"""Beyond it a float stands for several integers."""


def check_json(value: object, where: str = "value") -> None:
    """Refuse what JSON cannot hold.

    Args:
        value: what shall be written.
        where: how an error calls it, as in ``metrics.pitch_analytic``.

    Raises:
        ValueError: if the value, or one inside it, is not a plain JSON value or not finite.
    """
    if value is None or type(value) in (bool, int, str):
        return
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}; a record holds finite numbers only (use null for a missing one)")
    elif isinstance(value, dict):
        for name, item in cast("dict[object, object]", value).items():
            if type(name) is not str:
                raise ValueError(f"{where} has the key {name!r} of type {type(name).__name__}; keys are text")
            check_json(item, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(cast("Sequence[object]", value)):
            check_json(item, f"{where}[{position}]")
    else:
        kind = type(value)
        raise ValueError(f"{where} is a {kind.__module__}.{kind.__qualname__}; a record holds plain JSON values only")


def canonical_json(value: object) -> bytes:
    """The canonical text of a JSON value, in UTF-8: sorted keys, no spaces, no NaN.

    Numbers that are equal have one text (``2``, ``2.0``), as in RFC 8785; ``true`` and ``1`` stay different, and so do
    ``1`` and ``"1"``. Tuples are lists.

    Raises:
        ValueError: as :func:`check_json`.

    Example:
        >>> canonical_json({"n_fft": 2048.0, "center": True})
        b'{"center":true,"n_fft":2048}'
    """
    check_json(value)
    text = json.dumps(_one_form(value), sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def canonical_digest(value: object) -> str:
    """The SHA-256 of :func:`canonical_json`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _one_form(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT:
        return int(value)
    if isinstance(value, dict):
        return {name: _one_form(item) for name, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_one_form(item) for item in cast("Sequence[object]", value)]
    return value
