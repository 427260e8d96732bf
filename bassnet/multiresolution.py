"""Temporal multi-resolution: a long window as several short ones, fine in its centre and coarse towards its ends.

Channel ``j`` of a window is its mean over ``2^j`` frames, cropped to the central ``window`` steps. Expansion starts
from the coarsest channel, doubles it in time and replaces its centre with the next finer one, until all are used. A
whole track is put together from expanded windows that overlap by half, under a Hann window.

Time is the second dimension of a signal ``(batch, time, …)`` and the third of what it is compressed to,
``(batch, channels, window, …)``; whatever follows (bins, or nothing) is left alone.

Source: Grachten, Lattner & Deruty 2020, 4.3 and Figure 2.
"""

from __future__ import annotations

import torch
from torch import Tensor


def compress(signal: Tensor, window: int) -> Tensor:
    """``(batch, window·2^c, …)`` to ``(batch, c + 1, window, …)``.

    Raises:
        ValueError: if the length is not ``window`` times a power of two, or its centre falls on a step.

    Example:
        >>> compress(torch.arange(16.0)[None], 4)[0]
        tensor([[ 6.0000,  7.0000,  8.0000,  9.0000],
                [ 4.5000,  6.5000,  8.5000, 10.5000],
                [ 1.5000,  5.5000,  9.5000, 13.5000]])
    """
    length = signal.shape[1]
    ratio, rest = divmod(length, window)
    if rest or ratio.bit_count() != 1 or (ratio > 1 and window % 2):
        raise ValueError(f"a window of {window} steps cannot hold {length} frames: take {window}·2^c, and window even")
    resolutions = [_centre(signal, window)]
    while signal.shape[1] > window:
        signal = signal.unflatten(1, (-1, 2)).mean(2)
        resolutions.append(_centre(signal, window))
    return torch.stack(resolutions, dim=1)


def expand(compressed: Tensor) -> Tensor:
    """``(batch, c + 1, window, …)`` to ``(batch, window·2^c, …)``.

    Example:
        >>> a = torch.arange(16.0)[None]
        >>> expand(compress(a, 4))[0].tolist()[:7]
        [1.5, 1.5, 1.5, 1.5, 4.5, 4.5, 6.0]
    """
    channels, window = compressed.shape[1], compressed.shape[2]
    expanded = compressed[:, -1]
    for channel in reversed(range(channels - 1)):
        expanded = expanded.repeat_interleave(2, dim=1)
        margin = (expanded.shape[1] - window) // 2
        expanded = torch.cat((expanded[:, :margin], compressed[:, channel], expanded[:, margin + window :]), dim=1)
    return expanded


def gather(frames: Tensor, first: Tensor, length: int) -> Tensor:
    """Windows ``(windows, length, …)`` of ``frames`` ``(frames, …)`` from their ``first`` frames ``(windows,)``."""
    return frames[first[:, None] + torch.arange(length, device=first.device)]


def hann(length: int) -> Tensor:
    """The periodic Hann window of an even length: shifted by half of it and added to itself, it is 1."""
    return torch.hann_window(length, periodic=True, dtype=torch.float64)


def overlap_add(windows: Tensor) -> Tensor:
    """Windows ``(windows, length, …)``, each half a length after the one before, faded into each other.

    Returns:
        ``((windows − 1)·length/2, …)``: what lies under two windows, so from the second half of the first window to the
        first half of the last.
    """
    length = windows.shape[1]
    half = length // 2
    weights = hann(length).to(windows).view(1, length, *(1,) * (windows.ndim - 2))
    weighted = windows * weights
    return (weighted[:-1, half:] + weighted[1:, :half]).flatten(0, 1)


def _centre(signal: Tensor, window: int) -> Tensor:
    return signal.narrow(1, (signal.shape[1] - window) // 2, window)
