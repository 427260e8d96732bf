"""Which songs a model learns from, and which it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .dataset import Dataset


class Split(NamedTuple):
    """Numbers of songs, ascending."""

    training: list[int]
    validation: list[int]


def split_songs(groups: Sequence[int], *, share: float, seed: int) -> Split:
    """Part songs at random, each group on one side.

    Args:
        groups: of each song; songs of one group (one recording, differently mixed) would tell on each other.
        share: of the songs that go to validation; at least one group does, and at least one stays.
        seed: of the choice.

    Raises:
        ValueError: if there are fewer than two groups.

    Source:
        Grachten, Lattner & Deruty 2020, 5.3: "a training set and validation set according to the proportion 90%/10%".
    """
    distinct = sorted(set(groups))
    if len(distinct) < 2:
        raise ValueError(
            f"{len(groups)} song{'s' if len(groups) != 1 else ''} cannot be split into training and validation: "
            "at least 2 are needed"
        )
    order = np.random.default_rng(seed).permutation(distinct).tolist()
    wanted = max(1, round(share * len(groups)))
    chosen: set[int] = set()
    for group in order[:-1]:
        if sum(each in chosen for each in groups) >= wanted:
            break
        chosen.add(group)
    return Split(
        [song for song, group in enumerate(groups) if group not in chosen],
        [song for song, group in enumerate(groups) if group in chosen],
    )


def check_apart(judging: Dataset, learnt: Dataset) -> None:
    """Refuse another dataset to judge by if it holds a song, or a recording, of the one that is learnt from.

    Songs are told by their digests: a rendered one is the same whatever number of others it is rendered with.

    Raises:
        ValueError: if it does.
    """
    songs = set(judging.manifest.song_sha256) & set(learnt.manifest.song_sha256)
    if songs or set(judging.manifest.sources.values()) & set(learnt.manifest.sources.values()):
        raise ValueError(
            f"{judging.folder} holds songs that are in {learnt.folder}, too: render others, by another seed of "
            "tonedeaf data, or take other recordings"
        )
