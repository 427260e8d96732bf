"""From a text to a task; tasks that somebody else wrote; and pairs that cannot run."""

import importlib.util
import json
from pathlib import Path

import pytest

from tonedeaf.benchmarks import TASKS, Axis
from tonedeaf.benchmarks.signals.soundfont import missing
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.harnesses.catalogue import TaskRow, catalogue, table
from tonedeaf.harnesses.cells import accuracies
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.tasks import make_task, task_class, task_texts
from tonedeaf.losses.plugins import PluginError
from tonedeaf.results.record import Record
from tonedeaf.results.store import RecordStore

QUICK = ["--trials", "4", "--duration", "0.1"]
TASK = """
import torch
from tonedeaf.benchmarks import Axis, Task, Trials

class Clicks(Task):
    '''Two clicks: how far apart?'''

    name = "clicks"
    version = 3
    axes = (Axis("place", "samples", (10.0, 100.0)), Axis("height", "parts", (0.1,), analytic=False))

    def draw_block(self, generator):
        where = 200 + 200 * torch.rand(256, 4, generator=generator, dtype=torch.float64)
        return Trials({"place": where[:, 0], "height": where[:, 1] / 400},
                      {"place": where[:, 2], "height": where[:, 3] / 400}, {})

    def render_target(self, trials):
        return self.bump(trials.target)

    def render_prediction(self, trials, coordinates, take=0):
        return self.bump(coordinates)

    def bump(self, where):
        time = torch.arange(self.samples, dtype=torch.float64)
        return where["height"][:, None] * torch.exp(-((time - where["place"][:, None]) / 50) ** 2)
"""


@pytest.fixture
def clicks(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(TASK, encoding="utf-8")
    return f"{tmp_path / 'mine.py'}:Clicks"


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


def _records(folder: Path) -> dict[tuple[str, str], Record]:
    return {(record.distance.name, record.task.name): record for record in RecordStore(folder).read_all()}


def test_all_is_the_ladder_sines_first():
    assert task_texts(["all"]) == list(TASKS)
    assert task_texts(["all"])[0] == "sines"
    assert task_texts(["tilt", "all", "mine.py:Mine", "tilt"]) == [
        "tilt",
        *(name for name in TASKS if name != "tilt"),
        "mine.py:Mine",
    ]


def test_every_task_is_ranked_with_its_own_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert _run("rank", "spectrogram", "--task", "all", *QUICK, "--out", tmp_path) == 0
    shown = capsys.readouterr().out
    assert [shown.index(f"{name}: share") for name in TASKS] == sorted(shown.index(f"{name}: share") for name in TASKS)
    records = _records(tmp_path)
    assert {task for _, task in records} == set(TASKS)
    for (_, name), record in records.items():
        task = make_task(name, {}).task
        if task.unavailable:
            assert (record.status, record.reason) == ("unavailable", task.unavailable)
        else:
            assert (record.status, tuple(accuracies(record))) == ("ok", task.columns)


def test_a_task_of_ones_own_is_ranked_like_ours(clicks: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert _run("rank", "l2_waveform", "mss", "--task", clicks, *QUICK, "--out", tmp_path / "out") == 0
    assert "clicks: share of trials" in capsys.readouterr().out
    record = _records(tmp_path / "out")["l2_waveform", "clicks"]
    assert (record.task.version, record.task.params) == (3, {"sample_rate": 44100.0, "duration": 0.1})
    assert set(record.metrics) == {
        "place_analytic",
        "place_10_samples",
        "place_100_samples",
        "height_0.1_parts",
    }
    # two bumps overlap the less the farther they are apart, so the distance of waveforms is right about their place
    assert (RecordStore(tmp_path / "out").trials(record)["place_100_samples"] > 0).all()


def test_a_task_of_ones_own_is_part_of_the_question(clicks: str, tmp_path: Path):
    """A second call computes nothing, and one with another definition everything."""
    arguments = ("rank", "l2_waveform", "--task", clicks, *QUICK, "--out", tmp_path / "out")
    assert _run(*arguments) == 0
    (first,) = RecordStore(tmp_path / "out").read_all()
    assert _run(*arguments) == 0
    assert RecordStore(tmp_path / "out").read_all() == [first]
    other = tmp_path / "other.py"
    other.write_text(TASK.replace("/ 50)", "/ 60)"), encoding="utf-8")
    assert _run("rank", "l2_waveform", "--task", f"{other}:Clicks", *QUICK, "--out", tmp_path / "out") == 0
    assert len({record.key for record in RecordStore(tmp_path / "out").read_all()}) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('    name = "clicks"\n', "", "Clicks does not say its name: a Task needs name, version and axes"),
        ("(Task):", ":", "Clicks is not a Task: subclass tonedeaf.benchmarks.Task"),
        ("    def render_target", "    def render_targets", "cannot be constructed: TypeError: "),
        (
            "    def draw_block",
            "    def __init__(self, *, sample_rate=44100):\n        super().__init__(sample_rate=sample_rate)\n\n"
            "    def draw_block",
            "Clicks does not take duration: every Task does, by keyword",
        ),
        ('Axis("place"', 'Axis("the_place"', "must be a word without underscores, got 'the_place'"),
    ],
)
def test_a_task_of_ones_own_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
):
    path = tmp_path / "mine.py"
    assert TASK.count(old) == 1
    path.write_text(TASK.replace(old, new), encoding="utf-8")
    assert _run("rank", "mss", "--task", f"{path}:Clicks", *QUICK, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert message in printed.err


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("return where[", "a target of clicks must be shaped (1, 4410), got (1, 8820)"),
        ("return torch.nan * where[", "a target of clicks is not finite"),
    ],
)
def test_signals_that_are_not_what_a_task_promises_are_not_the_distances_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: str, reason: str
):
    text = TASK.replace("return where[", new)
    if "nan" not in new:
        text = text.replace("torch.arange(self.samples,", "torch.arange(2 * self.samples,")
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    task = f"{tmp_path / 'mine.py'}:Clicks"
    assert _run("rank", "mss", "--task", task, *QUICK, "--out", tmp_path / "out", "--json") == 1
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["status"], record["reason"]) == ("failed", reason)


