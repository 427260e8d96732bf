"""A study in small: arms that share all but their loss, two that cannot go on, and what a second call computes."""

import inspect
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tonedeaf.bassnet import config as bassnet_config
from tonedeaf.bassnet.dataset import open_dataset
from tonedeaf.bassnet.windows import WindowSource
from tonedeaf.harnesses import arms, train_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.study import Arm, Study
from tonedeaf.harnesses.train_run import TrainOptions
from tonedeaf.results import Record
from tonedeaf.results.store import RecordStore

PLUGINS = '''
from tonedeaf.losses import AudioDistance

class Broken(AudioDistance):
    """NaN, once calibration is over: it takes 8 gradients."""

    gradients = 0

    def distance(self, prediction, target):
        Broken.gradients += prediction.requires_grad
        found = (prediction - target).abs().mean(-1)
        return found * float("nan") if prediction.requires_grad and Broken.gradients > 8 else found

class Deaf(AudioDistance):
    """Has no gradient."""

    differentiable = False

    def distance(self, prediction, target):
        return ((prediction - target).abs().mean(-1) * 1000).floor()
'''
SMALL_STUDY = """
import sys
from dataclasses import replace
import torch
from tonedeaf.bassnet import config
from tonedeaf.harnesses.cli import run_command

torch.set_num_threads(THREADS)
tiny = config.PRESETS["tiny"]
model = replace(tiny.model, maps=4, blocks=2)
training = replace(tiny.training, batch=4, mini_epoch=8, validation_windows=8)
config.PRESETS["tiny"] = replace(tiny, model=model, training=training)
sys.exit(run_command(sys.argv[1:]))
"""
"""What the fixture below does, as a program that can be killed; as many threads give the same bits."""
MSS = "mss[n_ffts=512]"
STEPS = 2


@dataclass
class Small:
    """A study in small, and what its arms started from."""

    data: Path
    out: Path
    plugins: Path
    initial: dict[str, str] = field(default_factory=dict[str, str])
    batches: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def losses(self) -> tuple[str, ...]:
        return MSS, f"{self.plugins}:Broken", f"{self.plugins}:Deaf"

    def swap(self, *more: str) -> int:
        named = [part for loss in self.losses for part in ("--loss", loss)]
        small = ["--start-steps", "2", "--steps", str(STEPS), "--seeds", "1", "--trials", "0", "--segments", "2"]
        where = ["--data", str(self.data), "--out", str(self.out), "--device", "cpu", "--condition", "audio-only"]
        return run_command(["swap", *named, *small, *where, *more])

    def records(self, kind: str) -> dict[str, Record]:
        return {one.distance.name: one for one in RecordStore(self.out).read_all() if one.kind == kind}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Generator[Small]:
    """The study, run once, with a tiny preset that is tinier still."""
    folder = tmp_path_factory.mktemp("swap")
    study = Small(folder / "data", folder / "out", folder / "plugins.py")
    study.plugins.write_text(PLUGINS)
    rendered = ["data", "A1", "--songs", "3", "--seconds", "6", "--renderer", "additive", "--out", str(study.data)]
    assert run_command(rendered) == 0
    with pytest.MonkeyPatch.context() as patch:
        tiny = bassnet_config.PRESETS["tiny"]
        model = replace(tiny.model, maps=4, blocks=2)
        training = replace(tiny.training, batch=4, mini_epoch=8, validation_windows=8)
        patch.setitem(bassnet_config.PRESETS, "tiny", replace(tiny, model=model, training=training))
        _watch(study, patch)
        assert study.swap() == 1  # one arm fails
        yield study


def _watch(study: Small, patch: pytest.MonkeyPatch) -> None:
    """Note the initial weights and the batches of every arm."""
    train, draw_pairs = arms.train, WindowSource.draw_pairs
    now = [""]

    def noted_train(*arguments: Any, **options: Any):
        now[0] = options["about"]["loss"]
        if "initial" in options:
            weights = b"".join(each.detach().numpy().tobytes() for each in options["initial"].parameters())
            study.initial[now[0]] = sha256(weights).hexdigest()
        return train(*arguments, **options)

    def noted_pairs(self: WindowSource, *arguments: Any, **options: Any) -> torch.Tensor:
        pairs = draw_pairs(self, *arguments, **options)
        study.batches[now[0]].append(sha256(pairs.numpy().tobytes()).hexdigest())
        return pairs

    patch.setattr(arms, "train", noted_train)
    patch.setattr(WindowSource, "draw_pairs", noted_pairs)


