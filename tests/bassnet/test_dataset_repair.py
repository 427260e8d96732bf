"""A dataset that was damaged: the same command again makes the damaged songs anew, and no others."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.dataset import SONG_DOCUMENT, open_dataset
from tonedeaf.bassnet.rendering import make_recipe, render_dataset

SONGS = 3
Damage = Callable[[Path], None]


def render(folder: Path) -> list[int]:
    """How many songs were damaged, and how many made."""
    renderer, told, made = AdditiveRenderer(), list[int](), list[int]()
    recipe = make_recipe("A1", songs=SONGS, seed=3, seconds=2.0, renderer=renderer)
    with ThreadPoolExecutor(1) as executor:
        render_dataset(folder, recipe, renderer, executor, progress=made.append, damaged=told.append)
    return [sum(told), sum(made[1:])]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "A1"
    assert render(folder) == [0, SONGS]
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "A1")


def flip(name: str) -> Damage:
    def damage(song: Path) -> None:
        content = bytearray((song / name).read_bytes())
        content[len(content) // 2] ^= 1
        (song / name).write_bytes(content)

    return damage


def lose(name: str) -> Damage:
    return lambda song: (song / name).unlink()


def edit(name: str, value: object) -> Damage:
    def damage(song: Path) -> None:
        document = json.loads((song / SONG_DOCUMENT).read_text())
        (song / SONG_DOCUMENT).write_text(json.dumps({**document, name: value}))

    return damage


def swap(song: Path) -> None:
    """Another song, whole, is in its place."""
    shutil.rmtree(song)
    shutil.copytree(song.with_name("00000"), song)


DAMAGES = {
    "audio": flip("mix.flac"),
    "labels": lose("labels.npz"),
    "midi": lose("song.mid"),
    "no document": lose(SONG_DOCUMENT),
    "no files named": edit("files", {}),
    "another song": swap,
    "no JSON": lambda song: (song / SONG_DOCUMENT).write_bytes(b"\xff{"),
}


def marked_incomplete(folder: Path) -> None:
    path = folder / "manifest.json"
    lists = {"level_range": [], "groups": [], "song_sha256": []}
    path.write_text(json.dumps({**json.loads(path.read_text()), "complete": False, **lists}))


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_song_is_made_anew_and_what_is_whole_is_kept(whole: Path, copy: Path, damage: Damage, complete: bool):
    if not complete:
        marked_incomplete(copy)
    damage(copy / "songs" / "00001")
    kept = {path: path.stat().st_mtime_ns for name in ("00000", "00002") for path in (copy / "songs" / name).iterdir()}
    assert render(copy) == [1, 1]
    assert contents(copy) == contents(whole)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert render(copy) == [0, 0]


def test_a_document_that_was_edited_does_not_become_true(whole: Path, copy: Path):
    """It names the digests of its files rightly; only the manifest knows better."""
    edit("onsets", [])(copy / "songs" / "00001")
    with pytest.raises(ValueError, match="it is not the file that was written; run the tonedeaf data that made the"):
        open_dataset(copy).about(1)
    assert render(copy) == [1, 1]
    assert contents(copy) == contents(whole)


def test_a_repair_that_is_interrupted_is_gone_on_with(whole: Path, copy: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("00000", "00002"):
        flip("bass.flac")(copy / "songs" / name)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AdditiveRenderer, "render", interrupt)
        with pytest.raises(KeyboardInterrupt):
            render(copy)
    with pytest.raises(ValueError, match=r"is damaged: .*00000 is missing; run the tonedeaf data that made"):
        open_dataset(copy)
    assert render(copy) == [0, 2]
    assert contents(copy) == contents(whole)
