"""Fields of BassNet's configuration, as a command line sets them: ``model.window=40``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..bassnet.config import BassNetConfig


def with_fields(config: BassNetConfig, said: Iterable[str]) -> BassNetConfig:
    """A configuration with some fields set, the later before the earlier.

    Args:
        config: what is not said.
        said: ``GROUP.FIELD=VALUE`` each; the value as in JSON (``40``, ``0.003``, ``true``, ``null``), or a name
            (``minmax``).

    Raises:
        ValueError: if a text is none of that kind, there is no such field, or the value cannot be.
    """
    document = config.to_json()
    for text in said:
        group, field, value = _parted(text)
        if group not in document:
            raise ValueError(f"unknown group {group!r} in {text!r}; there are {', '.join(document)}")
        document[group][field] = value
    return BassNetConfig.from_json(document)


def check_set(config: BassNetConfig, said: Iterable[str]) -> None:
    """Refuse fields that have been set and then been decided by something else.

    Args:
        config: of the training.
        said: as for :func:`with_fields`.

    Raises:
        ValueError: naming the first such field.
    """
    if (wanted := with_fields(config, said)) == config:
        return
    there, here = wanted.to_json(), config.to_json()
    group, field = next((g, f) for g in here for f in here[g] if here[g][f] != there[g][f])
    raise ValueError(
        f"{group}.{field} cannot be set to {there[group][field]!r}: the loss, its condition or another option makes it "
        f"{here[group][field]!r}"
    )


def _parted(text: str) -> tuple[str, str, Any]:
    """Group, field and value."""
    name, equals, value = text.partition("=")
    group, dot, field = name.strip().partition(".")
    if not (equals and dot):
        raise ValueError(f"a field is set by GROUP.FIELD=VALUE, as in model.window=40, got {text!r}")
    return group, field, _plain(value.strip())


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
