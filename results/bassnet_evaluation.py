"""Evaluations of BassNet, read back: what its tables and figures are made from.

The record says which model was judged on what; its table has one row a window: ``song``, ``seconds`` (of its center),
``z1``, ``z2`` (mean of the posterior) and ``pattern`` (-1 where unknown).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from .record import Record
from .store import RecordStore
from .training_comparison import trained_on

EVALUATION = "evaluation"
"""Kind of the record."""

TRAINING = "training"
"""Kind of the record of how a model was trained."""

OWN_OBJECTIVE = "paper"
"""In place of a distance: BassNet's own objective."""

PATTERNS: Mapping[str, int] = {"A1": 3, "A2": 2, "A3": 2, "A4": 5}
"""How many bass patterns each artificial dataset has; a few songs need not play all of them."""

_COLUMNS = ("song", "seconds", "z1", "z2", "pattern")


@dataclass(frozen=True)
class QuadraticClassifier:
    """Gaussians of the bass patterns in the latent plane, as a record holds them.

    Attributes:
        patterns: their numbers, from 0, ascending: ``(classes,)``.
        priors: share of the windows: ``(classes,)``.
        means: ``(classes, 2)``.
        covariances: ``(classes, 2, 2)``.
    """

    patterns: NDArray[np.int64]
    priors: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def posterior(self, z: ArrayLike) -> NDArray[np.float64]:
        """``p(c|z)`` by Bayes' rule: ``(..., 2)`` -> ``(..., classes)``."""
        offset = np.asarray(z, dtype=np.float64)[..., None, :] - self.means
        precision = np.linalg.inv(self.covariances)
        distance = np.einsum("...ci,cij,...cj->...c", offset, precision, offset)
        score = np.log(self.priors) - 0.5 * (distance + np.linalg.slogdet(self.covariances)[1])
        likelihood = np.exp(score - score.max(axis=-1, keepdims=True))
        return likelihood / likelihood.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Evaluation:
    """A record of kind ``evaluation``.

    Attributes:
        record: the record.
        windows: its table.
        training_songs: how many songs the model learnt from; None where that is not known.
    """

    record: Record
    windows: pl.DataFrame
    training_songs: int | None = None

    @property
    def classifier(self) -> QuadraticClassifier | None:
        """The classifier of the bass patterns; None if there were no two to tell apart, or z is not a plane."""
        found: Mapping[str, Any] | None = self.record.metrics.get("quadratic_classifier")
        if found is None or len(found["means"][0]) != 2:
            return None
        return QuadraticClassifier(
            patterns=np.array(found["patterns"], dtype=np.int64),
            priors=np.array(found["priors"], dtype=np.float64),
            means=np.array(found["means"], dtype=np.float64),
            covariances=np.array(found["covariances"], dtype=np.float64),
        )

    @property
    def heading(self) -> str:
        """Its dataset, and what was trained."""
        what = "" if cross_reconstruction(self.record) else ", no cross-reconstruction"
        return f"{self.record.task.params['dataset']}, {size(self.record)}{what}"

    @property
    def training(self) -> str:
        """How it was trained: seed; steps and songs, where known; weights of the KL terms, and of f0 if not 1."""
        steps, songs, f0 = self.record.metrics.get("steps"), self.training_songs, f0_weight(self.record)
        parts = [
            f"seed {self.record.seed}",
            None if steps is None else f"{steps} steps",
            None if songs is None else songs_text(songs),
            f"KL weight {kl_weight(self.record):g}",
            None if f0 == 1 else f"f0 {f0:g}",
        ]
        return ", ".join(filter(None, parts))

    @property
    def patterns(self) -> int:
        """How many bass patterns there are: the dataset's, whichever of them the windows have."""
        highest = self.windows["pattern"].max()
        assert highest is None or isinstance(highest, int)
        return max(PATTERNS.get(str(self.record.task.params["dataset"]), 0), 0 if highest is None else highest + 1)


