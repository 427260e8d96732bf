"""What does the bass play where in the latent plane? Distributions of its pitch relative to a reference.

At each point of a grid of the plane the bass of the same excerpts is generated with that one z throughout, and decoded.
Its interval above the reference, in whole semitones, is counted over the frames that are voiced; and so is that of the
dataset's own bass, over whole songs.

The paper takes the f0 of the mix for a reference (by a pitch tracker, of recordings). Ours is the **root of the
chord**, which the datasets know, in the song's own tuning: what the patterns of A1 to A4 are defined by. Where no
chords are known (recordings), it is the pitch of the **recorded bass** itself.

Source: Grachten, Lattner & Deruty 2020, Section 6.4 and Figure 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .dataset import Dataset, Song
from .decoding import FRAMES_PER_SECOND, decode_f0
from .features import features
from .labels import UNKNOWN
from .run import Run
from .tracks import predict_track

POINTS = 5
"""Of the grid, along each axis."""
SECONDS = 30.0
"""Of music at each point, of all excerpts together."""
MOST_SONGS = 4
"""That excerpts are taken of."""
MOST_DATA_SONGS = 16
"""Whose own bass is counted."""
LOWEST, HIGHEST = -24, 12
"""Intervals that are counted, in semitones; a frame beyond them counts in the total only."""

CHORD, BASS = "the root of the chord", "the recorded bass"
"""References."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PitchGrid:
    """What was generated.

    Attributes:
        reference: :data:`CHORD` or :data:`BASS`.
        seconds: of music at each point.
        songs: whose excerpts it is, by their numbers in the dataset.
        columns: ``z1``, ``z2``, ``interval``, ``share``, ``data_share``; a row for each point and interval.
    """

    reference: str
    seconds: float
    songs: tuple[int, ...]
    columns: dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class _Excerpt:
    mix: torch.Tensor
    reference: NDArray[np.float64]


def grid_axis(values: NDArray[np.floating], points: int = POINTS) -> NDArray[np.float64]:
    """Evenly spaced from the 5th to the 95th percentile; around a latent that has collapsed, from −1 to +1."""
    low, high = (float(each) for each in np.quantile(values, [0.05, 0.95]))
    if high - low < 1e-3:
        low, high = low - 1.0, high + 1.0
    return np.linspace(low, high, points).round(4)


def intervals_above(f0: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.int64]:
    """Nearest whole semitones from a reference up to f0; both positive, in Hz."""
    return np.rint(12 * np.log2(np.asarray(f0, dtype=np.float64) / reference)).astype(np.int64)


def pitch_grid(
    run: Run,
    dataset: Dataset,
    *,
    songs: Sequence[int],
    z: NDArray[np.floating],
    progress: Callable[[int], None] = lambda _points: None,
) -> PitchGrid:
    """Generate a bass at each point of a grid.

    Args:
        run: on the device that computes; its z has at least two dimensions.
        dataset: whose mixes.
        songs: of which.
        z: where the windows of the data lie: ``(windows, dimensions)``; beyond the first two, dimensions are kept at
            their median.
        progress: called with the number of points done since the last call.

    Raises:
        ValueError: if z has a single dimension, or a file is missing or damaged.
    """
    if z.shape[1] < 2:
        raise ValueError(f"a grid of the latent plane needs 2 dimensions of z, got {z.shape[1]}")
    used = tuple(songs[:MOST_SONGS])
    loaded = [dataset.song(song) for song in songs[:MOST_DATA_SONGS]]
    chords = any((song.labels.chord_root != UNKNOWN).any() for song in loaded)
    references = [_chord_roots(song) if chords else song.labels.f0.astype(np.float64) for song in loaded]
    data = _shares([(song.labels.f0, song.labels.f0 > 0, own) for song, own in zip(loaded, references, strict=True)])
    excerpts = _excerpts(run, dataset, used, references)
    device = next(run.model.parameters()).device
    middle = np.median(z, axis=0)
    intervals = np.arange(LOWEST, HIGHEST + 1)
    rows: list[tuple[float, float, NDArray[np.float64]]] = []
    for second in grid_axis(z[:, 1]):
        for first in grid_axis(z[:, 0]):
            point = torch.tensor([first, second, *middle[2:]], dtype=torch.float32, device=device)
            played: list[tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.float64]]] = []
            for one in excerpts:
                track = predict_track(run.model, one.mix, point)
                played.append((*decode_f0(track, run.config.cqt, threshold=run.threshold), one.reference))
            rows.append((float(first), float(second), _shares(played)))
            progress(1)
    return PitchGrid(
        reference=CHORD if chords else BASS,
        seconds=float(sum(one.reference.size for one in excerpts) / FRAMES_PER_SECOND),
        songs=used,
        columns={
            "z1": np.repeat([first for first, _, _ in rows], intervals.size),
            "z2": np.repeat([second for _, second, _ in rows], intervals.size),
            "interval": np.tile(intervals, len(rows)),
            "share": np.concatenate([share for _, _, share in rows]),
            "data_share": np.tile(data, len(rows)),
        },
    )


def _excerpts(
    run: Run, dataset: Dataset, songs: Sequence[int], references: Sequence[NDArray[np.float64]]
) -> list[_Excerpt]:
    """The beginnings of songs, equally long."""
    device = next(run.model.parameters()).device
    found = features(dataset, run.config.cqt, device=device, songs=songs)
    frames = max(1, round(SECONDS * FRAMES_PER_SECOND / len(songs)))
    return [
        _Excerpt(found.mix[found.frames_of(place)][:frames], references[place][:frames]) for place in range(found.songs)
    ]


def _chord_roots(song: Song) -> NDArray[np.float64]:
    """The root of the chord in Hz, in the song's tuning; 0 where there is no chord."""
    root = song.labels.chord_root
    tuning = 440.0 * 2 ** (song.about.detuning / 1200)
    return np.where(root != UNKNOWN, tuning * 2 ** ((root - 69) / 12), 0.0)


def _shares(
    tracks: Sequence[tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.float64]]],
) -> NDArray[np.float64]:
    """Share of each interval among the frames that are voiced and have a reference; zeros if there are none."""
    counts, total = np.zeros(HIGHEST - LOWEST + 1), 0
    for f0, voiced, reference in tracks:
        counted = voiced & (reference > 0)
        found = intervals_above(f0[counted], reference[counted])
        inside = (found >= LOWEST) & (found <= HIGHEST)
        counts += np.bincount(found[inside] - LOWEST, minlength=counts.size)
        total += found.size
    return counts / max(total, 1)
