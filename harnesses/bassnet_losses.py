"""What BassNet is trained with: its own objective, or a distance in the place of some of its terms."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ..bassnet.audio_term import AudioTerm, AudioTermConfig, Condition
from ..bassnet.config import SAMPLE_RATE, BassNetConfig, CqtConfig
from ..bassnet.dataset import Dataset
from ..bassnet.features import FeatureSet
from ..bassnet.level import check_absolute
from ..bassnet.model import BassNet
from ..bassnet.paths import PATHS
from ..bassnet.targets import stem_audio
from ..losses import AudioDistance, make
from ..results.record import DistanceIdentity
from ..results.training_comparison import NONE, PAPER
from .identity import identify
from .sources import package_versions
from .suites import HOUSE_MODE

BASELINES = (PAPER, NONE)
"""No distances: BassNet's own objective, and the same without the terms that a distance would replace."""
USUAL_PATHS: dict[Condition, str] = {"audio-only": "entropic", "replace": "given"}
"""The path of a condition if none is named. Where the distance teaches pitch, pitches are tried. Where labels do, tones
are rendered at the labels' pitch: some cents beside it a distance does not ask for the true amplitudes."""


def config_with(loss: str, term: AudioTermConfig, config: BassNetConfig) -> BassNetConfig:
    """A configuration beside a distance, or of a baseline.

    Args:
        loss: a baseline, or a distance's text.
        term: how a distance takes part. Its condition says which terms are replaced: the squared error of the log
            magnitude; in ``audio-only`` f0's cross-entropy as well, and then f0 is what its path teaches.
        config: with all terms.

    Raises:
        ValueError: if a distance is to hear a level that is not absolute.
    """
    if loss not in BASELINES:
        check_absolute(config, f"{loss} cannot be trained with")
    if loss == PAPER:
        return config
    if term.condition == "replace":
        return replace(config, objective=replace(config.objective, spectral_weight=0.0))
    reading = config.model.f0_reading if loss in BASELINES else PATHS[term.path].f0_reading
    return replace(
        config,
        model=replace(config.model, f0_reading=reading),
        objective=replace(config.objective, spectral_weight=0.0, f0_weight=0.0),
    )


def distance_of(loss: str, config: AudioTermConfig, cqt: CqtConfig) -> AudioDistance | None:
    """The distance that a text names, if it can be trained with; None for a baseline.

    Raises:
        ValueError: if there is none, it has no gradient and the path needs one (the message names a path that would
            do), or it needs longer segments.
        ImportError: if it is not available here.
    """
    if loss in BASELINES:
        return None
    distance = made(loss)
    if config.condition == "replace" and not distance.differentiable:
        raise ValueError(
            f"{loss} has no gradient, and in the condition replace pitch is not taught by it; the condition audio-only "
            "on the path entropic would do"
        )
    PATHS[config.path](cqt=cqt).check(distance, loss)
    shortest = distance.min_samples / SAMPLE_RATE
    if shortest > config.segment_seconds:
        raise ValueError(
            f"{loss} needs segments of at least {shortest:.3g} s (--segment-seconds), got {config.segment_seconds:g} s"
        )
    return distance


def made(text: str) -> AudioDistance:
    """A distance at BassNet's sample rate, in the mode that ``tonedeaf swap`` ranks it in: frames that fit.

    What it warns of as it is made (empty mel filters) is for its ranking.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(text, sample_rate=SAMPLE_RATE, preset=HOUSE_MODE.distance)


def identify_loss(text: str, others: Sequence[type[Any]]) -> tuple[DistanceIdentity, str]:
    """What BassNet is trained with: a distance at its sample rate, or one of the baselines ``paper`` and ``none``.

    Args:
        text: a baseline, or see :func:`tonedeaf.make`.
        others: classes that decide the numbers beside the distance's own.

    Raises:
        ValueError: if there is no such distance.
        ImportError: if it is not available here.
    """
    if text not in BASELINES:
        return identify(text, made(text), others)
    _, digest = identify(text, None, others)
    packages = package_versions(others)
    baseline = DistanceIdentity(name=text, class_name="baseline", params={}, weights_sha256=None, packages=packages)
    return baseline, digest


def audio_term(
    loss: str,
    config: AudioTermConfig,
    training: FeatureSet,
    model: BassNet,
    *,
    dataset: Dataset,
    songs: Sequence[int],
    seed: int,
    transposition: float,
) -> AudioTerm | None:
    """A distance as a term of the objective, calibrated; None for a baseline.

    Args:
        loss: a baseline, or a distance's text.
        config: how it takes part.
        training: features of the training songs.
        model: with the weights that training starts from.
        dataset: whose songs.
        songs: numbers of the training songs.
        seed: of what calibration draws.
        transposition: of the objective's windows, in cents; segments are moved likewise.

    Raises:
        ValueError: see :func:`distance_of`; or if the data lack what the target needs.
    """
    distance = distance_of(loss, config, model.cqt)
    if distance is None:
        return None
    stems = None
    if config.target == "stem":
        stems = stem_audio([torch.from_numpy(dataset.song(index).bass) for index in songs], training.starts)
        stems = stems.to(training.device)
    term = AudioTerm(loss, distance, config, training, model, stems=stems, transposition=transposition)
    term.calibrate(model.train(), torch.Generator().manual_seed(seed))
    return term
