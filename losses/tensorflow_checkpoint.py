"""Read tensors from a TensorFlow checkpoint (the format of ``tf.train.Saver`` since 1.0), without TensorFlow.

A checkpoint is a table ``NAME.index`` (LevelDB's format: sorted keys in blocks, each block with a checksum) whose
values are protocol buffers that say where each tensor's bytes are in ``NAME.data-00000-of-00001``.

Source:
    ``tensor_bundle.proto`` and ``tensor_bundle.cc`` of github.com/tensorflow/tensorflow; ``doc/table_format.md`` of
    github.com/google/leveldb.
"""

from __future__ import annotations

import struct
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_HEADER_KEY = b""
_DTYPES: Mapping[int, str] = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}
"""TensorFlow's number of a data type to NumPy's name, little-endian."""

Reader = Callable[[int, int], bytes]
"""Bytes of a file, from an offset, so many."""


class DamagedCheckpointError(ValueError):
    """A checkpoint that is truncated, damaged, or none."""


@dataclass(frozen=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


def read_tensors(path: Path, wanted: Callable[[str], bool]) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint whose names are wanted.

    Args:
        path: ``NAME.index``, with its data beside it; or a ``.tar`` that holds both.
        wanted: says of a name whether to read it.

    Raises:
        DamagedCheckpointError: if the checkpoint cannot be read, or a checksum is wrong.
    """
    try:
        if path.suffix == ".tar":
            with tarfile.open(path) as archive:
                return _read(*_in_archive(archive), wanted)
        prefix = path.name.removesuffix(".index")
        return _read(prefix, lambda name: _whole_file(path.with_name(name)), wanted)
    except DamagedCheckpointError as error:
        raise DamagedCheckpointError(f"{path}: {error}") from error
    except (OSError, tarfile.TarError, EOFError, ValueError, IndexError, KeyError, struct.error) as error:
        raise DamagedCheckpointError(f"{path} is truncated, or no TensorFlow checkpoint: {error}") from error


def _in_archive(archive: tarfile.TarFile) -> tuple[str, Callable[[str], tuple[Reader, int]]]:
    members = {member.name.rpartition("/")[2]: member for member in archive.getmembers() if member.isfile()}
    indices = [name for name in members if name.endswith(".index")]
    if len(indices) != 1:
        raise DamagedCheckpointError(f"{archive.name} holds {len(indices)} checkpoints, not one")

    def open_member(name: str) -> tuple[Reader, int]:
        if name not in members:
            raise DamagedCheckpointError(f"{archive.name} lacks {name}")
        file = archive.extractfile(members[name])
        assert file is not None

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        return read, members[name].size

    return indices[0].removesuffix(".index"), open_member


def _whole_file(path: Path) -> tuple[Reader, int]:
    if not path.is_file():
        raise DamagedCheckpointError(f"there is no file {path}")

    def read(offset: int, size: int) -> bytes:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    return read, path.stat().st_size


def _read(
    prefix: str, open_file: Callable[[str], tuple[Reader, int]], wanted: Callable[[str], bool]
) -> dict[str, NDArray[Any]]:
    rows = dict(_table(*open_file(f"{prefix}.index")))
    header = _fields(rows.pop(_HEADER_KEY))
    if header.get(2):
        raise DamagedCheckpointError(f"{prefix} is big-endian, which is not supported")
    shards = int(header.get(1, 1))
    tensors: dict[str, NDArray[Any]] = {}
    for key, value in rows.items():
        name = key.decode()
        if not wanted(name):
            continue
        entry = _entry(value)
        read, _ = open_file(f"{prefix}.data-{entry.shard:05d}-of-{shards:05d}")
        content = read(entry.offset, entry.size)
        if len(content) < entry.size or _masked_crc(content) != entry.checksum:
            raise DamagedCheckpointError(f"{prefix}: the bytes of {name} are missing or damaged")
        if entry.dtype not in _DTYPES:
            raise DamagedCheckpointError(
                f"{prefix}: {name} has TensorFlow's type {entry.dtype}, which is not supported"
            )
        tensors[name] = np.frombuffer(content, _DTYPES[entry.dtype]).reshape(entry.shape)
    return tensors


def _table(read: Reader, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The rows of a table: keys and values."""
    footer = read(max(0, size - _FOOTER), _FOOTER)
    if len(footer) < _FOOTER or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise DamagedCheckpointError("the index does not end as one")
    _, position = _handle(footer, 0)
    index, _ = _handle(footer, position)
    for _, value in _block(read, *index):
        handle, _ = _handle(value, 0)
        yield from _block(read, *handle)


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(content, position)
    size, position = _varint(content, position)
    return (offset, size), position


def _block(read: Reader, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    stored = read(offset, size + 5)  # a byte for the compression, four for the checksum
    if len(stored) < size + 5 or _masked_crc(stored[:-4]) != struct.unpack("<I", stored[-4:])[0]:
        raise DamagedCheckpointError("a block of the index is damaged")
    if stored[size]:
        raise DamagedCheckpointError("the index is compressed, which TensorFlow's own never is")
    (restarts,) = struct.unpack("<I", stored[size - 4 : size])
    end, position, key = size - 4 - 4 * restarts, 0, b""
    while position < end:
        shared, position = _varint(stored, position)
        own, position = _varint(stored, position)
        length, position = _varint(stored, position)
        key = key[:shared] + stored[position : position + own]
        yield key, stored[position + own : position + own + length]
        position += own + length


def _entry(content: bytes) -> _Entry:
    fields = _fields(content)
    shape = fields.get(2, b"")
    assert isinstance(shape, bytes)
    sizes = [_fields(dimension).get(1, 0) for number, dimension in _pairs(shape) if number == 2]
    numbers = [int(fields.get(number, 0)) for number in (1, 3, 4, 5, 6)]
    return _Entry(numbers[0], tuple(map(int, sizes)), *numbers[1:])


def _fields(content: int | bytes) -> dict[int, int | bytes]:
    return dict(_pairs(content))


def _pairs(content: int | bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protocol buffer."""
    if isinstance(content, int):
        raise DamagedCheckpointError("a number stands where a message should")
    position = 0
    while position < len(content):
        tag, position = _varint(content, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(content, position)
            yield tag >> 3, value
        elif kind == 2:
            length, position = _varint(content, position)
            yield tag >> 3, content[position : position + length]
            position += length
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            yield tag >> 3, int.from_bytes(content[position : position + width], "little")
            position += width
        else:
            raise DamagedCheckpointError(f"a field of kind {kind}, which protocol buffers do not have")


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


@cache
def _crc_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
        table.append(remainder)
    return tuple(table)


def _masked_crc(content: bytes) -> int:
    """CRC-32C (Castagnoli), rotated and shifted as LevelDB stores it."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
