"""What a terminal shows while a model trains: losses, time, and nothing where nobody looks."""

import re
from typing import Any

import pytest

from tonedeaf.bassnet.training import Progress
from tonedeaf.harnesses.screen_training import clock, losses, training_bar


def a_progress(**changes: Any) -> Progress:
    validation = {"loss": 1.5, "f0": 0.25, "level": 0.3, "onset": 0.05, "kl": 2.0}
    return Progress(
        step=30, steps=60, seconds=12.0, seconds_left=12.0, training={}, validation=validation, best_loss=1.4
    )._replace(**changes)


def test_the_bar_tells_losses_and_the_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with training_bar(60, None) as report:
        report(a_progress())
    shown = capsys.readouterr().err
    (line,) = (line for line in re.sub(r"\x1b\[[?\d;]*\w", "", shown).splitlines() if "left" in line)
    assert len(line.strip()) <= 80
    for part in ("loss 1.50 f0 0.25 level 0.30 onset 0.050 KL 2.0", "30/60", "0:12 left"):
        assert part in line


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]):
    with training_bar(60, None) as report:
        report(a_progress())
    assert capsys.readouterr().err == ""


def test_words():
    assert losses({}) == "first mini-epoch"
    assert losses(a_progress().validation) == "loss 1.50 f0 0.25 level 0.30 onset 0.050 KL 2.0"
    assert [clock(seconds) for seconds in (5, 65, 3725)] == ["0:05", "1:05", "1:02:05"]
