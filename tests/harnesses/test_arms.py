"""How good the evidence is, as an arm's record says it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from tonedeaf.bassnet.audio_term import Condition
from tonedeaf.harnesses import arms
from tonedeaf.harnesses.study import Arm, Study


def evidence(
    monkeypatch: pytest.MonkeyPatch,
    off: list[float],
    *,
    condition: Condition = "audio-only",
    harmonics: object = 1,
    **study: str,
) -> dict[str, Any] | None:
    def term(*_arguments: Any, **_options: Any) -> Any:
        return SimpleNamespace(preferred=lambda _model, **_how: torch.tensor(off))

    monkeypatch.setattr(arms, "AudioTerm", term)
    start = SimpleNamespace(eval=lambda: None)
    settings = cast("dict[str, Any]", study)
    arm = Arm(study=Study(data=Path("data"), out=Path("out"), **settings), loss="mss", condition=condition, seed=0)
    return arms._evidence(arm, cast(Any, start), cast(Any, SimpleNamespace(harmonics=harmonics)))  # pyright: ignore[reportPrivateUsage]


def test_it_counts_what_is_right_and_near_and_says_to_which_side_it_errs(monkeypatch: pytest.MonkeyPatch):
    found = evidence(monkeypatch, [0.0, 0.0, 1.0, 1 / 3, -1.0, 12.0, -7.0, 1.0])
    assert found is not None
    assert (found["notes"], found["right"], found["near"]) == (8, 2 / 8, 6 / 8)
    assert found["semitones_above"] == pytest.approx((1 + 1 / 3 - 1 + 1) / 6)
    far = evidence(monkeypatch, [12.0, -5.0])
    assert far is not None
    assert (far["right"], far["near"], far["semitones_above"]) == (0, 0, None)


def test_there_is_none_where_the_distance_is_not_asked_for_pitches(monkeypatch: pytest.MonkeyPatch):
    assert evidence(monkeypatch, [0.0], path="marginal") is not None
    assert evidence(monkeypatch, [0.0], path="marginal", condition="replace") is None
    assert evidence(monkeypatch, [0.0], path="soft") is None
    assert evidence(monkeypatch, [0.0], target="stem") is None
    assert evidence(monkeypatch, [0.0], harmonics=None) is None
    assert evidence(monkeypatch, []) is None, "all notes out of the range"
