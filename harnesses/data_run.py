"""The command ``data``: a dataset from options, rendered in several processes."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..bassnet.dataset import Dataset
from ..bassnet.renderers import make_renderer
from ..bassnet.rendering import make_recipe, render_dataset
from . import screens
from .execution import RETRIES
from .processes import ProcessExecutor, available_cores


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What ``tonedeaf data`` was told; the fields are its options."""

    dataset: str
    songs: int = 1000
    seed: int = 0
    seconds: float = 60.0
    renderer: str = "auto"
    sound_font: str = "auto"
    workers: int | None = None
    out: Path


def run(options: DataOptions, *, as_json: bool) -> int:
    """Render, print, and return the exit status.

    Raises:
        ValueError: if the call is wrong; nothing has been rendered then.
        OSError: if the disk is full; what is done is kept.
    """
    workers = available_cores() if options.workers is None else options.workers
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    renderer = make_renderer(options.renderer, options.sound_font)
    recipe = make_recipe(
        options.dataset, songs=options.songs, seed=options.seed, seconds=options.seconds, renderer=renderer
    )
    began = time.perf_counter()
    counts: list[int] = []
    with _opened(min(workers, recipe.songs)) as executor, screens.progress_bar(recipe.songs, "songs") as bar:

        def progress(songs: int) -> None:
            counts.append(songs)
            bar(options.dataset, songs)

        try:
            dataset = render_dataset(options.out, recipe, renderer, executor, progress=progress)
        except OSError as error:
            kept = f"{sum(counts)} of {recipe.songs} songs are there and kept: run the same command again to go on"
            raise OSError(error.errno, f"{error.strerror or error}; {kept}", str(options.out)) from error
    _print(dataset, rendered=sum(counts[1:]), seconds=time.perf_counter() - began, as_json=as_json)
    return 0


@contextmanager
def _opened(workers: int) -> Generator[Executor]:
    executor = ThreadPoolExecutor(1) if workers == 1 else ProcessExecutor(workers, resources={}, retries=RETRIES)
    with executor:
        yield executor


def _print(dataset: Dataset, *, rendered: int, seconds: float, as_json: bool) -> None:
    manifest = dataset.manifest
    if as_json:
        found: dict[str, Any] = msgspec.to_builtins(manifest.recipe)
        found |= {"folder": str(dataset.folder), "digest": dataset.digest, "rendered": rendered, "elapsed": seconds}
        print(json.dumps([found], indent=2))
        return
    identity = manifest.renderer
    sounds = f", {identity.sound_font}" if identity.sound_font else ""
    made = f"{rendered} rendered in {seconds:.1f} s" if rendered else "all were there"
    line = (
        f"{dataset.folder}: {len(dataset)} songs of {manifest.dataset}, seed {manifest.seed} "
        f"({identity.name} {identity.version}{sounds}; {made})"
    )
    screens.out().print(line, markup=False)
