"""The figures of a publication, by name: each is drawn only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl
from matplotlib.figure import Figure

from .bassnet_evaluation import EVALUATION, TRAINING, Evaluation, same_data, training_songs
from .bassnet_relative_pitch import RELATIVE_PITCH, read_relative_pitch
from .bassnet_text import reproductions
from .figure_cost import by_mean, cost_points, figure_cost
from .figure_curve import figure_curve
from .figure_descent import figure_descent
from .figure_field import figure_field
from .figure_foretelling import figure_foretelling, shown_pairs
from .figure_latent import figure_latent
from .figure_map import figure_map
from .figure_relative_pitch import figure_relative_pitch
from .figure_table1 import figure_table1
from .figure_training import SHOWN, figure_training
from .figure_trajectory import figure_trajectory
from .landscape import Landscape
from .publication import Publication
from .record import Record

Drawing = Callable[[], Figure]
DESCENTS_SHOWN = 12
"""Panels of a figure of descents: the distances that reach most targets; the table has all."""


def figures(publication: Publication) -> dict[str, Drawing]:
    """Name of a file (without a suffix) to what draws it: a figure for everything that there are records of."""
    found: dict[str, Drawing] = {}
    if publication.table1 is not None:
        found["table1"] = partial(figure_table1, publication.table1)
    if publication.boards and cost_points(publication.standings[0], by_mean):
        found["cost"] = partial(figure_cost, publication.boards[0], publication.standings[0])
    for task, landscapes in publication.landscapes("curve").items():
        found[f"curve-{task}"] = partial(figure_curve, landscapes)
    for task, landscapes in publication.landscapes("map").items():
        paths = publication.paths(landscapes)
        over = [landscape for landscape in landscapes if landscape.name in paths]
        for number, which in _targets(landscapes[0]):
            found[f"map-{task}{which}"] = partial(figure_map, landscapes, number)
            if over:
                found[f"paths-{task}{which}"] = partial(figure_map, over, number, paths)
    for task, landscapes in publication.landscapes("field").items():
        for number, which in _targets(landscapes[0]):
            found[f"field-{task}{which}"] = partial(figure_field, landscapes, number)
    found.update(_descents(publication))
    found.update(_training(publication))
    found.update(_latent(publication))
    found.update(_relative_pitch(publication))
    return found


def _targets(landscape: Landscape) -> list[tuple[int, str]]:
    """Number of each target, and what tells its file from the others' files."""
    several = len(landscape.targets) > 1
    return [(n, f"-{target.pitch_hz:g}hz" if several else "") for n, target in enumerate(landscape.targets)]


def _descents(publication: Publication) -> dict[str, Drawing]:
    records = () if publication.descents is None else publication.descents.records
    answered = sorted((one for one in records if one.status == "ok"), key=lambda one: -one.metrics["reached"]["value"])
    return {
        f"descent-{task}": partial(
            figure_descent,
            [one for one in answered if one.task.name == task][:DESCENTS_SHOWN],
            publication.collection.trials,
        )
        for task in dict.fromkeys(record.task.name for record in answered)
    }


def _training(publication: Publication) -> dict[str, Drawing]:
    found: dict[str, Drawing] = {}
    for study in publication.studies:
        # They differ in steps or segments. The one with most runs comes first, and keeps the name that pages embed.
        place = [one for one in publication.studies if one.name == study.name].index(study)
        name = f"{study.name}-{place + 1}" if place else study.name
        if any(metric in study.metrics for metric in SHOWN):
            found[f"training-{name}"] = partial(figure_training, study)
        ranking = publication.ranking_of(study)
        if ranking is not None and shown_pairs(ranking[1], study):
            found[f"foretelling-{name}"] = partial(figure_foretelling, *ranking, study)
    return found


def _latent(publication: Publication) -> dict[str, Drawing]:
    """BassNet's latent plane and its trajectories, of the trainings with its own objective."""
    trainings = publication.collection.of_kind(TRAINING)
    own = [
        Evaluation(record, publication.collection.trials(record), training_songs(record, trainings))
        for record in reproductions(publication.collection.of_kind(EVALUATION))
        if record.task.params["config"]["model"]["latent"] >= 2 and same_data(record)
    ]
    return {"latent": partial(figure_latent, own), "trajectory": partial(figure_trajectory, own)} if own else {}


def _relative_pitch(publication: Publication) -> dict[str, Drawing]:
    """What the bass plays across the latent plane: of each dataset and preset, the first seed."""
    found: dict[str, Drawing] = {}
    trials = publication.collection.trials
    records = (one for one in publication.collection.of_kind(RELATIVE_PITCH) if one.status == "ok")
    for record in sorted(records, key=lambda one: (one.seed, -one.started.timestamp())):
        params = record.task.params
        name = f"relative_pitch-{params['dataset']}-{params.get('preset', 'model')}"
        found.setdefault(name, partial(_drawn_relative_pitch, record, trials))
    return found


def _drawn_relative_pitch(record: Record, trials: Callable[[Record], pl.DataFrame]) -> Figure:
    return figure_relative_pitch(read_relative_pitch(record, trials))
