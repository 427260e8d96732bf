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
        name, equals, value = text.partition("=")
        group, dot, field = name.strip().partition(".")
        if not (equals and dot):
            raise ValueError(f"a field is set by GROUP.FIELD=VALUE, as in model.window=40, got {text!r}")
        if group not in document:
            raise ValueError(f"unknown group {group!r} in {text!r}; there are {', '.join(document)}")
        document[group][field] = _plain(value.strip())
    return BassNetConfig.from_json(document)


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
