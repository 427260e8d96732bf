"""A dataset's folder: the same whoever renders it, resumed after any interruption, and refused when it is not whole."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pytest

from tonedeaf.bassnet import dataset_writer
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.dataset import BASS, LABELS, MIX, Dataset, Song, open_dataset, song_folder
from tonedeaf.bassnet.rendering import Recipe, make_recipe, render_dataset, render_song

RENDERER = AdditiveRenderer()
SONGS = 4

P = ParamSpec("P")
T = TypeVar("T")


def recipe(**changes: Any) -> Recipe:
    chosen: dict[str, Any] = {"dataset": "A1", "songs": SONGS, "seed": 3, "seconds": 4.0, **changes}
    return make_recipe(chosen.pop("dataset"), renderer=RENDERER, **chosen)


def render(folder: Path, **changes: Any) -> Dataset:
    with ThreadPoolExecutor(1) as executor:
        return render_dataset(folder, recipe(**changes), RENDERER, executor)


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("whole") / "A1").folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "A1")
    return tmp_path / "A1"


class Interrupted(Executor):
    """Renders some songs, in the order of an unfair scheduler, and is killed."""

    def __init__(self, songs: int) -> None:
        self.left = songs

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        if self.left:
            self.left -= 1
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(KeyboardInterrupt())
        return future


def test_a_song_comes_back_as_it_was_rendered(whole: Path):
    dataset = open_dataset(whole)
    assert len(dataset) == SONGS
    assert dataset.groups == (0, 1, 2, 3)
    song, midi = render_song(recipe(), RENDERER, 2)
    back = dataset.song(2)
    assert np.array_equal(back.mix, song.mix)
    assert np.array_equal(back.bass, song.bass)
    assert back.mix.dtype == back.bass.dtype == np.float32
    assert np.array_equal(back.labels.f0, song.labels.f0)
    assert back.about.bars == song.about.bars
    assert dataset.midi(2) == midi


def test_the_folder_is_laid_out_as_documented(whole: Path):
    assert sorted(path.name for path in whole.iterdir()) == ["manifest.json", "songs"]
    names = ["bass.flac", "labels.npz", "mix.flac", "song.json", "song.mid"]
    for index in range(SONGS):
        assert sorted(path.name for path in (whole / "songs" / f"{index:05d}").iterdir()) == names
    manifest = json.loads((whole / "manifest.json").read_text())
    assert {name: manifest[name] for name in ("version", "dataset", "seed", "songs", "seconds", "sample_rate")} == {
        "version": 1,
        "dataset": "A1",
        "seed": 3,
        "songs": SONGS,
        "seconds": 4.0,
        "sample_rate": 16000,
    }
    assert manifest["renderer"] == {
        "name": "additive",
        "version": "1",
        "sound_font": None,
        "sound_font_sha256": None,
        "licence": "Apache-2.0",
    }
    assert len(manifest["level_range"]) == SONGS


def test_two_processes_render_the_same_bytes_as_one(whole: Path, tmp_path: Path):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        render_dataset(tmp_path / "A1", recipe(), RENDERER, executor)
    assert contents(tmp_path / "A1") == contents(whole)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_an_interrupted_dataset_is_finished_without_rendering_anything_twice(whole: Path, tmp_path: Path, done: int):
    folder = tmp_path / "A1"
    with pytest.raises(KeyboardInterrupt):
        render_dataset(folder, recipe(), RENDERER, Interrupted(done))
    with pytest.raises(ValueError, match=f"half-written: {done} of {SONGS} songs are there"):
        open_dataset(folder)
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("songs/*/*")}
    progress: list[int] = []
    with ThreadPoolExecutor(1) as executor:
        render_dataset(folder, recipe(), RENDERER, executor, progress=progress.append)
    assert progress == [done] + [1] * (SONGS - done)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(folder) == contents(whole)


KILLED = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.rendering import make_recipe, render_dataset
recipe = make_recipe("A1", songs=4, seed=3, seconds=4.0, renderer=AdditiveRenderer())
print("ready", flush=True)
say = lambda songs: print(songs, flush=True)
with ThreadPoolExecutor(1) as executor:
    render_dataset(Path(sys.argv[1]), recipe, AdditiveRenderer(), executor, progress=say)
"""


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.1])
def test_a_process_killed_at_any_moment_leaves_a_folder_that_is_finished_to_the_byte(
    whole: Path, tmp_path: Path, delay: float
):
    folder = tmp_path / "A1"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if delay:
        process.stdout.readline()  # it has begun
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    render(folder)
    assert contents(folder) == contents(whole)