def test_an_axis_that_moves_nothing_is_the_tasks_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.py").write_text(
        TASK.replace("return self.bump(coordinates)", "return self.bump(trials.prediction)"), encoding="utf-8"
    )
    task = f"{tmp_path / 'mine.py'}:Clicks"
    assert _run("rank", "l1_waveform", "--task", task, *QUICK, "--out", tmp_path / "out", "--json") == 1
    (record,) = json.loads(capsys.readouterr().out)
    assert record["reason"].startswith("predictions of clicks have no derivative with respect to place")


def test_a_suites_parameters_reach_the_tasks_that_have_them(clicks: str, tmp_path: Path):
    tasks = ("--task", "harmonic", "--task", clicks)
    assert _run("rank", "l2_waveform", *tasks, "--suite", "table1", "--trials", "2", "--out", tmp_path) == 0
    records = _records(tmp_path)
    assert records["l2_waveform", "harmonic"].task.params["perturbed_phase"] == "new"
    assert records["l2_waveform", "harmonic"].task.params["duration"] == 2.0
    assert records["l2_waveform", "clicks"].task.params == {"sample_rate": 44100.0, "duration": 2.0}


def test_a_distance_for_which_signals_are_too_short_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    long = "spectrogram[n_fft=32768]"
    assert _run("rank", "mss", long, *QUICK, "--out", tmp_path, "--json") == 0
    ranked, skipped = json.loads(capsys.readouterr().out)
    assert (ranked["status"], skipped["status"]) == ("ok", "skipped")
    assert skipped["reason"] == (
        f"{long} needs at least 32768 samples: a duration of 0.743039 s at 44100 Hz, got 0.1 s"
    )
    assert skipped["metrics"] == {}


