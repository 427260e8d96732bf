"""``tonedeaf evaluate``: a record with every figure, tables, figures to open, and one line for what is wrong."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.checkpoint import BEST, CONFIG, LAST, State, read_state, write_state
from tonedeaf.bassnet.config import BassNetConfig, ModelConfig, preset
from tonedeaf.bassnet.dataset import Dataset, open_dataset
from tonedeaf.bassnet.features import features
from tonedeaf.bassnet.manifest import VERSION, Recipe
from tonedeaf.bassnet.rendering import render_dataset
from tonedeaf.bassnet.split import split_songs
from tonedeaf.bassnet.training import train
from tonedeaf.harnesses import evaluate_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.results import RecordStore

PROMISED = (
    "f0_cross_entropy",
    "level_cross_entropy",
    "onset_cross_entropy",
    "qda_accuracy",
    "raw_pitch_accuracy",
    "raw_chroma_accuracy",
    "median_cents",
    "octave_errors",
    "harmonic_db",
    "harmonic_db_level_free",
    "onset_f_measure",
    "level_db",
)
"""What other commands may rely on."""


def rendered(folder: Path, *, dataset: str, seed: int, songs: int = 3) -> Dataset:
    renderer = AdditiveRenderer()
    recipe = Recipe(
        version=VERSION,
        dataset=dataset,
        seed=seed,
        songs=songs,
        seconds=4.0,
        sample_rate=16000,
        renderer=renderer.identity,
    )
    with ThreadPoolExecutor(1) as executor:
        return render_dataset(folder, recipe, renderer, executor)


def config(*, cross_reconstruction: bool = True) -> BassNetConfig:
    tiny = preset("tiny")
    return replace(
        tiny,
        model=ModelConfig(window=10, expanded=10, maps=4),
        objective=replace(tiny.objective, cross_reconstruction=cross_reconstruction),
        training=replace(tiny.training, max_steps=2, validation_windows=60, learning_rate_decay="constant"),
    )


def trained(folder: Path, dataset: Dataset, *, cross_reconstruction: bool = True) -> Path:
    chosen = config(cross_reconstruction=cross_reconstruction)
    split = split_songs(dataset.groups, share=chosen.training.validation_share, seed=chosen.training.seed)
    learnt, judged = (features(dataset, chosen.cqt, songs=songs) for songs in split)
    where = {"folder": str(dataset.folder), "dataset": dataset.manifest.dataset, "digest": dataset.digest}
    train(chosen, learnt, judged, folder, about={"dataset": where, "preset": "tiny", "loss": "paper"})
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, another one, and two runs on the first: with cross-reconstruction, and without."""
    folder = tmp_path_factory.mktemp("world")
    dataset = rendered(folder / "A1", dataset="A1", seed=0)
    rendered(folder / "A2", dataset="A2", seed=1, songs=2)
    trained(folder / "run", dataset)
    trained(folder / "ablation", dataset, cross_reconstruction=False)
    return folder


