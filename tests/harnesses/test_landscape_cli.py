"""``tonedeaf curve``, ``map`` and ``field``: what they leave behind, and how they answer a wrong call."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.tasks import make_task
from tonedeaf.results.store import RecordStore

SMALL = ["--task", "sines[fmin=300;fmax=800;lowest_level=-2]", "--duration", "0.1"]
"""Few cells."""


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


@pytest.mark.parametrize(("kind", "figures", "rows"), [("curve", 1, 3 * 161), ("map", 3, 3 * 119), ("field", 1, 15)])
def test_a_command_leaves_records_and_figures(
    kind: str, figures: int, rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert _run(kind, "mss", "log_spectral_transport", *SMALL, "--out", tmp_path, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["distance"]["name"] for record in records] == ["mss", "log_spectral_transport"]
    store = RecordStore(tmp_path)
    for record in store.read_all():
        assert (record.kind, record.status, record.trials) == (kind, "ok", rows)
        assert store.trials(record).height == rows
    for suffix in ("png", "svg"):
        assert len(list(tmp_path.glob(f"{kind}-sines*.{suffix}"))) == figures


def test_a_second_call_computes_nothing_and_draws_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    call = ["field", "mss", *SMALL, "--pitch", "350", "--level", "-1", "--out", str(tmp_path)]
    assert _run(*call) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("tonedeaf.harnesses.landscape_run.measure", None)
    assert _run(*call) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_targets_are_those_of_the_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pitches = ["--pitch", "310", "--pitch", "400", "--level", "-1", "--level", "0"]
    assert _run("curve", "mss", *SMALL, *pitches, "--out", tmp_path, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    found = [(target["pitch_hz"], target["level_db"]) for target in record["task"]["params"]["targets"]]
    assert found == [(310, -1), (400, 0)]
    assert _run("curve", "mss", *SMALL, "--pitch", "310", "--seed", "3", "--out", tmp_path, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["task"]["params"]["targets"] == [{"pitch_hz": 310, "level_db": -1, "trial": 0}]
    assert record["seed"] == 3


def test_paths_lead_over_the_map_to_each_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    targets = ["--pitch", "400", "--pitch", "600", "--level", "-1"]
    call = ["map", "log_spectral_transport", "mss[n_ffts=64]", *SMALL, *targets]
    assert _run(*call, "--paths", "3", "--out", tmp_path, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["kind"] for record in records] == ["map", "map", "paths", "paths"]
    store = RecordStore(tmp_path)
    transport, _ = (record for record in store.read_all() if record.kind == "paths")
    assert transport.metrics == {"reached": [3, 3], "starts": 3}
    table = store.trials(transport).sort("target", "start")
    ends = [(row["path_pitch_hz"][-1], row["path_level_db"][-1]) for row in table.iter_rows(named=True)]
    wanted = [(400, -1)] * 3 + [(600, -1)] * 3
    for (hertz, level), (target_hertz, target_level) in zip(ends, wanted, strict=True):
        assert abs(1200 * math.log2(hertz / target_hertz)) <= 50
        assert abs(level - target_level) <= 1
    starts = np.array(
        [[1200 * math.log2(row["path_pitch_hz"][0]), row["path_level_db"][0]] for row in table.to_dicts()]
    )
    drawn = make_task(SMALL[1], {"sample_rate": 44100, "duration": 0.1}).task.trials(0, 0, 3).prediction
    from_where = np.stack([drawn["pitch"], drawn["level"]], axis=1)
    np.testing.assert_allclose(starts, np.concatenate([from_where, from_where]), rtol=1e-9, atol=1e-9)
    before = sorted(tmp_path.glob("*.png"))
    assert len(before) == 2
    assert _run(*call, "--out", tmp_path) == 0
    assert len(list(tmp_path.glob("*.png"))) == 4, "a map without paths is another figure"


def test_another_suite_sets_its_presets(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert _run("field", "mss", *SMALL, "--suite", "table1", "--out", tmp_path, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["distance"]["params"]["padding"] == "reflect"


def test_one_failing_distance_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "coupled.py").write_text(
        "from tonedeaf.losses import AudioDistance\n"
        "class Coupled(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        return (prediction - target).abs().mean(-1) / (1 + target.abs().amax())\n",
        encoding="utf-8",
    )
    plugin = f"{tmp_path / 'coupled.py'}:Coupled"
    assert _run("field", plugin, "mss", *SMALL, "--out", tmp_path / "out") == 1
    shown = capsys.readouterr().out
    assert "Coupled: failed: independence" in shown
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curve", "msss"], "unknown distance 'msss'; did you mean mss"),
        (["map", "mss", "--task", "sine"], "unknown task 'sine'; did you mean sines"),
        (["field", "mss", "--suite", "table-1"], "unknown suite 'table-1'"),
        (["field", "mss", "--suite", "table1-choices"], "is for tonedeaf rank only"),
        (["map", "mss", "--pitch", "20"], "pitch must be 30 to 4000 Hz for sines, got 20 Hz"),
        (["curve", "mss", "--task", "in_mix", "--pitch", "346"], "pitch must be 30 to 250 Hz for in_mix, got 346 Hz"),
        (["map", "mss", "--level", "0.5"], "level must be -25 to 0 dB for sines, got 0.5 dB"),
        (["curve", "mss", "--level", "-1", "--level", "-2"], "3 pitches have 2 levels"),
        (["curve", "mss", "--pitch", "high"], "'high' is not a valid float"),
        (["field", "mss", "--duration", "0.01"], "mss needs at least 2048 samples"),
        (["field", "mss", "--memory", "lots"], "memory must be a size"),
        (["field", "mss", "--device", "tpu"], "device 'tpu' cannot be used here"),
        (["map", "mss", "--paths", "-1"], "paths must not be negative, got -1"),
        (["curve", "mss", "--paths", "3"], "No such option"),
        (["maps", "mss"], "unknown command 'maps'; did you mean map"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    assert _run(*arguments, *(["--out", tmp_path / "out"] if arguments[0] != "maps" else [])) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err
    assert not list(tmp_path.rglob("*.json"))


def test_a_folder_that_cannot_be_written_is_said_before_computing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tonedeaf.harnesses.landscape_run.measure", None)
    (tmp_path / "file").touch()
    assert _run("map", "mss", "--out", tmp_path / "file") == 2
    assert "cannot write records to the folder" in capsys.readouterr().err
