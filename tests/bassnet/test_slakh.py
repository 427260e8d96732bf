"""Slakh through mirdata: which stems are basses. The layout is that of BabySlakh, its index two tracks."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tonedeaf.bassnet import slakh
from tonedeaf.bassnet.stems import find_tracks

needs_mirdata = pytest.mark.skipif(
    importlib.util.find_spec("mirdata") is None, reason="mirdata is not installed: pip install 'tonedeaf[slakh]'"
)
PROGRAMS = {"S00": 0, "S01": 33, "S02": 128, "S03": 38}


@pytest.fixture
def data_home(tmp_path: Path) -> Path:
    for track, stems in (("Track00001", ("S00", "S01", "S02", "S03")), ("Track00002", ("S00", "S02"))):
        folder = tmp_path / "babyslakh_16k" / track
        (folder / "stems").mkdir(parents=True)
        for stem in stems:
            (folder / "stems" / f"{stem}.wav").touch()
        about = {stem: {"program_num": PROGRAMS[stem], "is_drum": stem == "S02"} for stem in stems}
        (folder / "metadata.yaml").write_text(json.dumps({"stems": about}))  # JSON is YAML
    return tmp_path


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, data_home: Path) -> None:
    """In place of the index that mirdata downloads."""
    core: Any = importlib.import_module("mirdata.core")
    tracks: dict[str, Any] = {}
    multitracks: dict[str, Any] = {}
    for folder in sorted((data_home / "babyslakh_16k").iterdir()):
        base = f"babyslakh_16k/{folder.name}"
        names = [f"{folder.name}-{path.stem}" for path in sorted((folder / "stems").iterdir())]
        for name in names:
            stem = name.split("-")[1]
            tracks[name] = {
                "audio": [f"{base}/stems/{stem}.wav", ""],
                "midi": [f"{base}/MIDI/{stem}.mid", ""],
                "metadata": [f"{base}/metadata.yaml", ""],
            }
        multitracks[folder.name] = {
            "tracks": names,
            "mix": [f"{base}/mix.wav", ""],
            "midi": [f"{base}/all_src.mid", ""],
            "metadata": [f"{base}/metadata.yaml", ""],
        }
    absent = {name: ["babyslakh_16k/Track00003/x", ""] for name in ("mix", "midi", "metadata")}
    multitracks["Track00003"] = {"tracks": [], **absent}
    content = {"version": "baby", "tracks": tracks, "multitracks": multitracks}
    monkeypatch.setattr(core.Dataset, "_index", content)


@needs_mirdata
@pytest.mark.usefixtures("index")
def test_basses_are_told_from_other_stems_by_their_programs(data_home: Path):
    assert slakh.is_slakh(data_home)
    (track,) = find_tracks(data_home)  # Track00002 has no bass, Track00003 is not on the disk
    assert track.name == "Track00001"
    assert [path.name for path in track.bass] == ["S01.wav", "S03.wav"]
    assert [path.name for path in track.others] == ["S00.wav", "S02.wav"]


@needs_mirdata
def test_an_index_that_was_not_downloaded_is_said(data_home: Path):
    with pytest.raises(ValueError, match=r"mirdata has no index of Slakh yet; in Python, .*download\(\['index'\]\)"):
        find_tracks(data_home)


def test_without_mirdata_it_is_said_what_to_install(data_home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"Slakh is read by mirdata: pip install 'tonedeaf\[slakh\]'"):
        find_tracks(data_home)


def test_a_folder_of_something_else_is_not_slakh(tmp_path: Path):
    assert not slakh.is_slakh(tmp_path)
