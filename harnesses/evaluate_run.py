"""The command ``evaluate``: judge trained models, set the paper's tables beside ours, draw the latent plane."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure

from ..bassnet.evaluation_pitch_grid import POINTS
from ..bassnet.run import load_run
from ..results.bassnet_evaluation import read_evaluation, training_songs
from ..results.bassnet_relative_pitch import read_relative_pitch
from ..results.bassnet_text import metrics_table, paper_table
from ..results.figure_latent import figure_latent
from ..results.figure_relative_pitch import figure_relative_pitch
from ..results.figure_trajectory import figure_trajectory
from ..results.record import Record
from ..results.store import RecordStore
from ..results.style import save_figure
from . import screens
from .evaluations import Judged, evaluation, judged, relative_pitch
from .rank_run import print_json
from .resources import opened
from .screen_evaluation import text_table


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What ``tonedeaf evaluate`` was told; the fields are its options."""

    runs: tuple[Path, ...]
    data: Path | None = None
    device: str = "auto"
    out: Path = Path("runs")


def run(options: EvaluateOptions, *, as_json: bool) -> int:
    """Judge, draw, print, and return the exit status.

    Raises:
        ValueError: if the call is wrong, or a run or a dataset is missing, half-written or damaged; where it can be
            told in advance, nothing has been computed then.
    """
    store = RecordStore(options.out)
    store.check_writable()
    trainings = [record for folder in options.runs if folder.is_dir() for record in RecordStore(folder).read_all()]
    with opened(options.device, "512MiB") as resources:
        several = [
            judged(load_run(folder, device=resources.device), options.data) for folder in dict.fromkeys(options.runs)
        ]
        for note in dict.fromkeys(note for one in several for note in one.notes):
            screens.note(f"note: {note}")
        records, grids = _answered(several, store, resources.device)
    figures = draw(store, records, grids, trainings)
    if as_json:
        print_json([*records, *grids])
        return 0
    console = screens.out()
    for table in (paper_table(records, trainings), metrics_table(records, trainings)):
        console.print(text_table(table))
        for line in table.notes:
            console.print(line, markup=False)
        console.print()
    for path in figures:
        console.print(f"figure: {path}", markup=False)
    console.print(f"records: {options.out}", markup=False)
    return 0


def draw(
    store: RecordStore, records: Sequence[Record], grids: Sequence[Record], trainings: Sequence[Record] = ()
) -> list[Path]:
    """Draw the latent planes and trajectories together, and each grid alone: PNG and SVG, beside the records.

    Headings say how many songs a model learnt from where its training is among ``trainings``. A file's name ends with
    digits of the records' keys, so that another call's figures stay as they are.
    """
    return [
        path
        for name, figure in _figures(store, records, grids, trainings)
        for path in save_figure(figure, store.folder / name)
    ]


def _figures(
    store: RecordStore, records: Sequence[Record], grids: Sequence[Record], trainings: Sequence[Record]
) -> Iterator[tuple[str, Figure]]:
    drawable = [record for record in records if record.task.params["config"]["model"]["latent"] >= 2]
    if drawable:
        digest = hashlib.sha256("".join(record.key for record in drawable).encode()).hexdigest()[:8]
        evaluations = [
            replace(read_evaluation(store, record), training_songs=training_songs(record, trainings))
            for record in drawable
        ]
        yield f"latent-{digest}", figure_latent(evaluations)
        yield f"trajectory-{digest}", figure_trajectory(evaluations)
    for record in grids:
        yield f"relative_pitch-{record.key[:8]}", figure_relative_pitch(read_relative_pitch(record, store.trials))


def _answered(several: Sequence[Judged], store: RecordStore, device: torch.device) -> tuple[list[Record], list[Record]]:
    """The records of the evaluations, and of the grids of those whose z is a plane."""
    points = POINTS**2
    records: list[Record] = []
    grids: list[Record] = []
    with screens.progress_bar(sum(len(one.songs) + points for one in several), unit="songs and points") as progress:
        for one in several:
            own = partial(progress, f"evaluation of {one.name}")
            records.append(evaluation(one, store, device=str(device), progress=own))
            across = partial(progress, f"latent plane of {one.name}")
            grid = relative_pitch(one, records[-1], store, device=str(device), progress=across)
            if grid is not None:
                grids.append(grid)
    return records, grids