FIXED = """
from tonedeaf.losses import AudioDistance

class Fixed(AudioDistance):
    native_sample_rate = 16000

    def __init__(self, *, sample_rate=16000, gain=1.0):
        super().__init__(sample_rate=sample_rate)
        if sample_rate != 16000:
            raise ValueError(f"Fixed works at 16000 Hz only, got {sample_rate:g}")
        if gain <= 0:
            raise ValueError(f"gain must be positive, got {gain:g}")

    def distance(self, prediction, target):
        return (prediction - target).abs().mean(-1)
"""


def test_a_distance_whose_sample_rate_is_below_the_signals_is_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "mine.py").write_text(FIXED, encoding="utf-8")
    fixed, out = f"{tmp_path / 'mine.py'}:Fixed", ("--out", tmp_path / "out")
    assert _run("rank", "l2_waveform", fixed, *QUICK, *out, "--json") == 0
    ranked, skipped = json.loads(capsys.readouterr().out)
    assert (ranked["status"], skipped["status"]) == ("ok", "skipped")
    assert skipped["reason"] == "Fixed works at 16000 Hz only, got 44100"
    assert _run("rank", "l2_waveform", fixed, *QUICK, *out, "--sample-rate", "16000", "--json") == 0
    assert [record["status"] for record in json.loads(capsys.readouterr().out)] == ["ok", "ok"]
    # nothing but the rate is excused
    assert _run("rank", "mss", f"{fixed}[gain=0]", *QUICK, *out) == 2
    assert _run("rank", fixed, *QUICK, *out) == 2


@pytest.mark.parametrize("call", [("rank", "mss"), ("descend", "mss"), ("map", "mss", "log_mss")])
def test_where_nothing_can_run_the_call_is_wrong(
    call: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tasks = ("--task", "sines", "--task", "tilt") if call[0] != "map" else ()
    assert _run(*call, *tasks, "--duration", "0.01", "--out", tmp_path) == 2
    assert "mss needs at least 2048 samples" in capsys.readouterr().err


def test_two_texts_of_one_distance_are_asked_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tasks = ("--task", "sines", "--task", "harmonic")
    assert _run("rank", "l2_waveform", "1*l2_waveform", *tasks, *QUICK, "--out", tmp_path, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["task"]["name"] for record in records if record["kind"] == "ranking"] == ["sines", "harmonic"]


def test_a_task_cannot_pass_for_a_built_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = TASK.replace('name = "clicks"', 'name = "sines"')
    assert text != TASK
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    task = f"{tmp_path / 'mine.py'}:Clicks"
    assert _run("rank", "mss", "--task", task, *QUICK, "--out", tmp_path / "out") == 2
    assert f"{task} has the name of a built-in task, 'sines'" in capsys.readouterr().err
    assert task_class("tonedeaf.benchmarks.sines:Sines") is Sines


def test_a_task_that_is_not_available_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert _run("rank", "mss", "--task", "bass_notes", *QUICK, "--out", tmp_path, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["status"] == "unavailable"
    assert record["reason"] == "tinysoundfont is not installed: pip install --no-deps tinysoundfont"
    rows = {row.name: row for row in catalogue("tasks") if isinstance(row, TaskRow)}
    assert not rows["bass_notes"].available
    assert rows["bass_notes"].reason == record["reason"]
    assert rows["tilt"].available
    assert table(list(rows.values())).row_count == len(TASKS)


@pytest.mark.skipif(bool(missing()), reason=missing() or "there is a sound font")
def test_the_sound_font_is_part_of_the_question(tmp_path: Path):
    assert _run("rank", "mss", "--task", "bass_notes", *QUICK, "--out", tmp_path) == 0
    params = _records(tmp_path)["mss", "bass_notes"].task.params
    assert len(params["sound_font_sha256"]) == 64
    assert params["sound_font"] == "auto"


def test_what_is_no_task_is_refused():
    with pytest.raises(ValueError, match="unknown task 'harmonics'; did you mean harmonic"):
        make_task("harmonics", {})
    with pytest.raises(ValueError, match="is not one task"):
        make_task("sines + tilt", {})
    with pytest.raises(PluginError, match="there is no file"):
        make_task("nowhere.py:X", {})
    with pytest.raises(ValueError, match="word without underscores, got ''"):
        Axis("", "cents", (1.0,))
