"""A record as a JSON document: how it is written, and how strictly it is read.

An unknown schema, a missing or an unknown field, a damaged document or a number that is not finite is a
:class:`.RecordError` that names the file, never a guess.
"""

import json
from pathlib import Path

import msgspec

from .record import SCHEMA, Record, RecordError


def encode_record(record: Record) -> bytes:
    """The document of a record: UTF-8 JSON, indented, sorted keys, ends with a newline; equal records, equal bytes.

    Raises:
        ValueError: if a field's value is not of its declared type, or not one that a record may hold.
    """
    # Checked again: a mapping inside a frozen record can have been changed, and a type is not checked on construction.
    checked = msgspec.convert(msgspec.to_builtins(record), Record)
    return msgspec.json.format(msgspec.json.encode(checked, order="sorted"), indent=2) + b"\n"


def decode_record(document: bytes, source: str | Path) -> Record:
    """The record in a document.

    Args:
        document: what :func:`encode_record` wrote.
        source: where it comes from (a file's path), for the error.

    Raises:
        RecordError: if the schema is unknown, or the document is not exactly a record of this schema.
    """
    try:
        schema = msgspec.json.decode(document, type=_Header).schema
        if schema != SCHEMA:
            raise RecordError(f"{source}: schema {schema} is unknown; this version reads schema {SCHEMA}")
        return msgspec.json.decode(document, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{source}: {_what_is_wrong(document, error)}") from error


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        RecordError: if the file cannot be read, or as :func:`decode_record`.
    """
    try:
        document = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
    return decode_record(document, path)


class _Header(msgspec.Struct):
    """What every schema has in common."""

    schema: int


class _NotFiniteError(Exception):
    """Carries the constant that JSON does not have."""


def _refuse_constant(name: str) -> float:
    raise _NotFiniteError(name)


def _what_is_wrong(document: bytes, error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"not a record of schema {SCHEMA}: {error}"
    try:  # Python's own reader knows NaN and Infinity, and so tells them from damage.
        json.loads(document, parse_constant=_refuse_constant)
    except _NotFiniteError as constant:
        return f"holds {constant}; a record holds finite numbers only"
    except (ValueError, RecursionError):
        pass
    return f"damaged or truncated ({error})"
