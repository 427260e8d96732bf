from __future__ import annotations

import json
import linecache
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from tonedeaf.bassnet import config as config_module
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.audio_term import AudioTerm, Condition
from tonedeaf.bassnet.checkpoint import BEST, CONFIG, HISTORY, LAST, read_state
from tonedeaf.bassnet.config import BassNetConfig, CqtConfig, ModelConfig, ObjectiveConfig, TrainingConfig
from tonedeaf.bassnet.history import read_history
from tonedeaf.bassnet.manifest import VERSION, Recipe
from tonedeaf.bassnet.rendering import render_dataset
from tonedeaf.bassnet.run import Run, load_run
from tonedeaf.bassnet.trainer import Trainer
from tonedeaf.bassnet.training import train
from tonedeaf.harnesses import bassnet_losses, train_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.train_run import TrainOptions
from tonedeaf.results.store import RecordStore

VERY_TINY = BassNetConfig(
    cqt=CqtConfig(bins_per_octave=12),
    model=ModelConfig(window=4, expanded=4, maps=3, blocks=2, head_octaves=1, head_maps=2),
    objective=ObjectiveConfig(kl_weight=0.01, cross_kl_weight=0.01),
    training=TrainingConfig(batch=4, mini_epoch=8, max_steps=4, validation_windows=8),
)


