"""The command ``descend``: what it prints and leaves behind, and how it answers a wrong call."""

import json
from pathlib import Path

import pytest

from tonedeaf.harnesses.cli import run_command

QUICK = ["--trials", "8", "--duration", "0.1"]


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


def test_descend_prints_draws_and_correlates(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    names = ["spectrogram", "l1_waveform", "l2_waveform"]
    assert _run("rank", *names, *QUICK, "--out", tmp_path) == 0
    call = ["descend", *names, "--trials", "3", "--steps", "4", "--duration", "0.1", "--out", tmp_path]
    capsys.readouterr()
    assert _run(*call) == 0
    shown = capsys.readouterr().out
    assert "rank correlation with sign accuracy over 3 distances" in shown
    assert len(list(tmp_path.glob("descent-sines-*.png"))) == 1
    assert len(list(tmp_path.glob("descent-sines-*.svg"))) == 1
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert _run(*call, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["kind"] for record in records] == ["descent"] * 3
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before


def test_a_distance_without_gradient_is_skipped(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "deaf.py").write_text(
        "from tonedeaf.losses import AudioDistance\n"
        "class Deaf(AudioDistance):\n"
        "    differentiable = False\n"
        "    def distance(self, prediction, target):\n"
        "        return (prediction - target).abs().mean(-1)\n",
        encoding="utf-8",
    )
    options = ["--trials", "2", "--steps", "2", "--duration", "0.1", "--out", tmp_path / "out"]
    assert _run("descend", f"{tmp_path / 'deaf.py'}:Deaf", *options) == 0
    assert "skipped: the distance is not differentiable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["descend", "mss", "--steps", "0"], "steps must be at least 1, got 0"),
        (["descend", "mss", "--trials", "0"], "trials must be at least 1, got 0"),
        (["descend", "log_msss"], "unknown distance 'log_msss'; did you mean log_mss"),
        (["descend", "mss", "--task", "sine"], "unknown task 'sine'; did you mean"),
        (["descend", "mss", "--suite", "table1-choices"], "suite table1-choices is one of tonedeaf rank"),
        (["descend", "mss", "--duration", "0.01"], "needs at least 2048 samples"),
        (["descnd", "mss"], "did you mean descend"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    out = [] if arguments[0] == "descnd" else ["--out", tmp_path / "out"]
    assert _run(*arguments, *out) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (tmp_path / "out").exists()
