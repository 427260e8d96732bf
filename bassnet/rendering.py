"""From a score to a song of a dataset: what every renderer shares."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .config import SAMPLE_RATE
from .dataset import Dataset, Song
from .dataset_writer import build_dataset
from .manifest import VERSION, Bar, Recipe, RendererIdentity, SongDocument
from .midi import score_midi
from .patterns import BEATS
from .songs import TICKS, Score, check_dataset, compose_song, song_generator
from .stored_audio import normalise_peak
from .truth import song_labels

MOST_SONGS = 100_000
LEAST_SECONDS, MOST_SECONDS = 1.0, 600.0

_STREAM = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Sound:
    """A score as sound.

    Attributes:
        mix: ``(samples,)`` at 16 kHz, at any level; without the bass.
        bass: likewise.
        detuning: of everything, in cents above A4 = 440 Hz.
        harmonics: amplitude of each partial of the bass, ``(frames, 20)``; None if it is not known.
    """

    mix: NDArray[np.float64]
    bass: NDArray[np.float64]
    detuning: float
    harmonics: NDArray[np.float64] | None


class Renderer(Protocol):
    """What makes a song sound; it can be sent to another process."""

    @property
    def identity(self) -> RendererIdentity:
        """Which renderer, and with which sounds."""
        ...

    def render(self, score: Score, generator: np.random.Generator) -> Sound:
        """A score as sound, of ``score.samples`` samples; what is random in it comes from the generator."""
        ...


def make_recipe(dataset: str, *, songs: int, seed: int, seconds: float, renderer: Renderer) -> Recipe:
    """The recipe of an artificial dataset.

    Raises:
        ValueError: if there is no such dataset, or an argument is out of its range.
    """
    check_dataset(dataset)
    if not 1 <= songs <= MOST_SONGS:
        raise ValueError(f"songs must be in 1..{MOST_SONGS}, got {songs}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(f"seconds must be in {LEAST_SECONDS:g}..{MOST_SECONDS:g}, got {seconds:g}")
    return Recipe(
        version=VERSION,
        dataset=dataset,
        seed=seed,
        songs=songs,
        seconds=seconds,
        sample_rate=SAMPLE_RATE,
        renderer=renderer.identity,
    )


def render_song(recipe: Recipe, renderer: Renderer, index: int) -> tuple[Song, bytes]:
    """A song of a dataset and its MIDI file: a pure function of the recipe and the index."""
    assert recipe.seconds is not None  # as make_recipe makes it
    score = compose_song(recipe.dataset, seed=recipe.seed, index=index, seconds=recipe.seconds)
    sound = renderer.render(score, song_generator(recipe.dataset, seed=recipe.seed, index=index, stream=_STREAM))
    mix, mix_gain = normalise_peak(sound.mix)
    bass, bass_gain = normalise_peak(sound.bass)
    harmonics = None if sound.harmonics is None else (bass_gain * sound.harmonics).astype(np.float32)
    labels, level_range = song_labels(score, bass, detuning=sound.detuning, harmonics=harmonics)
    about = SongDocument(
        index=index,
        group=index,
        tempo=score.tempo,
        detuning=sound.detuning,
        mix_gain=mix_gain,
        bass_gain=bass_gain,
        level_range=level_range,
        bars=tuple(
            Bar(
                start=score.seconds(number * BEATS * TICKS),
                pattern=bar.pattern,
                chord_root=bar.chord.root,
                chord_quality=bar.chord.quality,
                programs=bar.programs,
            )
            for number, bar in enumerate(score.bars)
        ),
        onsets=tuple(score.seconds(note.start) for note in score.bass.notes),
        files={},
    )
    return Song(index=index, mix=mix, bass=bass, labels=labels, about=about), score_midi(score)


def render_dataset(
    folder: Path,
    recipe: Recipe,
    renderer: Renderer,
    executor: Executor,
    *,
    progress: Callable[[int], None] = lambda songs: None,
    damaged: Callable[[int], None] = lambda songs: None,
) -> Dataset:
    """Render the songs of a dataset that are not there yet, or are damaged.

    Args:
        folder: the dataset's.
        recipe: the dataset.
        renderer: that of the recipe.
        executor: where songs are rendered.
        progress: as in :func:`.dataset_writer.build_dataset`.
        damaged: likewise.

    Raises:
        ValueError: if the folder holds anything else, or the renderer cannot play its sound font.
        OSError: if the disk is full; songs that are done stay.
    """
    make_song = partial(render_song, recipe, renderer)
    return build_dataset(folder, recipe, make_song, executor, progress=progress, damaged=damaged)
