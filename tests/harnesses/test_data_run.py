"""``tonedeaf data`` and ``tonedeaf list datasets``, as a user calls them."""

import errno
import importlib
import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from tonedeaf.bassnet import dataset_writer, fluidsynth_renderer
from tonedeaf.bassnet.dataset import Dataset, open_dataset
from tonedeaf.bassnet.manifest import Recipe
from tonedeaf.harnesses import data_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.execution import WorkerLostError

P = ParamSpec("P")
T = TypeVar("T")

SHORT = ["--songs", "2", "--seconds", "2", "--renderer", "additive", "--workers", "1"]


def test_a_dataset_is_made_and_made_only_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = str(tmp_path / "A2")
    assert run_command(["data", "A2", *SHORT, "--seed", "5", "--out", out]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: 2 songs of A2, seed 5 (additive 1; 2 made in ")
    assert not said.err
    dataset = open_dataset(out)
    assert (dataset.manifest.dataset, dataset.manifest.seed, dataset.manifest.seconds) == ("A2", 5, 2.0)
    assert run_command(["data", "A2", *SHORT, "--seed", "5", "--out", out]) == 0
    assert capsys.readouterr().out == f"{out}: 2 songs of A2, seed 5 (additive 1; all were there)\n"


def test_a_dataset_has_a_thousand_songs_of_a_minute_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Recipe] = []

    def refuse(_out: Path, recipe: Recipe, *_others: object, **_named: object) -> Dataset:
        asked.append(recipe)
        raise ValueError("enough is known")

    monkeypatch.setattr(data_run, "render_dataset", refuse)
    call = ["data", "A1", "--renderer", "additive", "--workers", "1", "--out", str(tmp_path / "A1")]
    assert run_command(call) == run_command([*call, "--songs", "7", "--seconds", "9"]) == 2
    assert [(recipe.songs, recipe.seconds) for recipe in asked] == [(1000, 60.0), (7, 9.0)]


def test_a_damaged_dataset_is_repaired_by_the_same_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "A1"
    call = ["data", "A1", *SHORT, "--out", str(out)]
    assert run_command(call) == 0
    (out / "songs" / "00000" / "song.json").unlink()
    (out / "songs" / "00001" / "mix.flac").write_bytes(b"fLaC")
    capsys.readouterr()
    assert run_command(call) == 0
    said = capsys.readouterr()
    in_one_line = " ".join(said.out.split())  # a long folder's name is wrapped
    assert "; 2 made in " in in_one_line
    assert in_one_line.endswith(" s, 2 of these in place of damaged ones)")
    assert not said.err
    assert [open_dataset(out).song(index).index for index in range(2)] == [0, 1]
    (out / "songs" / "00001" / "labels.npz").unlink()
    assert run_command([*call, "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert (made["songs"], made["made"], made["damaged"]) == (2, 1, 1)


@pytest.mark.slow  # two processes that import torch
def test_two_workers(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["data", "A1", "--songs", "2", "--seconds", "2", "--renderer", "additive", "--workers", "2"]
    assert run_command([*arguments, "--out", str(tmp_path / "A1")]) == 0
    assert "2 made in" in capsys.readouterr().out


def test_json_is_one_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command(["data", "A1", *SHORT, "--out", str(tmp_path / "A1"), "--json"]) == 0
    said = capsys.readouterr()
    (made,) = json.loads(said.out)
    assert not said.err
    assert made["digest"] == open_dataset(tmp_path / "A1").digest
    assert (made["dataset"], made["songs"], made["made"], made["folder"]) == ("A1", 2, 2, str(tmp_path / "A1"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A7"], "dataset must be one of A1, A2, A3, A4, or a folder of tracks with stems, got 'A7'"),
        (["A1", "--songs", "0"], "songs must be in 1..100000, got 0"),
        (["A1", "--seconds", "nan"], "seconds must be in 1..600, got nan"),
        (["A1", "--seed", "-1"], "seed must not be negative, got -1"),
        (["A1", "--workers", "0"], "workers must be at least 1, got 0"),
        (["A1", "--renderer", "moog"], "renderer must be one of auto, fluidsynth, tinysoundfont, additive, got 'moog'"),
        (["A1", "--renderer", "additive", "--sound-font", "x.sf2"], "the additive renderer plays no sound font"),
        (["."], "recordings are not rendered: leave out --seconds, --renderer and --sound-font"),
    ],
)
def test_a_wrong_call_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
):
    defaults = ["--songs", "1", "--seconds", "2", "--renderer", "additive", "--workers", "1"]
    assert run_command(["data", *defaults, "--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {message}")
    assert said.err.count("\n") == 1
    assert not said.out
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_of_another_dataset_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = str(tmp_path / "A1")
    assert run_command(["data", "A1", *SHORT, "--out", out]) == 0
    capsys.readouterr()
    assert run_command(["data", "A1", *SHORT, "--seed", "1", "--out", out]) == 2
    assert capsys.readouterr().err == f"error: {out} holds another dataset: its seed is 0, not 1; name a new folder\n"


def test_a_full_disk_is_one_line_and_what_is_done_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    written, really = 0, dataset_writer.write_atomically

    def write(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written > 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        really(path, content)

    out = str(tmp_path / "A1")
    with monkeypatch.context() as patch:
        patch.setattr(dataset_writer, "write_atomically", write)
        assert run_command(["data", "A1", *SHORT, "--out", out]) == 1
    assert capsys.readouterr().err == (
        "error: No space left on device; songs that are there and kept: 1; "
        f"run the same command again to go on: {out}\n"
    )
    assert run_command(["data", "A1", *SHORT, "--out", out]) == 0
    assert "1 made in" in capsys.readouterr().out


class OneSong(Executor):
    """Makes one song; then its process dies."""

    def __init__(self) -> None:
        self.dead = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        if self.dead:
            future.set_exception(
                WorkerLostError("the process that computed it died 3 times (the last time by SIGKILL)")
            )
        else:
            future.set_result(fn(*args, **kwargs))
        self.dead = True
        return future


def test_a_worker_that_dies_is_one_line_and_what_is_done_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    call = ["data", "A1", *SHORT, "--out", str(tmp_path / "A1")]
    with monkeypatch.context() as patch:
        patch.setattr(data_run, "_opened", lambda workers: nullcontext(OneSong()))  # pyright: ignore[reportUnknownLambdaType]
        assert run_command(call) == 1
    assert capsys.readouterr().err == (
        "error: the process that computed it died 3 times (the last time by SIGKILL); songs that are there: 1; "
        "what is finished is kept: run the same command again to go on, with fewer --workers if memory was short\n"
    )
    assert run_command(call) == 0
    assert "; 1 made in" in capsys.readouterr().out


DEADLY = """
import os
import signal
from dataclasses import dataclass
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer


@dataclass(frozen=True)
class Deadly(AdditiveRenderer):
    def render(self, score, generator):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow  # several processes that import torch
def test_a_song_that_kills_every_worker_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    deadly = importlib.import_module("deadly")
    monkeypatch.setattr(data_run, "make_renderer", lambda *_: deadly.Deadly())  # pyright: ignore[reportUnknownLambdaType]
    assert run_command(["data", "A1", *SHORT, "--workers", "2", "--out", str(tmp_path / "A1")]) == 1
    assert capsys.readouterr().err == (
        "error: the process that computed it died 3 times (the last time by SIGKILL); songs that are there: 0; "
        "what is finished is kept: run the same command again to go on, with fewer --workers if memory was short\n"
    )


def test_a_fluidsynth_that_hangs_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def hang(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if "--version" in command:
            return subprocess.CompletedProcess(command, 0, "FluidSynth runtime version 2.3.1", "")
        raise subprocess.TimeoutExpired(command, 600)

    monkeypatch.setattr(fluidsynth_renderer, "missing", lambda: "")
    monkeypatch.setattr(fluidsynth_renderer.subprocess, "run", hang)
    out = str(tmp_path / "A1")
    assert run_command(["data", "A1", *SHORT, "--renderer", "fluidsynth", "--out", out]) == 1
    assert capsys.readouterr().err == (
        "error: fluidsynth has not played a song to its end in 600 s; songs that are there and kept: 0; "
        f"run the same command again to go on: {out}\n"
    )


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    assert run_command(["data", "A1", *SHORT, "--out", str(tmp_path / "file" / "A1")]) == 2
    assert capsys.readouterr().err == f"error: cannot write to {tmp_path / 'file' / 'A1'}: Not a directory\n"


def test_datasets_are_listed(capsys: pytest.CaptureFixture[str]):
    assert run_command(["list", "datasets"]) == 0
    assert "A3" in capsys.readouterr().out
    assert run_command(["list", "datasets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["patterns"]) for row in rows] == [("A1", 3), ("A2", 2), ("A3", 2), ("A4", 5)]
    assert all(row["available"] and "additive" in row["renderers"] for row in rows)
