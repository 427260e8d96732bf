"""What ``rank --all`` passes over, and that naming it ranks it."""

from pathlib import Path

import pytest

from tonedeaf.harnesses import affordable, rank_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.results.store import RecordStore

_QUICK = ["--trials", "4", "--duration", "0.1"]


def test_what_would_take_too_long_is_passed_over_unless_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rank_run, "names", lambda: ["mss", "l1_waveform"])
    monkeypatch.setattr(
        affordable, "estimated_seconds", lambda cell, _resources: 400.0 if cell.distance_identity.name == "mss" else 1.0
    )
    assert run_command(["rank", "--all", *_QUICK, "--out", str(tmp_path)]) == 0
    assert "passed over mss on sines: about 400 s for 4 trials" in capsys.readouterr().err
    assert [record.distance.name for record in RecordStore(tmp_path).read_all()] == ["l1_waveform"]
    assert run_command(["rank", "mss", *_QUICK, "--out", str(tmp_path)]) == 0
    assert {record.distance.name for record in RecordStore(tmp_path).read_all()} == {"mss", "l1_waveform"}
    # with its record there it costs nothing any more
    assert run_command(["rank", "--all", *_QUICK, "--out", str(tmp_path)]) == 0
    assert "passed over" not in capsys.readouterr().err