PROGRAM = """
import sys
import time
import torch
from tonedeaf.bassnet.config import PRESETS, BassNetConfig
from tonedeaf.bassnet.training import train
from tonedeaf.harnesses.cli import run_command

torch.set_num_threads(THREADS)
PRESETS["tiny"] = BassNetConfig.from_json(CONFIG)
train.__kwdefaults__["checkpoint_seconds"] = 0.0
sys.exit(run_command(sys.argv[1:]))
"""
"""``tonedeaf train`` with the preset below and a checkpoint after every mini-epoch; as many threads, the same bits."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rendered(tmp_path_factory.mktemp("data") / "A1", songs=3, seconds=3.0)


def rendered(folder: Path, *, songs: int, seconds: float) -> Path:
    renderer = AdditiveRenderer()
    recipe = Recipe(
        version=VERSION,
        dataset="A1",
        seed=0,
        songs=songs,
        seconds=seconds,
        sample_rate=16000,
        renderer=renderer.identity,
    )
    with ThreadPoolExecutor(1) as executor:
        render_dataset(folder, recipe, renderer, executor)
    return folder


@pytest.fixture(autouse=True)
def tiny_is_very_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(config_module.PRESETS, "tiny", VERY_TINY)


def call(*arguments: str | Path) -> int:
    return run_command(["train", *map(str, arguments)])


def test_a_run_and_its_record(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "run"
    assert call("--data", data, "--seed", "3", "--device", "cpu", "--out", out) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "windows/s" in printed.out
    assert f"tonedeaf evaluate {out}" in printed.out
    assert {path.name for path in out.iterdir()} >= {BEST, LAST, CONFIG, HISTORY, "tensorboard"}
    (record,) = RecordStore(out).read_all()
    assert (record.kind, record.distance.name, record.task.name, record.seed) == ("training", "paper", "bassnet", 3)
    assert record.task.params["preset"] == "tiny"
    assert record.task.params["dataset"] == "A1"
    assert BassNetConfig.from_json(record.task.params["config"]).training.seed == 3
    metrics = record.metrics
    assert metrics["steps"] == 4
    assert (metrics["training_songs"], metrics["validation_songs"]) == (2, 1)
    assert metrics["windows_per_second"] == pytest.approx(16 / metrics["training_seconds"])
    run = load_run(out)
    assert run.finished
    assert dict(run.validation) == metrics["validation"]
    assert run.about["dataset"] == {
        "folder": str(data.resolve()),
        "dataset": "A1",
        "digest": record.task.params["digest"],
    }
    assert (run.about["loss"], run.about["preset"]) == ("paper", "tiny")


def test_json_is_the_record_and_nothing_else(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call("--data", data, "--loss", "none", "--device", "cpu", "--out", tmp_path / "run", "--json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["kind"] == "training"
    assert document["distance"]["name"] == "none"
    assert document["task"]["params"]["config"]["objective"]["spectral_weight"] == 0


def test_a_run_that_is_there_is_shown_again(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--data", data, "--device", "cpu", "--out", tmp_path / "run")
    assert call(*arguments) == 0
    first = capsys.readouterr().out
    before = (tmp_path / "run" / LAST).stat().st_mtime_ns
    assert call(*arguments, "--resume") == 0
    assert capsys.readouterr().out == first
    assert (tmp_path / "run" / LAST).stat().st_mtime_ns == before


def test_more_steps_go_on_with_resume(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--data", data, "--device", "cpu", "--out", tmp_path / "run")
    assert call(*arguments) == 0
    assert call(*arguments, "--steps", "6") == 2
    assert "holds a run: go on with it by --resume" in capsys.readouterr().err
    assert call(*arguments, "--steps", "6", "--resume") == 0
    assert [entry.step for entry in read_history(tmp_path / "run")] == [2, 4, 6]


def test_a_process_that_is_killed_after_its_first_checkpoint_goes_on_to_the_same_weights(data: Path, tmp_path: Path):
    arguments = ("--data", data, "--device", "cpu", "--steps", "100")
    whole, cut, program = tmp_path / "whole", tmp_path / "cut", tmp_path / "program.py"
    text = PROGRAM.replace("THREADS", str(torch.get_num_threads())).replace("CONFIG)", f"{VERY_TINY.to_json()!r})")
    program.write_text(text)
    command = [sys.executable, program, "train", *arguments, "--out", cut]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        while not (cut / LAST).exists() and killed.poll() is None:
            time.sleep(0.01)
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    before = read_state(cut / LAST)
    assert before is not None
    assert 0 < before.facts["step"] < 100
    assert call(*arguments, "--out", cut, "--resume") == 0
    assert call(*arguments, "--out", whole) == 0
    assert (cut / BEST).read_bytes() == (whole / BEST).read_bytes()
    last, same = read_state(cut / LAST), read_state(whole / LAST)
    assert last is not None
    assert same is not None
    assert (last.facts["step"], same.facts["step"]) == (100, 100)
    assert last.tensors.keys() == same.tensors.keys()
    assert all(torch.equal(tensor, same.tensors[name]) for name, tensor in last.tensors.items())


def test_scales_that_are_set_anew_are_the_same_after_a_stop(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    how = ("--loss", "l1_waveform", "--condition", "audio-only", "--path", "local", "--segments", "1")

    def trained(name: str, every: str, *steps: str) -> Run:
        for count in steps:
            arguments = ("--data", data, "--device", "cpu", *how, "--calibrate-every", every, "--steps", count)
            assert call(*arguments, "--resume", "--out", tmp_path / name) == 0, capsys.readouterr().err
        return load_run(tmp_path / name)

    whole, stopped, once = trained("whole", "2", "6"), trained("stopped", "2", "4", "6"), trained("once", "0", "6")
    records = {name: RecordStore(tmp_path / name).read_all()[0].metrics for name in ("whole", "once")}
    assert "last_scales" not in records["once"]
    first, last = records["whole"]["scales"], records["whole"]["last_scales"]
    assert first == records["once"]["scales"], "set before training"
    assert first.keys() == last.keys() == {"sound", "pitch"}
    assert all(0 < last[name] <= first[name] * (1 + 1e-6) for name in first), "a scale follows down, never up"
    assert whole.about["calibrate_every"] == 2
    assert "calibrate_every" not in once.about
    weights, same, others = (run.model.state_dict() for run in (whole, stopped, once))
    assert all(weights[name].equal(same[name]) for name in weights)
    assert not all(weights[name].equal(others[name]) for name in weights)


def test_segments_are_transposed_as_windows_are(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[float] = []

    class Seen(AudioTerm):
        def __init__(self, *arguments: Any, transposition: float = 0.0, **more: Any) -> None:
            found.append(transposition)
            super().__init__(*arguments, transposition=transposition, **more)

    moving = replace(VERY_TINY, training=replace(VERY_TINY.training, transposition=70.0))
    monkeypatch.setitem(config_module.PRESETS, "tiny", moving)
    monkeypatch.setattr(bassnet_losses, "AudioTerm", Seen)
    assert call("--data", data, "--loss", "l1_waveform", "--path", "local", "--device", "cpu", "--out", tmp_path) == 0
    assert found == [70.0]


def test_any_field_of_the_preset_can_be_set():
    said = ("model.window=12", "model.expanded=24", "objective.level=minmax", "training.max_steps=null")
    options = TrainOptions(data=Path("a"), out=Path("b"), fields=(*said, "model.window=6"), loss="none")
    config = options.config
    assert (config.model.window, config.model.expanded) == (6, 24), "the last one counts"
    assert config.objective.level == "minmax"
    assert config.objective.spectral_weight == 0, "and of the loss it is none"
    assert config.training == replace(VERY_TINY.training, max_steps=None)
    assert config.cqt == VERY_TINY.cqt


@pytest.mark.parametrize(("condition", "usual"), [("audio-only", "entropic"), ("replace", "given")])
def test_each_condition_has_a_usual_path(condition: Condition, usual: str):
    options = TrainOptions(data=Path("a"), out=Path("b"), loss="mss", condition=condition)
    assert options.term.path == options.how["path"] == usual
    assert replace(options, path="local").term.path == "local"


def test_a_run_does_not_go_on_with_a_loss_whose_code_has_changed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    plugin, run = tmp_path / "mine.py", tmp_path / "run"
    source = (
        "from tonedeaf.losses import AudioDistance\n"
        "class Mine(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        return (prediction - target).abs().mean(-1)\n"
    )
    plugin.write_text(source)
    arguments = ("--data", data, "--loss", f"{plugin}:Mine", "--path", "local", "--device", "cpu", "--out", run)
    assert call(*arguments) == 0
    plugin.write_text(source.replace(".abs()", ".square()"))
    for name in [name for name in sys.modules if name.startswith("tonedeaf_plugin_mine")]:
        monkeypatch.delitem(sys.modules, name)  # as in another process
    linecache.clearcache()
    assert call(*arguments, "--resume") == 2
    said = capsys.readouterr().err
    assert "holds a run with loss_code = " in said
    assert said.count("\n") == 1


def test_options_change_the_preset():
    options = TrainOptions(
        data=Path("a"), out=Path("b"), preset="tiny", ablation=True, loss="none", seed=7, steps=5, seconds=60.0
    )
    config = options.config
    assert not config.objective.cross_reconstruction
    assert config.objective.spectral_weight == 0
    assert (config.training.seed, config.training.max_steps, config.training.max_seconds) == (7, 5, 60.0)
    assert config.model == VERY_TINY.model
    assert TrainOptions(data=Path("a"), out=Path("b")).config == VERY_TINY


def test_a_diverged_run_is_a_record_that_failed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    wild = TrainingConfig(batch=4, mini_epoch=8, max_steps=200, learning_rate=1e30, validation_windows=8)
    config = BassNetConfig(cqt=VERY_TINY.cqt, model=VERY_TINY.model, objective=VERY_TINY.objective, training=wild)
    monkeypatch.setitem(config_module.PRESETS, "tiny", config)
    assert call("--data", data, "--device", "cpu", "--out", tmp_path / "run") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "training has diverged (learning rate 1e+30)" in said
    (record,) = RecordStore(tmp_path / "run").read_all()
    assert record.status == "failed"
    assert record.reason is not None
    assert "diverged" in record.reason


def test_a_run_without_memory_is_a_record_that_failed_and_goes_on(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    arguments = ("--data", data, "--device", "cpu", "--out", tmp_path / "run")
    make_step = Trainer._make_step  # pyright: ignore[reportPrivateUsage]

    def full(trainer: Trainer) -> dict[str, torch.Tensor]:
        if trainer.step == 3:
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 20.00 GiB.")
        return make_step(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_make_step", full)
        patch.setattr(train_run, "train", partial(train, checkpoint_seconds=0.0))
        assert call(*arguments) == 1
    said = capsys.readouterr().err
    reason = (
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB.; the last checkpoint is kept: go on by "
        "--resume when more memory is free, or begin another run with a smaller batch (--set training.batch=10)"
    )
    assert said == f"error: {reason}\n"
    (record,) = RecordStore(tmp_path / "run").read_all()
    assert (record.status, record.reason) == ("failed", reason)
    assert call(*arguments, "--resume") == 0
    assert [entry.step for entry in read_history(tmp_path / "run")] == [2, 4]
    (record,) = RecordStore(tmp_path / "run").read_all()
    assert record.status == "ok"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "huge"), "unknown preset 'huge'; there are tiny, small, paper"),
        (("--steps", "0"), "max_steps must be positive"),
        (("--seconds", "-1"), "max_seconds must be positive"),
        (("--device", "tpu"), "device"),
        (("--loss", "mss2"), "'mss2'"),
        (("--set", "window=40"), "a field is set by GROUP.FIELD=VALUE, as in model.window=40, got 'window=40'"),
        (("--set", "models.window=40"), "unknown group 'models' in 'models.window=40'; there are cqt, model,"),
        (("--set", "model.windw=40"), "unknown field config.model.windw; there are window, expanded,"),
        (("--set", "model.window=wide"), "config.model.window cannot be 'wide'"),
        (("--set", "model.window=0"), "window must be"),
        (
            ("--set", "objective.spectral_weight=2", "--loss", "mss"),
            "objective.spectral_weight cannot be set to 2.0: the loss, its condition or another option makes it 0.0",
        ),
        (
            ("--set", "objective.level=minmax", "--loss", "mss"),
            "mss cannot be trained with: objective.level is 'minmax', which is scaled per track",
        ),
        (("--set", "training.max_steps=9", "--steps", "5"), "training.max_steps cannot be set to 9"),
        (("--seed", "-1"), "seed must be in"),
        (("--calibrate-every", "3"), "must divide a mini-epoch (2 steps), got 3"),
        (("--calibrate-every", "2", "--steps", "5"), "must divide a run (5 steps), got 2"),
        (("--calibrate-every", "-1"), "-1 is not in the range x>=0"),
    ],
)
def test_a_wrong_call_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
):
    assert call("--data", data, "--out", tmp_path / "run", *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert message in said


def test_data_that_are_of_no_use(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def complaint(folder: Path) -> str:
        assert call("--data", folder, "--device", "cpu", "--out", tmp_path / "run") == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        return said

    assert "there is no folder" in complaint(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no dataset in" in complaint(tmp_path / "empty")
    one = rendered(tmp_path / "one", songs=1, seconds=3.0)
    assert "1 song cannot be split into training and validation" in complaint(one)
    manifest = json.loads((data / "manifest.json").read_text())
    half = tmp_path / "half"
    (half / "songs").mkdir(parents=True)
    (half / "manifest.json").write_text(json.dumps({**manifest, "complete": False}))
    assert "is half-written: 0 of 3 songs are there" in complaint(half)
    assert not (tmp_path / "run" / CONFIG).exists()


def test_songs_shorter_than_a_window(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    long = BassNetConfig(
        cqt=VERY_TINY.cqt, model=ModelConfig(window=10, expanded=640, maps=2, blocks=2), training=VERY_TINY.training
    )
    monkeypatch.setitem(config_module.PRESETS, "tiny", long)
    assert call("--data", data, "--device", "cpu", "--out", tmp_path / "run") == 2
    assert "no song is as long as a window of 640 frames of 10 ms" in capsys.readouterr().err
