"""The command ``data``: a dataset from options, made in several processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from ..bassnet.dataset import SONGS, Dataset
from ..bassnet.patterns import PATTERNS
from ..bassnet.renderers import make_renderer
from ..bassnet.rendering import make_recipe, render_dataset
from ..bassnet.stems import build_stems_dataset, find_tracks
from ..benchmarks.signals.soundfont import AUTO
from . import screens
from .execution import RETRIES, WorkerLostError
from .processes import ProcessExecutor, available_cores

DEFAULT_SONGS, DEFAULT_SECONDS = 1000, 60.0


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What ``tonedeaf data`` was told; the fields are its options."""

    dataset: str
    songs: int | None = None
    seed: int = 0
    seconds: float | None = None
    renderer: str = "auto"
    sound_font: str = "auto"
    workers: int | None = None
    out: Path


def run(options: DataOptions, *, as_json: bool) -> int:
    """Make a dataset, print what it is, and return the exit status.

    Raises:
        ValueError: if the call is wrong; nothing has been made then.
        OSError: if the disk is full, or a renderer takes too long; what is done is kept.
        WorkerLostError: if the processes died in which a song was made; likewise.
    """
    workers = available_cores() if options.workers is None else options.workers
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    make = _rendering(options) if options.dataset in PATTERNS else _mixing(options)
    began = time.perf_counter()
    counts: list[int] = []
    damaged: list[int] = []
    with _opened(min(workers, make.songs)) as executor, screens.progress_bar(make.songs, "songs") as bar:

        def progress(songs: int) -> None:
            counts.append(songs)
            bar(options.dataset, songs)

        try:
            dataset = make.dataset(executor, progress, damaged.append)
        except OSError as error:
            kept = f"songs that are there and kept: {_songs_in(options.out)}; run the same command again to go on"
            raise OSError(error.errno, f"{error.strerror or error}; {kept}", str(options.out)) from error
        except WorkerLostError as error:
            raise WorkerLostError(f"{error}; songs that are there: {_songs_in(options.out)}") from error
    seconds = time.perf_counter() - began
    _print(dataset, made=sum(counts[1:]), damaged=sum(damaged), seconds=seconds, as_json=as_json)
    return 0


def _songs_in(folder: Path) -> int:
    return sum(1 for _ in (folder / SONGS).glob("[0-9]*"))


_Told: TypeAlias = Callable[[int], None]


class _Making(NamedTuple):
    """How many songs there will be at most, and what makes them: it tells how many are there, and how many damaged."""

    songs: int
    dataset: Callable[[Executor, _Told, _Told], Dataset]


def _rendering(options: DataOptions) -> _Making:
    renderer = make_renderer(options.renderer, options.sound_font)
    recipe = make_recipe(
        options.dataset,
        songs=DEFAULT_SONGS if options.songs is None else options.songs,
        seed=options.seed,
        seconds=DEFAULT_SECONDS if options.seconds is None else options.seconds,
        renderer=renderer,
    )
    return _Making(
        recipe.songs,
        lambda executor, progress, damaged: render_dataset(
            options.out, recipe, renderer, executor, progress=progress, damaged=damaged
        ),
    )


def _mixing(options: DataOptions) -> _Making:
    folder = Path(options.dataset)
    if not folder.is_dir():
        names = ", ".join(PATTERNS)
        raise ValueError(f"dataset must be one of {names}, or a folder of tracks with stems, got {options.dataset!r}")
    if options.seconds is not None or {options.renderer, options.sound_font} != {AUTO}:
        raise ValueError("recordings are not rendered: leave out --seconds, --renderer and --sound-font")
    tracks = find_tracks(folder)
    return _Making(
        max(1, len(tracks) if options.songs is None else options.songs),
        lambda executor, progress, damaged: build_stems_dataset(
            options.out,
            tracks,
            songs=options.songs,
            seed=options.seed,
            executor=executor,
            refused=lambda problem: screens.note(f"left out: {problem}"),
            progress=progress,
            damaged=damaged,
        ),
    )


@contextmanager
def _opened(workers: int) -> Generator[Executor]:
    executor = ThreadPoolExecutor(1) if workers == 1 else ProcessExecutor(workers, resources={}, retries=RETRIES)
    with executor:
        yield executor


def _print(dataset: Dataset, *, made: int, damaged: int, seconds: float, as_json: bool) -> None:
    manifest = dataset.manifest
    if as_json:
        found: dict[str, Any] = msgspec.to_builtins(manifest.recipe)
        found |= {"folder": str(dataset.folder), "digest": dataset.digest}
        found |= {"made": made, "damaged": damaged, "elapsed": seconds}
        print(json.dumps([found], indent=2))
        return
    identity = manifest.renderer
    sounds = f", {identity.sound_font}" if identity.sound_font else ""
    news = f"{made} made in {seconds:.1f} s" if made else "all were there"
    if damaged:
        news += f", {damaged} of these in place of damaged ones"
    line = (
        f"{dataset.folder}: {len(dataset)} songs of {manifest.dataset}, seed {manifest.seed} "
        f"({identity.name} {identity.version}{sounds}; {news})"
    )
    screens.out().print(line, markup=False)
