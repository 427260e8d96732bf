"""Where in the latent plane a composition goes: one point, or a path given by points in time."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .decoding import FRAMES_PER_SECOND


def parse_point(text: str, latent: int) -> Tensor:
    """``"0.5,-1"`` as a point, ``(latent,)``.

    Raises:
        ValueError: if it is not as many finite numbers.
    """
    values = _numbers(text.split(","))
    if values is None or len(values) != latent:
        raise ValueError(f"z must be {_count(latent)} separated by commas, as in 0.5,-1, got {text!r}")
    return torch.tensor(values)


def read_path(path: Path, latent: int, frames: int) -> Tensor:
    """The points of a CSV file, ``time,x,y`` a line (seconds first), as one a frame of 10 ms: ``(frames, latent)``.

    Between two times z goes linearly; before the first and behind the last it stays. A first line that has no numbers
    is a heading.

    Raises:
        ValueError: naming the line that is not as many finite numbers, or whose time is not later than the one before.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), 1) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a CSV file: {error}") from error
    if lines and not any(_numbers([cell]) for cell in lines[0][1]):
        lines = lines[1:]
    points: list[list[float]] = []
    for number, row in lines:
        values = _numbers(row)
        if values is None or len(values) != latent + 1:
            raise ValueError(
                f"{path}, line {number}: must be a time in seconds and {_count(latent)}, got {','.join(row)}"
            )
        if points and values[0] <= points[-1][0]:
            raise ValueError(f"{path}, line {number}: times must ascend, got {values[0]:g} after {points[-1][0]:g}")
        points.append(values)
    if not points:
        raise ValueError(f"{path} has no points: a line is a time in seconds and {_count(latent)}")
    table = np.array(points)
    time = np.arange(frames) / FRAMES_PER_SECOND
    return torch.from_numpy(np.stack([np.interp(time, table[:, 0], column) for column in table[:, 1:].T], 1)).float()


def _numbers(cells: list[str]) -> list[float] | None:
    """The cells as finite numbers; None if one is not."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _count(latent: int) -> str:
    return "one number" if latent == 1 else f"{ {2: 'two', 3: 'three'}.get(latent, latent) } numbers"
