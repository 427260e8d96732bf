"""Notes of a dataset, and short segments around them: what an audio distance is given while BassNet trains.

A segment is as long for every distance, and holds one note: the frames of other notes are silent in target and
prediction alike. A note shorter than the segment lies somewhere in it, of a longer one the segment is a part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SHORTEST_NOTE = 10
"""Frames (0.1 s): what is shorter is a rest's edge, or no pitch that a short segment can tell."""


@dataclass(frozen=True)
class Notes:
    """The notes of some songs whose frames are concatenated.

    Attributes:
        first: first sounding frame of each, ``(notes,)``.
        last: the frame behind its last, ``(notes,)``.
        song: which song it is in, ``(notes,)``.
    """

    first: Tensor
    last: Tensor
    song: Tensor

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Segments:
    """Segments of one length.

    Attributes:
        first: first frame of each, ``(segments,)``.
        sounding: whether the note sounds in a frame, ``(segments, frames)``.
        song: which song it is in, ``(segments,)``.
    """

    first: Tensor
    sounding: Tensor
    song: Tensor

    def __len__(self) -> int:
        return len(self.first)

    @property
    def frames(self) -> Tensor:
        """The frames of each, ``(segments, frames)``."""
        return self.first[:, None] + torch.arange(self.sounding.shape[1], device=self.first.device)


def find_notes(f0: Tensor, onset: Tensor, starts: Tensor) -> Notes:
    """The runs of frames with one pitch after another: broken by rests, onsets and the ends of songs.

    Args:
        f0: in Hz, 0 where nothing sounds, ``(frames,)``.
        onset: above ½ on the frame of an onset, ``(frames,)``.
        starts: first frame of each song, and the number of frames, ``(songs + 1,)``.

    Returns:
        The notes of at least :data:`SHORTEST_NOTE` frames.

    Raises:
        ValueError: if there are none.
    """
    voiced = f0 > 0
    song_start = torch.zeros_like(voiced)
    song_start[starts[:-1]] = True
    before = torch.roll(voiced, 1)
    before[0] = False
    first = (voiced & (~before | song_start | (onset > 0.5))).nonzero().squeeze(1)
    # a note ends where the next begins, or at the first silent frame, or with its song
    song = torch.searchsorted(starts, first, right=True) - 1
    next_first = torch.cat((first[1:], starts[-1:]))
    silent = torch.cat(((~voiced).nonzero().squeeze(1), starts[-1:]))
    rest = silent[torch.searchsorted(silent, first)]
    last = torch.minimum(torch.minimum(next_first, rest), starts[song + 1])
    long_enough = last - first >= SHORTEST_NOTE
    if not long_enough.any():
        raise ValueError(f"there is no bass note of {SHORTEST_NOTE} frames or more to train with")
    return Notes(first[long_enough], last[long_enough], song[long_enough])


def draw_segments(
    notes: Notes, count: int, *, frames: int, starts: Tensor, generator: torch.Generator, margin: int = 0
) -> Segments:
    """Segments around notes that are drawn with replacement, each note as likely.

    Args:
        notes: see :func:`find_notes`.
        count: how many segments.
        frames: their length.
        starts: as for :func:`find_notes`; a segment lies within its song.
        generator: on the CPU.
        margin: frames of the song that there must be before and behind a segment; notes in them are not drawn.

    Raises:
        ValueError: if no song with notes is as long as a segment with its margins.
    """
    lowest, highest = starts[notes.song] + margin, starts[notes.song + 1] - margin
    usable = (highest - lowest >= frames) & (notes.first >= lowest) & (notes.last <= highest)
    candidates = usable.nonzero().squeeze(1)
    if len(candidates) == 0:
        raise ValueError(
            f"a segment of {frames} frames, with {margin} before and behind it, needs a song that is as long, "
            "with a note inside"
        )
    drawn = torch.randint(len(candidates), (count,), generator=generator)
    place = torch.rand(count, generator=generator).to(notes.first.device)
    chosen = candidates[drawn.to(candidates.device)]
    first, last, song = notes.first[chosen], notes.last[chosen], notes.song[chosen]
    # slack > 0: how far the note may be moved in the segment; < 0: how far the segment may be moved in the note
    slack = frames - (last - first)
    begin = torch.where(slack >= 0, first - (place * (slack + 1)).long(), first + (place * (1 - slack)).long())
    begin = torch.minimum(torch.maximum(begin, starts[song] + margin), starts[song + 1] - margin - frames)
    index = begin[:, None] + torch.arange(frames, device=begin.device)
    return Segments(begin, (index >= first[:, None]) & (index < last[:, None]), song)
