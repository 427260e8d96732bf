"""Convert a checkpoint that holds more than tensors into safetensors, once.

Some files of ``torch.save`` cannot be read with ``weights_only=True``: reading them runs what is in them. Such a file
is read only after its SHA-256 matched the table's, in a process of its own, and its tensors are kept in the cache of
weights; from then on that file is read, and its tensors' SHA-256 compared with the table's.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path

from .checkpoints import read_checkpoint, state_sha256
from .weights import CACHE_VARIABLE, Weights, WeightsUnavailableError, cache_folder

_LIMIT_SECONDS = 600


def converted(row: Weights, original: Path) -> Path:
    """The converted file of a row, made if it is not there or damaged.

    Args:
        row: one that has a conversion.
        original: its file, whose SHA-256 has been compared.

    Raises:
        WeightsUnavailableError: if it cannot be made; the message says why.
    """
    assert row.conversion is not None
    expected = row.conversion.state_sha256
    path = cache_folder() / row.name / f"{expected[:16]}.safetensors"
    if not _holds(path, expected):
        _convert(row.name, original, row.conversion.key, path)
        if not _holds(path, expected):
            raise WeightsUnavailableError(f"{original} was converted to other tensors than the expected {expected}")
    return path


def _holds(path: Path, expected: str) -> bool:
    if not path.is_file():
        return False
    status = path.stat()
    return _state_sha256_of(path, status.st_size, status.st_mtime_ns) == expected


@cache
def _state_sha256_of(path: Path, size: int, modified: int) -> str:
    del size, modified  # they are what the answer is kept for
    try:
        return state_sha256(read_checkpoint(path))
    except ValueError:
        return ""


def _convert(name: str, original: Path, key: str, path: Path) -> None:
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.tmp.safetensors")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(original), key, str(temporary)],
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise WeightsUnavailableError(f"{original} could not be converted: {last}")
        temporary.replace(path)
    except subprocess.TimeoutExpired as error:
        raise WeightsUnavailableError(f"{original} was not converted within {_LIMIT_SECONDS} s") from error
    except OSError as error:
        raise WeightsUnavailableError(
            f"the weights of {name} are converted once into {path.parent}, which cannot be written ({error.strerror}): "
            f"set {CACHE_VARIABLE} to another folder"
        ) from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def _main(original: str, key: str, target: str) -> None:
    """In the process of its own: read, pick the tensors, write."""
    import torch
    from safetensors.torch import save_file

    state = torch.load(original, map_location="cpu", weights_only=False)[key]
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in state.items()}, target)
    with open(target, "rb") as file:
        os.fsync(file.fileno())


if __name__ == "__main__":
    _main(*sys.argv[1:])
