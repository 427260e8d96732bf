"""Write a TensorFlow checkpoint as ``tf.train.Saver`` does: the format, written down a second time, from its side."""

import io
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TYPES = {"float32": 1, "float64": 2, "int64": 9}


def crc32c(content: bytes) -> int:
    """CRC-32C bit by bit: of ``123456789`` it is 0xE3069283."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def _masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", (((crc >> 15) | (crc << 17 & 0xFFFFFFFF)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value) if value else b""  # proto3 leaves zeros out


def _block(rows: list[tuple[bytes, bytes]]) -> bytes:
    """Rows with their common beginnings left out, a restart every 16."""
    content, restarts, before = bytearray(), list[int](), b""
    for count, (key, value) in enumerate(rows):
        shared = 0
        if count % 16 == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        before = key
    content += b"".join(struct.pack("<I", offset) for offset in restarts) + struct.pack("<I", len(restarts))
    return bytes(content)


def write_checkpoint(prefix: Path, tensors: Mapping[str, NDArray[np.generic]], *, rows_a_block: int = 7) -> Path:
    """Write ``prefix.index`` and ``prefix.data-00000-of-00001``; returns the first."""
    data = bytearray()
    rows = [(b"", _number(1, 1) + _message(3, _number(1, 1)))]
    for name, array in sorted(tensors.items()):
        content = array.tobytes()
        shape = b"".join(_message(2, _number(1, size)) for size in array.shape)
        entry = _number(1, _TYPES[array.dtype.name]) + _message(2, shape) + _number(4, len(data))
        checksum = _varint(6 << 3 | 5) + _masked(content)
        rows.append((name.encode(), entry + _number(5, len(content)) + checksum))
        data += content
    table, handles = bytearray(), list[tuple[bytes, bytes]]()

    def add(block: bytes) -> bytes:
        handle = _varint(len(table)) + _varint(len(block))
        table.extend(block + b"\0" + _masked(block + b"\0"))
        return handle

    for start in range(0, len(rows), rows_a_block):
        part = rows[start : start + rows_a_block]
        handles.append((part[-1][0], add(_block(part))))
    footer = add(_block([])) + add(_block(handles))
    table += footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    index = prefix.with_name(f"{prefix.name}.index")
    index.write_bytes(table)
    prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(data)
    return index


def pack(index: Path, archive: Path, *, leave_out: str = "") -> Path:
    """Put a checkpoint into a ``.tar`` under a folder, as magenta publishes it."""
    with tarfile.open(archive, "w") as tar:
        for path in sorted(index.parent.glob(f"{index.stem}.*")):
            if not (leave_out and leave_out in path.name):
                tar.add(path, f"wavenet-ckpt/{path.name}")
        meta = tarfile.TarInfo("wavenet-ckpt/checkpoint")
        tar.addfile(meta, io.BytesIO())
    return archive
