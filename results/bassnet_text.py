"""Evaluations of BassNet as tables: ours beside the paper's Tables 1 to 3, and what else was measured.

A :class:`TextTable` is drawn as Markdown here, and for the terminal by the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .bassnet_evaluation import (
    EVALUATION,
    OWN_OBJECTIVE,
    PATTERNS,
    cross_reconstruction,
    f0_weight,
    kl_weight,
    same_data,
    size,
    songs_text,
    training_songs,
    value,
)
from .published_bassnet import CROSS_ENTROPIES, bassnet_tables
from .record import Record

NOTHING = "–"
"""In place of a number that there is not."""


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes:
        title: one line.
        headings: of the columns; those from ``numbers_from`` on are aligned right.
        rows: as many texts each.
        notes: what must be said below it.
        numbers_from: index of the first column of numbers.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    numbers_from: int = 1

    def markdown(self) -> str:
        """In Markdown, with its notes; ends with a newline."""
        rule = ["--:" if place >= self.numbers_from else "---" for place in range(len(self.headings))]
        lines = [f"| {' | '.join(cells)} |" for cells in (self.headings, rule, *self.rows)]
        notes = ["", "  \n".join(self.notes)] if self.notes else []
        return "\n".join([*lines, *notes]) + "\n"


def reproductions(records: Sequence[Record]) -> list[Record]:
    """The evaluations of whole trainings with BassNet's own objective, in the order of a table; not a study's arms."""
    own = [
        record
        for record in records
        if record.kind == EVALUATION
        and record.status == "ok"
        and record.distance.name == OWN_OBJECTIVE
        and "split" in record.task.params  # made by tonedeaf evaluate
        and "start_steps" not in record.task.params  # of a study's arm
    ]

    def place(record: Record) -> tuple[Any, ...]:
        params = record.task.params
        maps = int(params["config"]["model"]["maps"])
        bins = int(params["config"]["cqt"]["bins_per_octave"])
        name = str(params["dataset"])
        return (
            str(params.get("renderer")),
            bins,
            maps,
            name,
            size(record),
            not cross_reconstruction(record),
            record.seed,
        )

    return sorted(own, key=place)


def paper_table(records: Sequence[Record], trainings: Sequence[Record] = ()) -> TextTable:
    """Tables 1 to 3: cross-entropies and accuracies of the quadratic classifier, each with the paper's behind it.

    Args:
        records: of kind ``evaluation`` with an answer: a row each.
        trainings: records that say how many songs the models learnt from; others among them are passed over.
    """
    rows: list[tuple[str, ...]] = []
    for record in records:
        published, dataset = bassnet_tables(), str(record.task.params["dataset"])
        crossed = cross_reconstruction(record)
        # Without cross-reconstruction the paper gives no cross-entropies; its Table 1 is of the other objective.
        theirs = [published.cross_entropy(size(record), dataset, each) if crossed else None for each in CROSS_ENTROPIES]
        accuracy = published.accuracy(size(record), dataset, cross_reconstruction=crossed)
        rows.append(
            (
                *what_was_trained(record, trainings),
                *(_beside(record, name, paper) for name, paper in zip(CROSS_ENTROPIES, theirs, strict=True)),
                number_text(record, "level_cross_entropy_excess"),
                patterns_text(record),
                NOTHING if value(record, "qda_accuracy") is None else interval_text(record, "qda_accuracy"),
                number_text(record, "qda_accuracy_folds"),
                number_text(record, "commonest_pattern"),
                NOTHING if accuracy is None else f"{accuracy[1]:.3f} ({accuracy[0]})",
            )
        )
    headings = (
        *_HEADINGS,
        "f0 cross-entropy (paper)",
        "level cross-entropy (paper)",
        "onset cross-entropy (paper)",
        "level, excess over the targets' entropy",
        "patterns judged",
        "QDA accuracy (95 %)",
        "QDA accuracy in folds of other songs",
        "share of the commonest pattern",
        "QDA accuracy in the paper (its size)",
    )
    return TextTable("Tables 1 to 3 of the paper", headings, tuple(rows), _paper_notes(records), len(_HEADINGS))


def metrics_table(records: Sequence[Record], trainings: Sequence[Record] = ()) -> TextTable:
    """What the paper does not report: pitch, harmonics, onsets and level, each with its 95 % interval.

    Args:
        records: as for :func:`paper_table`.
        trainings: likewise.
    """
    rows = tuple(
        (
            *what_was_trained(record, trainings),
            *(interval_text(record, name, digits) for name, (_, digits) in _METRICS.items()),
        )
        for record in records
    )
    headings = (*_HEADINGS, *(heading for heading, _ in _METRICS.values()))
    notes = (
        "95 % intervals: hierarchical bootstrap, songs and then segments of 5 s; they do not cover another seed of the "
        "training.",
        "Pitch over voiced frames, within 50 cents. Harmonics: log-spectral distance over the partials, on frames "
        "whose pitch is right; level-free: without each frame's mean difference.",
    )
    return TextTable("Decoded tracks", headings, rows, notes, len(_HEADINGS))


_HEADINGS = (
    "dataset",
    "size",
    "bins/maps",
    "loss",
    "cross-reconstruction",
    "KL weight",
    "seed",
    "steps",
    "trained on",
    "judged on",
)

_METRICS: Mapping[str, tuple[str, int]] = {
    "raw_pitch_accuracy": ("raw pitch accuracy", 3),
    "raw_chroma_accuracy": ("raw chroma accuracy", 3),
    "octave_errors": ("octave errors", 3),
    "overall_accuracy": ("overall accuracy", 3),
    "median_cents": ("median error, cents", 1),
    "harmonic_db": ("harmonics, dB", 1),
    "harmonic_db_level_free": ("harmonics, level-free, dB", 1),
    "onset_f_measure": ("onset F-measure", 3),
    "level_db": ("level, dB", 1),
}


def what_was_trained(record: Record, trainings: Sequence[Record]) -> tuple[str, ...]:
    """The first columns: dataset and sound, window, bins and maps, loss, crossed, KL weight, seed, steps, songs."""
    params: Mapping[str, Any] = record.task.params
    config = params["config"]
    return (
        f"{params['dataset']}, {params['renderer']}",
        size(record),
        f"{config['cqt']['bins_per_octave']}/{config['model']['maps']}",
        _loss_text(record),
        "yes" if cross_reconstruction(record) else "no",
        f"{kl_weight(record):g}",
        str(record.seed),
        str(record.metrics.get("steps", NOTHING)),
        _training_songs_text(record, trainings),
        songs_text(params["songs"]),
    )


def patterns_text(record: Record) -> str:
    """How many of the dataset's bass patterns the quadratic classifier had to tell apart: ``2 of 3``."""
    classifier: Mapping[str, Any] | None = record.metrics.get("quadratic_classifier")
    if classifier is None:
        return NOTHING
    every = PATTERNS.get(str(record.task.params["dataset"]))
    judged = len(classifier["patterns"])
    return str(judged) if every is None else f"{judged} of {every}"


