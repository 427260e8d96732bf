"""Judge a trained model: every figure of a record of kind ``evaluation``.

What each figure means, with formula and unit, is in the modules ``evaluation_*`` and, together, in docs/bassnet.md.
Each is ``{value, low, high, n, songs}``: the 95 % interval is :class:`.evaluation_intervals.SongBootstrap`'s, ``n``
counts frames, windows or onsets; where there is nothing to measure, value and interval are None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dataset import Dataset
from .decoding import FRAMES_PER_SECOND, onset_threshold, pick_onsets
from .evaluation_cross_entropy import cross_entropies
from .evaluation_harmonics import HarmonicErrors, harmonic_errors, resolved_harmonics, typical_timbre
from .evaluation_intervals import Metric, SongBootstrap
from .evaluation_latent import QuadraticAnalysis, quadratic_analysis
from .evaluation_onsets import match_onsets
from .evaluation_pitch import cents_between, is_right_pitch, pitch_metrics
from .evaluation_tracks import JudgedTrack, judged_track, latent_track, predicted_track
from .features import FeatureSet, features
from .level import RANGE_DB
from .run import Run
from .windows import WindowSource

MOST_TRAINING_SONGS = 4
"""On so many the threshold of onsets is fitted."""
MOST_SONGS_OF_TIMBRE = 24
"""Of so many the typical timbre is taken."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What an evaluation found.

    Attributes:
        metrics: for a record.
        windows: a column each of ``song`` (its number in the dataset), ``seconds`` (of the window's center), ``z1``,
            ``z2`` (and so on) and ``pattern``; a row a window.
    """

    metrics: dict[str, Any]
    windows: dict[str, NDArray[Any]]


def evaluate_run(
    run: Run,
    dataset: Dataset,
    *,
    songs: Sequence[int],
    onsets_from: float,
    timbre: NDArray[np.float64] | None = None,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _songs: None,
) -> Findings:
    """Judge a run on some songs.

    Args:
        run: on the device that computes.
        dataset: whose songs.
        songs: their numbers; those shorter than a window are left out, and counted in ``songs_too_short``.
        onsets_from: threshold of the onset curve, see :func:`fit_onset_threshold`.
        timbre: what always naming it scores is told, too; see :func:`typical_timbre_of`; None if there is none.
        seed: of the bootstrap.
        progress: called with the number of songs done since the last call.

    Raises:
        ValueError: if no song is as long as a window, or a file is missing or damaged.
    """
    device = next(run.model.parameters()).device
    found = features(dataset, run.config.cqt, device=device, songs=songs)
    source = WindowSource(found, run.config.model, run.config.cqt, run.config.objective.level)
    lengths = found.starts.diff().cpu().numpy()
    judged = [place for place in range(found.songs) if lengths[place] >= run.config.model.expanded]
    bootstrap = SongBootstrap(lengths.tolist(), seed=seed)
    metrics = cross_entropies(run, source, bootstrap)
    latent: list[dict[str, NDArray[Any]]] = []
    tracks: dict[int, JudgedTrack] = {}
    for place in judged:
        where, points = found.frames_of(place), latent_track(run, found, place)
        latent.append(
            {
                "place": np.full(len(points.frame), place),
                "frame": points.frame,
                "z": points.z,
                "pattern": found.pattern[where].cpu().numpy()[points.frame],
            }
        )
        tracks[place] = judged_track(run, found, place)
        progress(1)
    joined = {name: np.concatenate([each[name] for each in latent]) for name in latent[0]}
    metrics |= _pitch(tracks, bootstrap) | _harmonics(tracks, bootstrap)
    if timbre is not None and found.harmonics is not None:
        metrics |= _typical(found, run, timbre, tracks, bootstrap)
    metrics |= _levels(run, dataset, songs, tracks, bootstrap)
    metrics |= _onsets({place: dataset.about(songs[place]).onsets for place in judged}, tracks, onsets_from, bootstrap)
    metrics |= _latent(dataset, songs, joined, bootstrap)
    metrics |= {
        "voicing_threshold": run.threshold,
        "onset_threshold": onsets_from,
        "songs_too_short": found.songs - len(judged),
    }
    return Findings(metrics=metrics, windows=_window_columns(songs, joined))


def fit_onset_threshold(run: Run, dataset: Dataset, *, songs: Sequence[int]) -> float:
    """The threshold of the onset curve that suits training songs best, see :func:`.decoding.onset_threshold`.

    Args:
        run: on the device that computes.
        dataset: that it was trained on.
        songs: that it was trained on; at most :data:`MOST_TRAINING_SONGS` are looked at.

    Raises:
        ValueError: if none of these is as long as a window.
    """
    chosen = [songs[place] for place in _spread(len(songs), MOST_TRAINING_SONGS)]
    device = next(run.model.parameters()).device
    found = features(dataset, run.config.cqt, device=device, songs=chosen)
    WindowSource(found, run.config.model, run.config.cqt)
    long_enough = [place for place in range(found.songs) if _frames(found, place) >= run.config.model.expanded]
    curves = [predicted_track(run, found, place).onset.double().cpu().numpy() for place in long_enough]
    return onset_threshold(curves, [np.array(dataset.about(chosen[place]).onsets) for place in long_enough])


def typical_timbre_of(dataset: Dataset, songs: Sequence[int]) -> NDArray[np.float64] | None:
    """See :func:`.evaluation_harmonics.typical_timbre`; None where the dataset knows no harmonics that sound.

    Args:
        dataset: that a run was trained on.
        songs: that it was trained on; at most :data:`MOST_SONGS_OF_TIMBRE`, evenly spread, are looked at.
    """
    labels = [dataset.labels(songs[place]) for place in _spread(len(songs), MOST_SONGS_OF_TIMBRE)]
    return typical_timbre((each.f0, each.harmonics) for each in labels if each.harmonics is not None)


def _spread(songs: int, most: int) -> list[int]:
    return [int(place) for place in np.unique(np.linspace(0, songs - 1, most).round())]


def _frames(found: FeatureSet, song: int) -> int:
    where = found.frames_of(song)
    return where.stop - where.start


def _pitch(tracks: dict[int, JudgedTrack], bootstrap: SongBootstrap) -> dict[str, Metric]:
    f0, voiced, true = (
        _joined(tracks, lambda one, name=name: getattr(one, name)) for name in ("f0", "voiced", "true_f0")
    )
    return pitch_metrics(f0, voiced.astype(bool), true, **_everywhere(tracks), bootstrap=bootstrap)


def _harmonics(tracks: dict[int, JudgedTrack], bootstrap: SongBootstrap) -> dict[str, Any]:
    """On pitch-matched frames; with ``_all_frames``, on all; with ``_reading``, of the representation itself."""
    where, matches = _everywhere(tracks), _right_pitch(tracks)
    errors, reading = (_joined_errors([getattr(one, name) for one in tracks.values()]) for name in _ERRORS)
    matched = HarmonicErrors(np.where(matches, errors.decibels.T, 0.0).T, errors.counts & matches[:, None])
    metrics: dict[str, Any] = {}
    for suffix, own in (("", matched), ("_all_frames", errors), ("_reading", reading)):
        for name, judged in (("harmonic_db", own), ("harmonic_db_level_free", own.level_free())):
            used = judged.frames()
            at = {axis: place[used] for axis, place in where.items()}
            metrics[f"{name}{suffix}"] = bootstrap.mean(judged.distances(), **at)
            if not suffix:
                metrics[f"{name}_of_each"] = judged.of_each_harmonic()
    return metrics


def _typical(
    found: FeatureSet, run: Run, timbre: NDArray[np.float64], tracks: dict[int, JudgedTrack], bootstrap: SongBootstrap
) -> dict[str, Any]:
    """Of the training songs' typical timbre, at the true pitch: what a model scores that has learnt no more."""
    assert found.harmonics is not None
    cqt, where = run.config.cqt, _everywhere(tracks)
    true = np.concatenate([found.harmonics[found.frames_of(place)].double().cpu().numpy() for place in tracks])
    f0 = _joined(tracks, lambda one: one.true_f0)
    named = np.broadcast_to(timbre[: resolved_harmonics(cqt)], (len(true), min(len(timbre), resolved_harmonics(cqt))))
    errors = harmonic_errors(named * true.max(axis=1, keepdims=True), true, f0, cqt).level_free()
    used = errors.frames()
    at = {axis: place[used] for axis, place in where.items()}
    return {
        "harmonic_db_level_free_typical": bootstrap.mean(errors.distances(), **at),
        "harmonic_db_level_free_typical_of_each": errors.of_each_harmonic(),
    }


_ERRORS = ("harmonics", "reading")


def _joined_errors(several: Sequence[HarmonicErrors]) -> HarmonicErrors:
    return HarmonicErrors(*(np.concatenate([getattr(one, name) for one in several]) for name in ("decibels", "counts")))


def _right_pitch(tracks: dict[int, JudgedTrack]) -> NDArray[np.bool_]:
    def of_one(track: JudgedTrack) -> NDArray[np.bool_]:
        sounds, right = track.true_f0 > 0, np.zeros(track.f0.size, bool)
        right[sounds] = is_right_pitch(cents_between(track.f0[sounds], track.true_f0[sounds]))
        return right

    return _joined(tracks, of_one)


def _levels(
    run: Run, dataset: Dataset, songs: Sequence[int], tracks: dict[int, JudgedTrack], bootstrap: SongBootstrap
) -> dict[str, Metric]:
    """Mean absolute error in dB: over all frames, and over those where something sounds."""

    def decibels(place: int, track: JudgedTrack) -> NDArray[np.float64]:
        low, high = dataset.manifest.level_range[songs[place]]
        span = RANGE_DB if run.config.objective.level == "absolute" else high - low
        return span * np.abs(track.level - track.true_level)

    error = np.concatenate([decibels(place, track) for place, track in tracks.items()])
    where, sounds = _everywhere(tracks), _joined(tracks, lambda one: one.true_f0 > 0)
    return {
        "level_db": bootstrap.mean(error, **where),
        "level_db_voiced": bootstrap.mean(error[sounds], **{name: each[sounds] for name, each in where.items()}),
    }


def _onsets(
    true: dict[int, Sequence[float]], tracks: dict[int, JudgedTrack], threshold: float, bootstrap: SongBootstrap
) -> dict[str, Metric]:
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("place", "frame", "is_true", "is_hit")}
    songs: list[float] = []
    for place, track in tracks.items():
        match = match_onsets(pick_onsets(track.onset, threshold=threshold), np.array(true[place], dtype=np.float64))
        seconds = np.concatenate([match.true, match.predicted])
        parts["place"].append(np.full(seconds.size, place))
        last = track.onset.size - 1
        parts["frame"].append(np.minimum((seconds * FRAMES_PER_SECOND).round().astype(np.int64), last))
        parts["is_true"].append(np.arange(seconds.size) < match.true.size)
        parts["is_hit"].append(np.concatenate([match.true_is_hit, match.predicted_is_hit]))
        songs.append(match.f_measure)
    place, frame, is_true, is_hit = (np.concatenate(each) for each in parts.values())
    where = {"song": place, "frame": frame}
    of_true, of_predicted = ({name: each[flags] for name, each in where.items()} for flags in (is_true, ~is_true))
    firsts = {"song": np.array(list(tracks)), "frame": np.zeros(len(tracks), dtype=np.int64)}
    return {
        # A hit stands among the true onsets and among the predicted ones: 2·hits over all of both.
        "onset_f_measure": bootstrap.mean(is_hit, **where),
        "onset_precision": bootstrap.mean(is_hit[~is_true], **of_predicted),
        "onset_recall": bootstrap.mean(is_hit[is_true], **of_true),
        "onset_f_measure_of_songs": bootstrap.mean(songs, **firsts),
    }


