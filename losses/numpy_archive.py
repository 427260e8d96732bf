"""NumPy's archives of arrays (``.npz``), read without running what is in them."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_archive(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an archive, by name.

    Raises:
        ValueError: if the file is no such archive, is damaged, or holds more than plain arrays.
    """
    try:
        # of the content, for numpy leaves a damaged file open
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, EOFError, TypeError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is truncated, or no archive of arrays: {' '.join(str(error).split())}") from error
