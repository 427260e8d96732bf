"""Picking distances for training, and what the command line says of leaderboard and minimum."""

import json
from pathlib import Path

import pytest

from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.selection import top
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.store import RecordStore

QUICK = ["--trials", "8", "--duration", "0.1"]


def _standing(name: str, pitch: float, level: float, missing: int = 0) -> Standing:
    cells = {("sines", "pitch_analytic"): pitch, ("sines", "level_analytic"): level}
    return Standing(distance=name, cells=cells, missing=missing, longer=False)


AMONG = [_standing("even", 0.7, 0.7), _standing("pitch", 0.95, 0.5), _standing("level", 0.6, 1.0)]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("minimum", ("even", "level", "pitch")),
        ("mean", ("level", "pitch", "even")),
        ("pitch_minimum", ("pitch", "even", "level")),
    ],
)
def test_a_criterion_decides_the_order(by: str, names: tuple[str, ...]):
    for count in (1, 2, 3):
        assert top(AMONG, count, by=by) == names[:count]


def test_what_is_incomplete_is_not_picked():
    among = [*AMONG, _standing("partial", 1.0, 1.0, missing=1)]
    assert "partial" not in top(among, 3)
    with pytest.raises(ValueError, match=r"top must be 1 to 3, .*got 4"):
        top(among, 4)


def test_wrong_criteria_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown criterion 'pitch_minimun'; did you mean pitch_minimum"):
        top(AMONG, 1, by="pitch_minimun")
    with pytest.raises(ValueError, match="top must be 1 to 3"):
        top(AMONG, 0)


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


def test_rank_over_tasks_ends_with_a_leaderboard(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    call = ["rank", "spectrogram", "l1_waveform", "--task", "sines", "--task", "harmonic", *QUICK, "--out", tmp_path]
    assert _run(*call, "--minimum", "2") == 0
    shown = capsys.readouterr().out
    assert "leaderboard over 2 tasks" in shown
    assert "level matched" in shown
    kinds = [record.kind for record in RecordStore(tmp_path).read_all()]
    assert {kind: kinds.count(kind) for kind in kinds} == {"ranking": 4, "minimum": 4, "cost": 2}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert _run(*call, "--minimum", "2", "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["kind"] for record in records] == ["ranking"] * 4 + ["minimum"] * 4 + ["cost"] * 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    for record in records[-2:]:
        assert record["metrics"]["forward_ms"] > 0
        assert record["metrics"]["backward_ms"] > 0
        assert record["metrics"]["kept_mib"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rank", "mss", "--minimum", "0"], "minimum must be at least 1 trial, got 0"),
        (["rank", "mss", "--minimum", "few"], "'few' is not a valid integer"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    assert _run(*arguments, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (tmp_path / "out").exists()