def _loss_text(record: Record) -> str:
    weight = f0_weight(record)
    return record.distance.name if weight == 1 else f"{record.distance.name}, f0 weight {weight:g}"


def _training_songs_text(record: Record, trainings: Sequence[Record]) -> str:
    """How many songs, and of which dataset, unless it is the one that the model is judged on."""
    songs = training_songs(record, trainings)
    if same_data(record):
        return NOTHING if songs is None else songs_text(songs)
    trained, judged = record.task.params["trained_on"]["dataset"], record.task.params["dataset"]
    other = f"another {trained}" if trained == judged else str(trained)
    return other if songs is None else f"{songs_text(songs)} of {other}"


def number_text(record: Record, metric: str, digits: int = 3) -> str:
    """A metric's value; a dash where there is none."""
    found = value(record, metric)
    return NOTHING if found is None else f"{found:.{digits}f}"


def interval_text(record: Record, metric: str, digits: int = 3) -> str:
    """A metric's value with its interval: ``0.973 (0.958–0.985)``."""
    text = number_text(record, metric, digits)
    found: Any = record.metrics.get(metric)
    if text == NOTHING or not isinstance(found, Mapping) or found.get("low") is None:
        return text
    return f"{text} ({found['low']:.{digits}f}–{found['high']:.{digits}f})"


def _beside(record: Record, metric: str, paper: float | None) -> str:
    ours = number_text(record, metric)
    return ours if paper is None else f"{ours} ({paper:.3f})"


def _paper_notes(records: Sequence[Record]) -> tuple[str, ...]:
    notes = [f"Paper: {bassnet_tables().source}; its data are 1000 songs of each dataset, its models have 128 maps."]
    if any(not cross_reconstruction(record) for record in records):
        notes.append("Without cross-reconstruction the paper publishes accuracies only, and of 40/40 only (Table 3).")
    if any(record.task.params["config"]["objective"]["level"] == "absolute" for record in records):
        notes.append(
            "Our level is absolute (dB re full scale), the paper's is scaled per track: their cross-entropies have "
            "different floors; the excess over the targets' entropy compares."
        )
    if any(not same_data(record) for record in records):
        notes.append("Where a row names a dataset that it was trained on, it is judged on songs of another one.")
    if any(patterns_text(record) != NOTHING for record in records):
        notes.append("Patterns judged: those of the dataset that the songs play; fewer are easier to tell apart.")
    return tuple(notes)