def size(record: Record) -> str:
    """The model's window as the paper writes it, as in ``20/40``: compressed and expanded, in frames of 10 ms."""
    model = record.task.params["config"]["model"]
    return f"{model['window']}/{model['expanded']}"


def cross_reconstruction(record: Record) -> bool:
    """Whether each window was reconstructed from a neighbour's latent, or (the ablation) from its own."""
    return bool(record.task.params["config"]["objective"]["cross_reconstruction"])


def kl_weight(record: Record) -> float:
    """Of the divergence from the standard normal distribution, in the objective."""
    return float(record.task.params["config"]["objective"]["kl_weight"])


def f0_weight(record: Record) -> float:
    """Of the cross-entropy of f0, in the objective."""
    return float(record.task.params["config"]["objective"]["f0_weight"])


def songs_text(songs: int) -> str:
    """A number of songs, as in ``1 song``."""
    return f"{songs} song{'' if songs == 1 else 's'}"


def training_songs(evaluation: Record, records: Sequence[Record]) -> int | None:
    """How many songs a model learnt from: its training's record says so, its evaluation's does not.

    Args:
        evaluation: of the model.
        records: of any kinds; the training is the one with the same loss, configuration (its seed is part of it) and
            data.

    Returns:
        None if the training is not among them.
    """
    asked = evaluation.distance.name, evaluation.task.params["config"], trained_on(evaluation)
    for record in records:
        if record.kind != TRAINING or record.metrics.get("training_songs") is None:
            continue
        if (record.distance.name, record.task.params.get("config"), trained_on(record)) == asked:
            return int(record.metrics["training_songs"])
    return None


def same_data(record: Record) -> bool:
    """Whether the model was judged on songs of the dataset that it was trained with."""
    params = record.task.params
    return params.get("trained_on", params)["digest"] == params["digest"]


def value(record: Record, metric: str) -> float | None:
    """A metric's value; None where there was nothing to measure."""
    found: Any = record.metrics.get(metric)
    inner = found.get("value") if isinstance(found, Mapping) else found
    return None if inner is None else float(inner)


def read_evaluation(store: RecordStore, record: Record) -> Evaluation:
    """An evaluation with its windows.

    Raises:
        ValueError: if the record is none, or has no answer or no windows.
    """
    if record.kind != EVALUATION or record.status != "ok":
        raise ValueError(f"an evaluation with an answer was expected, got {record.kind} ({record.status})")
    windows = store.trials(record)
    if missing := [name for name in _COLUMNS if name not in windows.columns]:
        raise ValueError(f"the evaluation of {record.distance.name} lacks {', '.join(missing)} in its table")
    return Evaluation(record, windows)


def check_evaluations(evaluations: Sequence[Evaluation]) -> None:
    """Refuse to draw nothing.

    Raises:
        ValueError: if there are none.
    """
    if not evaluations:
        raise ValueError("a figure needs at least one evaluation")


def conditions_text(evaluations: Sequence[Evaluation]) -> str:
    """On what they were judged, for a caption: songs, sound, size, seed; what differs is listed.

    Before it, what :attr:`Evaluation.training` says above each panel.
    """
    params = [each.record.task.params for each in evaluations]

    def of_all(name: str, texts: Sequence[str]) -> str:
        return f"{name} {' | '.join(dict.fromkeys(texts))}"

    return "Below each heading: seed, steps and songs of the training, where they are known. " + ", ".join(
        (
            of_all("Dataset", [str(each["dataset"]) for each in params]),
            of_all("rendered by", [str(each["renderer"]) for each in params]),
            of_all("judged on songs", [f"{each['songs']} ({each['split']})" for each in params]),
            of_all("window", [size(each.record) for each in evaluations]),
            of_all("bins per octave", [str(each["config"]["cqt"]["bins_per_octave"]) for each in params]),
            of_all("feature maps", [str(each["config"]["model"]["maps"]) for each in params]),
            of_all("seed", [str(each.record.seed) for each in evaluations]),
        )
    )