def test_a_full_disk_loses_nothing_that_is_done(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "A1"
    written, really = 0, dataset_writer.write_atomically

    def write(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written > 9:  # the manifest, a song of five files, and a part of the next
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        really(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(dataset_writer, "write_atomically", write)
        with pytest.raises(OSError, match="No space left on device"):
            render(folder)
    assert [path.name for path in (folder / "songs").iterdir()] == ["00000"]
    render(folder)
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("operation", ["rename", "replace", "mkdir"])
@pytest.mark.parametrize("time", range(1, 12))
def test_a_song_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, time: int
):
    """Whichever step of the file system is the last one before the power goes."""
    folder = tmp_path / "A1"
    steps, really = 0, getattr(Path, operation)

    def step(path: Path, *arguments: Any, **options: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps >= time:
            raise KeyboardInterrupt
        return really(path, *arguments, **options)

    made = [render_song(recipe(songs=2), RENDERER, index) for index in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(Path, operation, step)
        try:
            dataset_writer.begin(folder, recipe(songs=2))
            for song, midi in made:
                dataset_writer.write_song(folder, song, midi)
        except KeyboardInterrupt:
            pass
    for song in folder.glob("songs/[0-9]*"):
        assert len(list(song.iterdir())) == 5
    assert len(render(folder, songs=2)) == 2


def test_after_an_error_nothing_more_is_made(tmp_path: Path):
    made: list[int] = []

    def fails(index: int) -> tuple[Song, bytes]:
        made.append(index)
        raise ValueError("no sound")

    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="no sound"):
        dataset_writer.build_dataset(tmp_path / "A1", recipe(songs=50), fails, executor)
    assert len(made) < 50


def test_two_runs_at_once_make_one_dataset(whole: Path, tmp_path: Path):
    """Both find every song missing; the slower one finds each there when it comes to write it."""
    folder = tmp_path / "A1"
    missing = dataset_writer.begin(folder, recipe()).missing
    render(folder)
    for index in missing:
        song, midi = render_song(recipe(), RENDERER, index)
        dataset_writer.write_song(folder, song, midi)
    dataset_writer.finish(folder, recipe())
    assert contents(folder) == contents(whole)


def test_rendering_a_complete_dataset_again_renders_nothing(copy: Path):
    before = contents(copy)
    progress: list[int] = []
    render_dataset(copy, recipe(), RENDERER, Interrupted(0), progress=progress.append)
    assert progress == [SONGS]
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "its seed is 3, not 4"),
        ({"dataset": "A2"}, "its dataset is 'A1', not 'A2'"),
        ({"songs": 5}, "its songs is 4, not 5"),
        ({"seconds": 5.0}, "its seconds is 4.0, not 5.0"),
    ],
)
def test_a_folder_of_another_dataset_is_refused(copy: Path, change: dict[str, Any], message: str):
    before = contents(copy)
    with pytest.raises(ValueError, match=f"holds another dataset: {message}; name a new folder"):
        render(copy, **change)
    assert contents(copy) == before


def test_a_folder_in_which_nothing_was_finished_can_be_begun_anew(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        render_dataset(tmp_path / "A1", recipe(), RENDERER, Interrupted(0))
    assert render(tmp_path / "A1", seed=9, songs=1).manifest.seed == 9


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="is there and is no dataset"):
        render(tmp_path)
    with pytest.raises(ValueError, match="is there and is no dataset"):
        render(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_no_dataset_is_said_in_one_line(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere: tonedeaf data makes one"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no dataset in .*: tonedeaf data makes one"):
        open_dataset(tmp_path)


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2 is unknown; this one reads version 1: render it anew"),
        ({"seed": 4}, "its digest does not fit what it says"),
        ({"digest": "0" * 64}, "its digest does not fit what it says"),
        ({"colour": "blue"}, "is not a dataset's manifest: .*colour"),
        ({"songs": "four"}, "is not a dataset's manifest"),
        ({"level_range": [[0, 1]]}, "its lists do not have 4 entries"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, change: dict[str, Any], message: str):
    change_manifest(copy, **change)
    with pytest.raises(ValueError, match=message) as raised:
        open_dataset(copy)
    assert "\n" not in str(raised.value)


def test_a_manifest_that_is_no_json_is_refused(copy: Path):
    (copy / "manifest.json").write_text('{"version": 1, "data')
    with pytest.raises(ValueError, match="is not a dataset's manifest"):
        open_dataset(copy)
    (copy / "manifest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not a dataset's manifest"):
        open_dataset(copy)


def test_a_missing_song_is_named(copy: Path):
    shutil.rmtree(copy / "songs" / "00002")
    with pytest.raises(ValueError, match=r"is damaged: .*00002 is missing"):
        open_dataset(copy)


@pytest.mark.parametrize("name", ["mix.flac", "bass.flac", "labels.npz", "song.json"])
def test_a_damaged_file_is_named(copy: Path, name: str):
    path = copy / "songs" / "00001" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    dataset = open_dataset(copy)
    with pytest.raises(ValueError, match=f"{name} is damaged: it is not the file that was written"):
        dataset.song(1)
    path.unlink()
    with pytest.raises(ValueError, match=f"{name} is missing"):
        dataset.song(1)
    assert dataset.song(0).index == 0


def test_labels_are_read_without_the_audio_and_what_is_wrong_with_them_is_said_once(copy: Path):
    dataset = open_dataset(copy)
    np.testing.assert_array_equal(dataset.labels(1).f0, dataset.song(1).labels.f0)
    folder = song_folder(copy, 1)
    for name in (MIX, BASS):
        (folder / name).unlink()
    labels = folder / LABELS
    assert dataset.labels(1).f0.any()
    with pytest.raises(ValueError, match=r"song must be in 0\.\.3, got 4"):
        dataset.labels(4)
    labels.unlink()
    with pytest.raises(ValueError, match=f"^{labels} is missing: run the tonedeaf data that made the dataset again to"):
        dataset.labels(1)


def test_a_song_that_there_is_not_is_refused(whole: Path):
    with pytest.raises(ValueError, match=r"song must be in 0\.\.3, got 4"):
        open_dataset(whole).song(4)


def test_the_digest_is_that_of_what_decides_the_content():
    digests = {
        recipe(**change).content_digest
        for change in ({}, {"dataset": "A2"}, {"songs": 5}, {"seed": 4}, {"seconds": 5.0})
    }
    assert len(digests) == 5
    assert recipe().content_digest == recipe().content_digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "A7"}, "dataset must be one of A1, A2, A3, A4, got 'A7'"),
        ({"songs": 0}, r"songs must be in 1\.\.100000, got 0"),
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"seconds": 0.0}, r"seconds must be in 1\.\.600, got 0"),
        ({"seconds": float("nan")}, r"seconds must be in 1\.\.600, got nan"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        recipe(**change)