def answered(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    assert run_command(["evaluate", *map(str, arguments), "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def said(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    """What goes to standard error, in one line, when a call ends with a status."""
    assert run_command(["evaluate", *map(str, arguments)]) == status
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "Traceback" not in message
    return message


@pytest.fixture(scope="module")
def out(world: Path) -> Path:
    assert run_command(["evaluate", str(world / "run"), str(world / "ablation"), "--out", str(world / "out")]) == 0
    return world / "out"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither grid nor figures, which other tests look at."""
    monkeypatch.setattr(evaluate_run, "relative_pitch", lambda *_arguments, **_options: None)
    monkeypatch.setattr(evaluate_run, "draw", lambda *_arguments: [])


def test_the_record_has_what_other_commands_rely_on(out: Path):
    records = RecordStore(out).read_all()
    evaluations = [record for record in records if record.kind == "evaluation"]
    assert sorted(record.kind for record in records) == ["evaluation", "evaluation", "relative_pitch", "relative_pitch"]
    for record in evaluations:
        assert (record.distance.name, record.task.name, record.task.version, record.seed) == ("paper", "bassnet", 1, 0)
        for name in PROMISED:
            of_songs = set[str]() if name == "median_cents" else {"of_songs"}  # a quantile has no parts
            assert {"value", "low", "high", "n", "songs", *of_songs} == set(record.metrics[name]), name
            assert record.metrics[name]["songs"] <= 1, "there is one for validation"
        assert record.task.params["dataset"] == "A1"
        assert record.task.params["renderer"] == "additive"
        assert (record.task.params["split"], record.task.params["songs"]) == ("validation", 1)
        assert record.metrics["onset_threshold_is_fitted"] is True
        assert record.metrics["steps"] == 2
    conditions = {record.task.params.get("condition") for record in evaluations}
    assert conditions == {None, "no cross-reconstruction"}, "an ablation is not mistaken for the other"


def test_figures_are_drawn_and_can_be_opened(out: Path):
    names = sorted(path.name for path in out.iterdir() if path.suffix in (".png", ".svg"))
    assert [name.partition("-")[0] for name in names] == [
        *("latent", "latent"),
        *("relative_pitch", "relative_pitch", "relative_pitch", "relative_pitch"),
        *("trajectory", "trajectory"),
    ]
    for name in names:
        content = (out / name).read_bytes()
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


def test_asked_again_the_answer_is_read(
    world: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(evaluate_run, "draw", lambda *_arguments: [])
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    first, grid = answered(capsys, world / "run", "--out", out)
    assert (first["kind"], grid["kind"]) == ("evaluation", "relative_pitch")
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.json")} == before


@pytest.mark.usefixtures("quick")
def test_tables_stand_beside_the_papers(world: Path, out: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command(["evaluate", str(world / "run"), str(world / "ablation"), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "(0.263)" in shown, "Table 1, 10/10, A1"
    assert "0.999 (10/10)" in shown, "Table 2"
    assert "0.445 (40/40)" in shown, "Table 3"
    assert "raw pitch accuracy" in shown
    assert max(map(len, shown.splitlines())) <= 160


@pytest.mark.usefixtures("quick")
def test_a_run_that_has_its_record_says_how_many_songs_it_learnt_from(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = tmp_path / "run"
    shutil.copytree(world / "run", run)
    assert run_command(["evaluate", str(run), "--out", str(tmp_path / "out")]) == 0
    assert re.search(r"^ *trained on +– *$", capsys.readouterr().out, re.MULTILINE), "without a record"
    (judged,) = [one for one in RecordStore(tmp_path / "out").read_all() if one.kind == "evaluation"]
    RecordStore(run).write(
        msgspec.structs.replace(judged, kind="training", metrics={"training_songs": 3}, artefacts=())
    )
    assert run_command(["evaluate", str(run), "--out", str(tmp_path / "out")]) == 0
    assert re.search(r"^ *trained on +3 songs *$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.usefixtures("quick")
def test_another_dataset_is_allowed_and_marked(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command(["evaluate", str(world / "run"), "--data", str(world / "A2"), "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "note: run was trained on another dataset (A1, digest" in shown.err
    assert "judged on all 2 songs" in shown.err
    assert re.search(r"^ *dataset +A2, additive *$", shown.out, re.MULTILINE)
    assert re.search(r"^ *trained on +A1 *$", shown.out, re.MULTILINE)
    (record,) = [one for one in RecordStore(tmp_path).read_all() if one.kind == "evaluation"]
    params = record.task.params
    assert (params["dataset"], params["split"], params["songs"]) == ("A2", "all", 2)
    assert params["trained_on"]["dataset"] == "A1"
    assert params["trained_on"]["digest"] != params["digest"]
    assert record.metrics["onset_threshold_is_fitted"] is True, "on the songs it was trained with"


def test_songs_of_the_training_dataset_are_not_another_one(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A song is the same to the byte whatever number of others it is rendered with."""
    for songs in (2, 4):
        fewer = rendered(tmp_path / f"A1-{songs}", dataset="A1", seed=0, songs=songs)
        assert fewer.manifest.song_sha256[:2] == open_dataset(world / "A1").manifest.song_sha256[:2]
        message = said(capsys, 2, world / "run", "--data", fewer.folder, "--out", tmp_path / "out")
        assert message.startswith(f"error: {fewer.folder} holds songs that are in {world / 'A1'}, too: render others")
    assert not list((tmp_path / "out").glob("*.json")), "nothing has been computed"


@pytest.mark.usefixtures("quick")
def test_thresholds_are_fitted_without_the_training_songs_or_said_not_to_be(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = shutil.copytree(world / "run", tmp_path / "moved")
    document = json.loads((run / CONFIG).read_text())
    document["dataset"]["folder"] = str(tmp_path / "gone")
    (run / CONFIG).write_text(json.dumps(document))
    message = said(capsys, 2, run, "--out", tmp_path / "out")
    assert "the dataset that" in message
    assert "name it by --data" in message
    assert run_command(["evaluate", str(run), "--data", str(world / "A2"), "--out", str(tmp_path / "out")]) == 0
    unknown = (
        f"note: whether moved was trained on some of them cannot be told: its dataset is not in {tmp_path / 'gone'}"
    )
    assert unknown in capsys.readouterr().err.splitlines()
    records = answered(capsys, run, "--data", world / "A2", "--out", tmp_path / "out")
    assert records[0]["metrics"]["onset_threshold_is_fitted"] is False
    assert records[0]["metrics"]["onset_threshold"] == 0.5
    # The same dataset elsewhere is the same dataset.
    records = answered(capsys, run, "--data", world / "A1", "--out", tmp_path / "out")
    assert records[0]["task"]["params"]["split"] == "validation"


def test_a_run_that_is_missing_or_half_written_is_one_line(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert "there is no run in" in said(capsys, 2, tmp_path / "nowhere", "--out", tmp_path / "out")
    run = shutil.copytree(world / "run", tmp_path / "begun")
    (run / LAST).unlink()
    assert "has no checkpoint yet" in said(capsys, 2, run, "--out", tmp_path / "out")
    torn = shutil.copytree(world / "run", tmp_path / "torn")
    (torn / BEST).write_bytes((torn / BEST).read_bytes()[:500])
    assert "is damaged" in said(capsys, 2, torn, "--out", tmp_path / "out")
    strange = shutil.copytree(world / "run", tmp_path / "strange")
    document = json.loads((strange / CONFIG).read_text())
    document["config"]["model"]["maps"] = 8
    (strange / CONFIG).write_text(json.dumps(document))
    assert "checkpoint of another configuration" in said(capsys, 2, strange, "--out", tmp_path / "out")
    silent = shutil.copytree(world / "run", tmp_path / "silent")
    document = json.loads((silent / CONFIG).read_text())
    del document["dataset"]
    (silent / CONFIG).write_text(json.dumps(document))
    assert "does not say what it was trained on" in said(capsys, 2, silent, "--out", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.json")), "nothing has been computed"


def test_data_that_are_missing_half_written_or_too_short_are_one_line(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = world / "run"
    assert "there is no folder" in said(capsys, 2, run, "--data", tmp_path / "nowhere", "--out", tmp_path / "out")
    half = shutil.copytree(world / "A2", tmp_path / "half")
    shutil.rmtree(half / "songs" / "00001")
    assert "is missing" in said(capsys, 2, run, "--data", half, "--out", tmp_path / "out")
    with pytest.raises(ValueError, match="is missing"):
        open_dataset(half)
    long = shutil.copytree(run, tmp_path / "long")
    assert run_command(["evaluate", str(long), "--out", str(world / "A1" / "manifest.json")]) == 2
    assert "cannot write records" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_run_that_has_not_come_to_its_end_is_judged_and_marked(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = shutil.copytree(world / "run", tmp_path / "unfinished")
    last = read_state(run / LAST)
    assert last is not None
    write_state(run / LAST, State(tensors=last.tensors, facts={**last.facts, "finished": False}))
    assert run_command(["evaluate", str(run), "--out", str(tmp_path / "out")]) == 0
    assert "has not come to its end" in capsys.readouterr().err


def test_without_a_run_the_call_is_wrong(capsys: pytest.CaptureFixture[str]):
    assert run_command(["evaluate"]) == 2
    assert "RUN" in capsys.readouterr().err
