"""A whole evaluation: a perfect prediction scores perfectly, a bent one is bent by as much, and numbers agree."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tonedeaf.bassnet import evaluation_pitch_grid, evaluation_tracks
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.config import BassNetConfig, ModelConfig, TrainingConfig, preset
from tonedeaf.bassnet.dataset import Dataset
from tonedeaf.bassnet.decoding import pick_onsets
from tonedeaf.bassnet.evaluation import evaluate_run, fit_onset_threshold, typical_timbre_of
from tonedeaf.bassnet.evaluation_cross_entropy import cross_entropies
from tonedeaf.bassnet.evaluation_intervals import SongBootstrap
from tonedeaf.bassnet.evaluation_pitch_grid import grid_axis, intervals_above, pitch_grid
from tonedeaf.bassnet.features import FeatureSet, features
from tonedeaf.bassnet.level import RANGE_DB
from tonedeaf.bassnet.manifest import VERSION, Recipe
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.rendering import render_dataset
from tonedeaf.bassnet.run import Run
from tonedeaf.bassnet.tracks import Track, encode_track
from tonedeaf.bassnet.validation import validate
from tonedeaf.bassnet.windows import WindowSource

SONGS = [0, 2, 3]
CONFIG = BassNetConfig(
    cqt=preset("tiny").cqt,
    model=ModelConfig(window=10, expanded=10, maps=4),
    objective=preset("tiny").objective,
    training=TrainingConfig(validation_windows=120),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    renderer = AdditiveRenderer()
    recipe = Recipe(
        version=VERSION,
        dataset="A1",
        seed=3,
        songs=4,
        seconds=8.0,
        sample_rate=16000,
        renderer=renderer.identity,
    )
    with ThreadPoolExecutor(1) as executor:
        return render_dataset(tmp_path_factory.mktemp("data") / "A1", recipe, renderer, executor)


def a_run(config: BassNetConfig = CONFIG, *, threshold: float = 0.3) -> Run:
    torch.manual_seed(0)
    return Run(
        folder=Path("nowhere"),
        config=config,
        about={},
        model=BassNet(config.model, config.cqt).eval(),
        threshold=threshold,
        step=0,
        steps=0,
        seconds=0.0,
        validation={},
        finished=True,
    )


@pytest.fixture(scope="module")
def run() -> Run:
    return a_run()


def truth(run: Run, found: FeatureSet, song: int, *, octaves: int = 0, level: float = 0.0) -> Track:
    """The track that a model would predict that knows everything, or one that is off by as much."""
    where, cqt = found.frames_of(song), run.config.cqt
    f0 = found.f0[where].double()
    place = cqt.bins_per_octave * (torch.log2(f0.clamp(min=27.5) / 27.5) + octaves)
    lower, share = place.floor().long(), (place - place.floor()).unsqueeze(1)
    one_hot = torch.nn.functional.one_hot
    probabilities = (1 - share) * one_hot(lower, cqt.bins) + share * one_hot(lower + 1, cqt.bins)
    voiced = (f0 > 0).double()
    return Track(
        y=found.bass[where].float(),
        f0_probabilities=probabilities,
        level=(found.level[where].double() + level).clamp(0, 1) * voiced + 0.29 * (1 - voiced),
        onset=found.onset[where].double(),
    )


def predicting(track: Callable[[Run, FeatureSet, int], Track], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_tracks, "predicted_track", track)


def test_a_perfect_prediction_scores_perfectly(dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch):
    predicting(truth, monkeypatch)
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5).metrics
    for name in ("raw_pitch_accuracy", "raw_chroma_accuracy", "onset_f_measure", "onset_precision", "onset_recall"):
        assert found[name]["value"] == 1, name
    assert found["octave_errors"]["value"] == 0
    assert found["median_cents"]["value"] < 1e-3
    # A voiced frame whose level is near the threshold of 0.3 (−56 dB) is not heard; there are none.
    assert found["overall_accuracy"]["value"] == found["voicing_recall"]["value"] == 1
    assert found["level_db_voiced"]["value"] == 0
    # What is left of the harmonics' error is the representation's own.
    assert found["harmonic_db"] == found["harmonic_db_all_frames"]
    assert found["harmonic_db"]["value"] == pytest.approx(found["harmonic_db_reading"]["value"], abs=1e-6)
    assert found["harmonic_db_level_free"]["value"] < found["harmonic_db"]["value"]
    assert len(found["harmonic_db_of_each"]) == 8


def test_what_naming_a_timbre_scores_is_told_and_does_not_depend_on_the_model(dataset: Dataset, run: Run):
    other = a_run(replace(CONFIG, model=replace(CONFIG.model, maps=CONFIG.model.maps + 1)))
    name, found = "harmonic_db_level_free_typical", dict[str, float]()
    for which, named in (("own", [0]), ("another's", [1])):
        timbre = typical_timbre_of(dataset, named)
        one, two = (
            evaluate_run(each, dataset, songs=[0], onsets_from=0.5, timbre=timbre).metrics for each in (run, other)
        )
        assert one[name] == two[name]
        assert len(one[f"{name}_of_each"]) == 8
        found[which] = one[name]["value"]
    assert found["own"] < 1, "partials of one song decay, the higher ones faster"
    assert found["another's"] > 2 * found["own"]
    assert name not in evaluate_run(run, dataset, songs=[0], onsets_from=0.5).metrics


def test_an_octave_above_is_an_octave_error(dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch):
    predicting(lambda *one: truth(*one, octaves=1), monkeypatch)
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5).metrics
    assert found["raw_pitch_accuracy"]["value"] == 0
    assert found["raw_chroma_accuracy"]["value"] == found["octave_errors"]["value"] == 1
    assert found["median_cents"]["value"] == pytest.approx(1200)
    assert found["harmonic_db"]["n"] == 0, "no frame's pitch is right"
    assert found["harmonic_db"]["value"] is None
    assert found["harmonic_db_all_frames"]["value"] > found["harmonic_db_reading"]["value"]


def test_a_level_that_is_off_is_off_by_as_many_decibels(dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch):
    predicting(lambda *one: truth(*one, level=-0.05), monkeypatch)
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5).metrics
    assert found["level_db_voiced"]["value"] == pytest.approx(0.05 * RANGE_DB, rel=1e-6)


@pytest.mark.parametrize("expanded", [10, 40])
def test_cross_entropies_are_those_that_training_validates_with(expanded: int, dataset: Dataset):
    """Of pooled steps, too: they count as their share of voiced frames."""
    run = a_run(replace(CONFIG, model=replace(CONFIG.model, expanded=expanded)))
    source = WindowSource(features(dataset, CONFIG.cqt, songs=SONGS), run.config.model, CONFIG.cqt)
    found = cross_entropies(run, source, SongBootstrap(source.features.starts.diff().tolist()))
    theirs = validate(run.model, source, CONFIG.objective, windows=CONFIG.training.validation_windows)
    for name in ("f0", "level", "onset"):
        ours = found[f"{name}_cross_entropy"]
        # float32 sums in another order
        assert ours["value"] == pytest.approx(theirs[name], rel=1e-5), name
        assert found[f"{name}_cross_entropy_excess"]["value"] < ours["value"] + 1e-9
    level = found["level_cross_entropy"]["value"] - found["level_cross_entropy_excess"]["value"]
    assert 0.2 < level < np.log(2), "the entropy of soft targets"


def test_windows_are_those_of_the_songs_and_their_patterns(dataset: Dataset, run: Run):
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5)
    columns = found.windows
    assert list(columns) == ["song", "seconds", "z1", "z2", "pattern"]
    assert sorted(set(columns["song"].tolist())) == SONGS
    song = dataset.song(2)
    own = columns["song"] == 2
    frame = np.rint(columns["seconds"][own] * 100).astype(int)
    np.testing.assert_array_equal(np.diff(frame), 10)
    np.testing.assert_array_equal(columns["pattern"][own], song.labels.pattern[frame])
    whole = features(dataset, CONFIG.cqt, songs=[2])
    z, centre = encode_track(run.model, whole.mix, whole.bass, hop_windows=1.0)
    np.testing.assert_array_equal(frame, centre.numpy())
    np.testing.assert_allclose(columns["z1"][own], z[:, 0].numpy(), atol=1e-6)
    assert found.metrics["qda_accuracy"]["n"] == own.size - (columns["pattern"] < 0).sum()


def test_each_window_is_decoded_from_its_own_latent(dataset: Dataset):
    """By hand, for a window in the middle: overlap-add of windows that are decoded one by one."""
    run = a_run()
    with torch.no_grad():
        run.model.mu.weight.mul_(30)  # so that z matters, as in a trained model
    found = features(dataset, CONFIG.cqt, songs=[0])
    track = evaluation_tracks.predicted_track(run, found, 0)
    half, start = 5, 205
    window = torch.hann_window(10, periodic=True)
    expected = torch.zeros(half, CONFIG.cqt.bins)
    for first in (start - half, start):
        x, bass = (part[first : first + 10].float()[None, None] for part in (found.mix, found.bass))
        with torch.no_grad():
            z = run.model.encode(x, bass).mu
            y, elsewhere = (run.model.decode(x, each).y[0, 0] for each in (z, z + 1))
        assert (y - elsewhere).abs().max() > 0.1 * y.abs().max()
        part = slice(start - first, start - first + half)
        expected += y[part] * window[part, None]
    found_there = track.y[start : start + half]
    np.testing.assert_allclose(found_there.numpy(), expected.numpy(), atol=1e-3 * float(expected.abs().max()))


def test_an_evaluation_is_a_pure_function(dataset: Dataset, run: Run):
    done: list[int] = []
    one = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5)
    other = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5, progress=done.append)
    assert one.metrics == other.metrics
    assert sum(done) == len(SONGS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_the_same(dataset: Dataset):
    on_cpu, on_gpu = a_run(), a_run()
    on_gpu.model.to("cuda")
    one, other = (evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5) for run in (on_cpu, on_gpu))
    for name in ("f0_cross_entropy", "level_cross_entropy", "level_db", "harmonic_db_all_frames", "median_cents"):
        assert other.metrics[name]["value"] == pytest.approx(one.metrics[name]["value"], rel=1e-2), name
    np.testing.assert_allclose(other.windows["z1"], one.windows["z1"], atol=1e-2)  # TF32


def test_the_onset_threshold_is_fitted_on_training_songs(dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch):
    def faint(run: Run, found: FeatureSet, song: int) -> Track:
        track = truth(run, found, song)
        return Track(track.y, track.f0_probabilities, track.level, 0.3 * track.onset + 0.1)

    monkeypatch.setattr("tonedeaf.bassnet.evaluation.predicted_track", faint)
    assert 0.1 < fit_onset_threshold(run, dataset, songs=[1, 2]) <= 0.4


def test_multi_resolution_windows_are_judged_too(dataset: Dataset):
    config = BassNetConfig(cqt=CONFIG.cqt, model=ModelConfig(window=10, expanded=40, maps=4), training=CONFIG.training)
    found = evaluate_run(a_run(config), dataset, songs=[0, 1], onsets_from=0.5)
    frame = np.rint(found.windows["seconds"][found.windows["song"] == 0] * 100)
    np.testing.assert_array_equal(np.diff(frame), 10)
    assert found.metrics["f0_cross_entropy"]["value"] > 0
    assert found.metrics["raw_pitch_accuracy"]["n"] > 0


def test_songs_shorter_than_a_window_are_left_out_or_refused(dataset: Dataset):
    config = BassNetConfig(
        cqt=CONFIG.cqt, model=ModelConfig(window=10, expanded=1280, maps=4), training=CONFIG.training
    )
    with pytest.raises(ValueError, match="no song is as long as a window of 1280 frames of 10 ms: the longest has"):
        evaluate_run(a_run(config), dataset, songs=SONGS, onsets_from=0.5)


def test_a_bass_that_never_plays_gives_no_number_and_no_nan(
    dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch
):
    def silent(*arguments: object, **options: object) -> FeatureSet:
        found = features(*arguments, **options)  # pyright: ignore[reportArgumentType]
        assert found.harmonics is not None
        nothing = {name: torch.zeros_like(getattr(found, name)) for name in ("f0", "onset", "harmonics", "bass")}
        return FeatureSet(**{**vars(found), **nothing, "pattern": torch.full_like(found.pattern, -1)})

    monkeypatch.setattr("tonedeaf.bassnet.evaluation.features", silent)
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5).metrics
    for name in ("raw_pitch_accuracy", "median_cents", "harmonic_db", "f0_cross_entropy", "qda_accuracy"):
        assert found[name]["value"] is None, name
        assert found[name]["n"] == 0, name
    assert found["quadratic_classifier"] is None
    assert found["level_db"]["value"] is not None
    numbers = [part for one in found.values() if isinstance(one, dict) for part in one.values() if part is not None]
    assert all(np.isfinite(number).all() for number in numbers)


def test_without_known_harmonics_there_is_no_harmonic_error(
    dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch
):
    def unknown(*arguments: object, **options: object) -> FeatureSet:
        return FeatureSet(**{**vars(features(*arguments, **options)), "harmonics": None})  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr("tonedeaf.bassnet.evaluation.features", unknown)
    found = evaluate_run(run, dataset, songs=SONGS, onsets_from=0.5).metrics
    nothing = {"value": None, "low": None, "high": None, "n": 0, "songs": 0, "of_songs": [[0.0, 0.0]] * len(SONGS)}
    assert found["harmonic_db"] == nothing
    assert found["raw_pitch_accuracy"]["n"] > 0


def test_the_grid_counts_semitones_above_the_chords_root(dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch):
    """A bass that always plays the octave below the root, a little off; the data play degrees 1, 3 and 5.

    It is off towards where a reference that ignored the song's tuning would take it for another semitone.
    """
    song = dataset.song(0)
    assert abs(song.about.detuning) > 12
    root = 440 * 2 ** ((song.labels.chord_root - 69) / 12 + song.about.detuning / 1200)

    def octave_below(model: BassNet, mix: torch.Tensor, z: torch.Tensor) -> Track:
        off = 0.4 * np.sign(song.about.detuning)
        place = torch.from_numpy(12 * np.log2(root[: len(mix)] / 2 / 27.5) + off)
        lower = place.floor().long()
        share = (place - lower).unsqueeze(1)
        one_hot = torch.nn.functional.one_hot
        probabilities = (1 - share) * one_hot(lower, model.cqt.bins) + share * one_hot(lower + 1, model.cqt.bins)
        return Track(torch.zeros(len(mix), model.cqt.bins), probabilities, torch.ones(len(mix)), torch.zeros(len(mix)))

    monkeypatch.setattr(evaluation_pitch_grid, "predict_track", octave_below)
    points: list[int] = []
    z = np.random.default_rng(0).normal(size=(100, 2))
    found = pitch_grid(run, dataset, songs=[0], z=z, progress=points.append)
    assert found.reference == "the root of the chord"
    assert sum(points) == 25
    columns = found.columns
    assert columns["share"].size == 25 * 37
    np.testing.assert_allclose(columns["share"], columns["interval"] == -12, atol=1e-12)
    data = dict(zip(columns["interval"][:37].tolist(), columns["data_share"][:37].tolist(), strict=True))
    played = {interval for interval, share in data.items() if share > 0}
    assert played <= {-12, -9, -8, -6, -5}
    assert sum(data.values()) == pytest.approx(1)
    assert found.seconds == pytest.approx(len(song.labels) / 100)


def test_without_chords_the_grid_is_relative_to_the_recorded_bass(
    dataset: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch
):
    """A bass that plays what was recorded, a fifth higher: every interval is 7, and 0 in the data."""
    song = dataset.song(0)
    labels = replace(song.labels, chord_root=np.full_like(song.labels.chord_root, -1))
    monkeypatch.setattr(Dataset, "song", lambda _dataset, _index: replace(song, labels=labels))

    def a_fifth_higher(model: BassNet, mix: torch.Tensor, z: torch.Tensor) -> Track:
        f0 = torch.from_numpy(labels.f0[: len(mix)]).double()
        place = (12 * torch.log2(f0.clamp(min=27.5) / 27.5) + 7).round().long()
        probabilities = torch.nn.functional.one_hot(place, model.cqt.bins).double()
        return Track(torch.zeros(len(mix), model.cqt.bins), probabilities, torch.ones(len(mix)), torch.zeros(len(mix)))

    monkeypatch.setattr(evaluation_pitch_grid, "predict_track", a_fifth_higher)
    found = pitch_grid(run, dataset, songs=[0], z=np.random.default_rng(0).normal(size=(100, 2)))
    assert found.reference == "the recorded bass"
    np.testing.assert_allclose(found.columns["share"], found.columns["interval"] == 7, atol=1e-12)
    np.testing.assert_allclose(found.columns["data_share"], found.columns["interval"] == 0, atol=1e-12)


def test_the_grid_spans_the_data_and_not_a_point():
    values = np.linspace(-3, 5, 1001)
    np.testing.assert_allclose(grid_axis(values), np.linspace(-2.6, 4.6, 5), atol=1e-3)
    np.testing.assert_allclose(grid_axis(np.full(10, 0.5)), [-0.5, 0, 0.5, 1, 1.5])
    assert intervals_above(np.array([220.0, 100.0]), np.array([440.0, 150.0])).tolist() == [-12, -7]


def test_onsets_come_from_the_curve(dataset: Dataset, run: Run):
    found = features(dataset, CONFIG.cqt, songs=[0])
    picked = pick_onsets(found.onset.numpy(), threshold=0.5)
    np.testing.assert_allclose(picked, dataset.about(0).onsets, atol=0.0051)
