"""The text by which a distance is named, and what it means in full.

::

    text  = term { "+" term }
    term  = [ weight "*" ] name [ "[" key "=" value { ";" key "=" value } "]" ]
    name  = a registered name | package.module:Class | path/file.py:Class | hear:package.module | hear:path/file.py

as in ``0.5*log_mss + 0.1*log_spectral_transport[n_fft=4096]``. A value that is a list is written with commas:
``mss[n_ffts=2048,512,128]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_PLUS_OF_EXPONENT = re.compile(r"\d[eE]$")
_WEIGHT = re.compile(r"^\s*(?P<weight>[^*\[\]:/\\]*?)\s*\*\s*(?P<rest>.*)$", re.DOTALL)
_TERM = re.compile(r"^(?P<name>[^\[\]]+?)\s*(?:\[(?P<parameters>[^\[\]]*)\])?$", re.DOTALL)


@dataclass(frozen=True)
class Term:
    """One named part of a text, as it was written."""

    weight: float
    name: str
    parameters: dict[str, str]
    """Parameter names and their values as text."""


@dataclass(frozen=True)
class Specification:
    """A distance in full: enough to make it again, and to tell it from every other.

    Attributes:
        name: the name, with the parameters that were given: ``mss[padding=reflect]``.
        target: ``module:Class``.
        parameters: every parameter of the constructor and its value, defaults and ``sample_rate`` included.
    """

    name: str
    target: str
    parameters: dict[str, Any]


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a text.

    Raises:
        ValueError: if the text does not follow the grammar; the message quotes the part that does not.
    """
    return tuple(_parse_term(part) for part in _split_sum(text))


def _split_sum(text: str) -> list[str]:
    parts, depth, start = list[str](), 0, 0
    for position, character in enumerate(text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        is_sum = character == "+" and depth == 0
        if is_sum and not _PLUS_OF_EXPONENT.search(text[start:position]):
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _parse_term(text: str) -> Term:
    weight, rest = 1.0, text.strip()
    if found := _WEIGHT.match(rest):
        try:
            weight = float(found["weight"])
        except ValueError:
            raise ValueError(f"the weight in {text.strip()!r} is not a number: {found['weight']!r}") from None
        if not 0 < weight < float("inf"):
            raise ValueError(f"the weight in {text.strip()!r} must be positive and finite")
        rest = found["rest"].strip()
    parsed = _TERM.match(rest)
    if not parsed:
        raise ValueError(f"{text.strip()!r} is not a distance: write name, or name[key=value;key=value]")
    parameters: dict[str, str] = {}
    for assignment in (parsed["parameters"] or "").split(";"):
        if not assignment.strip():
            continue
        key, equals, value = (part.strip() for part in assignment.partition("="))
        if not (key.isidentifier() and equals and value):
            raise ValueError(f"{assignment.strip()!r} in {text.strip()!r} is not key=value")
        if key in parameters:
            raise ValueError(f"{key!r} is given twice in {text.strip()!r}")
        parameters[key] = value
    return Term(weight, parsed["name"].strip(), parameters)


def format_term(name: str, parameters: dict[str, Any]) -> str:
    """The text of a term: the inverse of :func:`parse` for one term of weight 1."""
    if not parameters:
        return name
    return f"{name}[{';'.join(f'{key}={format_value(value)}' for key, value in parameters.items())}]"


def format_value(value: Any) -> str:
    """A parameter's value as it is written in a text."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(format_value(item) for item in value)
    return str(value)