def _latent(
    dataset: Dataset, songs: Sequence[int], windows: dict[str, NDArray[Any]], bootstrap: SongBootstrap
) -> dict[str, Any]:
    """Table 2: the quadratic classifier; its folds are of groups of songs that belong together."""
    group = np.array([dataset.groups[song] for song in songs])[windows["place"]]
    analysis: QuadraticAnalysis | None = quadratic_analysis(windows["z"], windows["pattern"], group)
    nothing = bootstrap.mean([], song=[], frame=[])
    if analysis is None:
        return {"qda_accuracy": nothing, "qda_accuracy_folds": nothing, "quadratic_classifier": None}
    where = {"song": windows["place"][analysis.judged], "frame": windows["frame"][analysis.judged]}
    folds = analysis.right_in_folds
    return {
        "qda_accuracy": bootstrap.mean(analysis.right, **where),
        "qda_accuracy_folds": nothing if folds is None else bootstrap.mean(folds, **where),
        "commonest_pattern": float(analysis.priors.max()),
        "quadratic_classifier": analysis.as_metric(),
    }


def _everywhere(tracks: dict[int, JudgedTrack]) -> dict[str, NDArray[np.int64]]:
    """Song and frame of every frame of the judged songs."""
    return {
        "song": np.concatenate([np.full(track.f0.size, place) for place, track in tracks.items()]),
        "frame": np.concatenate([np.arange(track.f0.size) for track in tracks.values()]),
    }


def _joined(tracks: dict[int, JudgedTrack], part: Callable[[JudgedTrack], NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([part(track) for track in tracks.values()])


def _window_columns(songs: Sequence[int], windows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    z = windows["z"].astype(np.float32)
    return {
        "song": np.array(songs, dtype=np.int32)[windows["place"]],
        "seconds": (windows["frame"] / FRAMES_PER_SECOND).astype(np.float32),
        **{f"z{dimension + 1}": z[:, dimension] for dimension in range(z.shape[1])},
        "pattern": windows["pattern"].astype(np.int8),
    }