def test_all_arms_start_from_the_same_weights_and_see_the_same_batches(small: Small):
    assert set(small.initial) == {"paper", "none", *small.losses}
    assert len(set(small.initial.values())) == 1
    first = {loss: batches[0] for loss, batches in small.batches.items() if loss != "start"}
    assert len(set(first.values())) == 1
    assert small.batches["paper"] == small.batches["none"] == small.batches[MSS]
    assert len(set(small.batches[MSS])) == STEPS  # and a new batch each step


def test_a_loss_that_becomes_nan_stops_its_arm_alone_and_says_where(small: Small):
    mss, broken, deaf = small.losses
    training, evaluation = small.records("training"), small.records("evaluation")
    assert training[broken].status == "failed"
    assert (training[broken].reason or "").startswith("DivergedError: audio is nan at step 0: training has diverged")
    assert set(evaluation) == {"paper", "none", mss, deaf}


def test_every_arm_of_the_first_seed_can_be_heard(small: Small):
    """Mix and true bass are the same for all, the predictions differ; all last as long as the song."""
    heard: dict[str, dict[str, bytes]] = {}
    for loss, record in small.records("evaluation").items():
        files = {artefact.name: small.out / artefact.path for artefact in record.artefacts if artefact.name != "trials"}
        assert set(files) == {"mix", "bass", "prediction"}
        heard[loss] = {name: path.read_bytes() for name, path in files.items()}
        for path in files.values():
            assert 6 <= soundfile.info(path).duration <= 8  # whole bars, of which 8 s would be kept
    assert len({sounds["mix"] for sounds in heard.values()}) == len({sounds["bass"] for sounds in heard.values()}) == 1
    assert len({sounds["prediction"] for sounds in heard.values()}) > 1


def test_records_say_what_the_arm_was_and_what_every_judge_says(small: Small):
    training, evaluation = small.records("training")[MSS], small.records("evaluation")[MSS]
    for record in (training, evaluation):
        params = record.task.params
        assert (params["condition"], params["path"], params["target"]) == ("audio-only", "entropic", "oracle")
        assert (params["steps"], params["start_steps"], params["segments"]) == (STEPS, 2, 2)
        assert params["config"]["objective"]["spectral_weight"] == params["config"]["objective"]["f0_weight"] == 0
        trained = params["config"]["training"]
        assert trained["learning_rate"] == pytest.approx(bassnet_config.PRESETS["tiny"].training.learning_rate / 3)
        assert (trained["learning_rate_decay"], trained["max_steps"]) == ("cosine", STEPS)
    assert all(scale > 0 for scale in training.metrics["scales"].values())
    assert training.metrics["milliseconds_per_step"] > 0
    assert set(training.metrics["judged_by"]) == set(small.losses)
    evidence = training.metrics["evidence"]
    assert evidence["notes"] == 2 * arms.JUDGE_DRAWS
    assert 0 <= evidence["right"] <= evidence["near"] <= 1
    paper = small.records("training")["paper"]
    assert paper.metrics["scales"] is None
    assert paper.metrics["evidence"] is None
    assert paper.task.params["config"]["objective"]["spectral_weight"] == 1


def test_a_second_call_trains_nothing_that_is_finished_and_gives_the_same(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    before = {path: path.read_bytes() for path in small.out.glob("*.json")}
    trained: list[str] = []
    train = arms.train

    def noted(*arguments: Any, **options: Any):
        trained.append(options["about"]["loss"])
        return train(*arguments, **options)

    monkeypatch.setattr(arms, "train", noted)
    assert small.swap() == 1
    shown = capsys.readouterr().out
    assert "audio-only" in shown
    assert "mss[n_ffts=512]" in shown
    again = {path: path.read_bytes() for path in small.out.glob("*.json")}
    broken = [path for path in before if before[path] != again[path]]
    assert [path.name.startswith("training-") for path in broken] in ([], [True])  # a failed arm is tried again
    assert set(trained) <= {"start", small.losses[1]}


def test_songs_of_another_dataset_judge_arms_that_are_trained_already(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out, held_out = tmp_path / "out", tmp_path / "held-out"
    shutil.copytree(small.out, out)
    rendered = ["data", "A1", "--songs", "2", "--seed", "1", "--seconds", "6", "--renderer", "additive"]
    assert run_command([*rendered, "--out", str(held_out)]) == 0
    before = {path.name for path in out.iterdir()}
    assert replace(small, out=out).swap("--held-out", str(held_out)) == 1, "an arm fails, as before"
    capsys.readouterr()
    store = RecordStore(out)
    found = [one for one in store.read_all() if one.kind == "evaluation" and one.task.params["split"] == "all"]
    assert {one.distance.name for one in found} == {"paper", "none", MSS, small.losses[2]}
    for one in found:
        assert one.task.params["digest"] == open_dataset(held_out).digest
        assert one.task.params["trained_on"]["digest"] == open_dataset(small.data).digest
        of_songs = one.metrics["raw_pitch_accuracy"]["of_songs"]
        assert [weight > 0 for _, weight in of_songs] == [True, True]
    new = {path.name for path in out.glob("*.json")} - before
    assert {name.split("-")[0] for name in new} == {"evaluation"}


def test_a_study_that_is_killed_goes_on_and_ends_with_the_same(small: Small, tmp_path: Path):
    """SIGKILL when the first arm is judged: that one is not made again, and the others come out as undisturbed."""
    out, program = tmp_path / "out", tmp_path / "small_study.py"
    program.write_text(SMALL_STUDY.replace("THREADS", str(torch.get_num_threads())))
    options = ["--start-steps", "2", "--steps", str(STEPS), "--seeds", "1", "--trials", "0", "--segments", "2"]
    where = ["--data", str(small.data), "--out", str(out), "--device", "cpu", "--condition", "audio-only"]
    call = [sys.executable, str(program), "swap", "--loss", MSS, *options, *where]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        while not (finished := list(out.glob("evaluation-*.json"))) and killed.poll() is None:
            time.sleep(0.02)
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    before = {path: path.read_bytes() for path in finished}
    assert subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    assert all(path.read_bytes() == content for path, content in before.items())
    undisturbed = small.records("evaluation")
    found = {one.distance.name: one for one in RecordStore(out).read_all() if one.kind == "evaluation"}
    assert set(found) == {"paper", "none", MSS}
    for name, record in found.items():
        assert record.key == undisturbed[name].key
        assert record.metrics["raw_pitch_accuracy"] == undisturbed[name].metrics["raw_pitch_accuracy"]


@pytest.mark.parametrize(("path", "module"), [("entropic", "many_pitches_paths"), ("given", "one_pitch_paths")])
def test_a_path_that_changes_is_another_question(
    small: Small, path: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def keys() -> list[str]:
        arm = Arm(study=Study(data=small.data, out=small.out, path=path), loss=MSS, condition="replace", seed=0)
        options = TrainOptions(data=small.data, loss=MSS, path=path, out=tmp_path)
        own = arms._question(arm, arms._Data(arm.start))  # pyright: ignore[reportPrivateUsage]
        trained = train_run._question(  # pyright: ignore[reportPrivateUsage]
            options, options.config, open_dataset(small.data)
        )
        return [own["key"], trained["key"]]

    before, original = keys(), inspect.getsource
    assert keys() == before
    monkeypatch.setattr(inspect, "getsource", lambda one: original(one) + "#" * one.__name__.endswith(module))
    assert not set(keys()) & set(before)


def test_segments_are_transposed_as_windows_are(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[float] = []

    def noted(*_: Any, transposition: float, **__: Any) -> None:
        found.append(transposition)
        raise ValueError("no more is needed")

    monkeypatch.setattr(arms, "audio_term", noted)
    study = Study(data=small.data, out=tmp_path, start_steps=2, steps=STEPS, segments=2)
    arm = Arm(study=study, loss="l1_waveform", condition="audio-only", seed=0)
    assert arms.train_arm(arm).training.reason == "no more is needed"
    assert found == [arm.config.training.transposition]
    assert found > [0.0]


def test_an_arm_without_memory_fails_alone(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 20.00 GiB.")

    monkeypatch.setattr(arms, "audio_term", full)
    study = Study(data=small.data, out=tmp_path, start_steps=2, steps=STEPS, segments=2)
    training, evaluation = arms.train_arm(Arm(study=study, loss="l1_waveform", condition="audio-only", seed=0))
    assert (training.status, evaluation) == ("failed", None)
    assert training.reason == "OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB."


def test_both_conditions_are_trained_each_on_its_usual_path(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()
    few = ["--start-steps", "2", "--steps", "2", "--seeds", "1", "--trials", "0", "--segments", "2", "--device", "cpu"]
    assert run_command(["swap", "--loss", MSS, *few, "--data", str(small.data), "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("audio-only: BassNet") < shown.index("replace: BassNet")
    trained = [one.task.params for one in RecordStore(tmp_path).read_all() if one.kind == "evaluation"]
    assert {(params["condition"], params["path"]) for params in trained} == {
        ("audio-only", "entropic"),
        ("replace", "given"),
    }


def test_a_term_that_cannot_be_is_refused_before_losses_are_chosen(small: Small, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    assert run_command(["swap", "--top", "1", "--data", str(small.data), "--path", "given"]) == 2
    assert "the path given renders the labels' pitch" in capsys.readouterr().err


@pytest.mark.parametrize("chosen", [["--loss", "mss"], ["--top", "1"]])
def test_a_level_that_no_distance_can_hear_is_refused_before_anything_is_computed(
    small: Small,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    chosen: list[str],
):
    capsys.readouterr()
    tiny = bassnet_config.PRESETS["tiny"]
    scaled = replace(tiny, objective=replace(tiny.objective, level="minmax"))
    monkeypatch.setitem(bassnet_config.PRESETS, "tiny", scaled)
    assert run_command(["swap", *chosen, "--data", str(small.data), "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: no distance can be trained with: objective.level is 'minmax'")
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rendered", "message"),
    [
        (["A1", "--songs", "2"], "holds songs that are in .*, too: render others, by another seed of tonedeaf data"),
        (["A2", "--songs", "1", "--seed", "1"], "are of A2, not of A1: arms are judged by songs of their own kind"),
    ],
)
def test_songs_that_may_not_judge_are_refused(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str], rendered: list[str], message: str
):
    """Two of the three songs of training are another dataset, with another digest."""
    more = ["--seconds", "6", "--renderer", "additive", "--out", str(tmp_path)]
    assert run_command(["data", *rendered, *more]) == 0
    capsys.readouterr()
    assert small.swap("--held-out", str(tmp_path)) == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--path", "soft"], r"Deaf has no gradient, which the path soft needs; the path entropic would do"),
        (["--path", "given"], "the path given renders the labels' pitch, which must not be known in audio-only"),
        (
            ["--path", "hard"],
            "path must be one of soft, local, straight, given, expected, marginal, entropic, bank, got 'hard'",
        ),
        (["--condition", "replace"], r"Deaf has no gradient, and in the condition replace pitch is not taught by it"),
        (["--segment-seconds", "0.01"], "segments must be at least 1, of at least 0.1 s"),
        (["--loss", "paper"], "paper is a baseline, and is trained anyway: leave out --loss paper"),
        (["--loss", "msss"], "unknown distance 'msss'; did you mean mss"),
        (["--loss", "log_cqt"], r"log_cqt needs segments of at least 1\.87 s"),
        (["--top", "1"], "--top and --bottom choose by rank: --trials must be at least 1"),
        (["--seeds", "0"], "seeds must be at least 1"),
        (["--preset", "huge"], "unknown preset 'huge'; there are tiny, small, paper"),
        (["--data", "nowhere"], "there is no folder nowhere"),
        (["--held-out", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_what_is_wrong_with_a_call_is_one_line_before_anything_is_computed(
    small: Small, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()
    assert small.swap(*more) == 2
    shown = capsys.readouterr()
    assert re.search(message, shown.err)
    assert shown.err.count("\n") == 1
    assert shown.out == ""
