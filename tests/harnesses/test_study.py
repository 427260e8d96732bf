"""What the arms of a study are trained with, and read by."""

import inspect
from pathlib import Path

import pytest

from tonedeaf.bassnet.audio_term import Condition
from tonedeaf.bassnet.config import SAMPLE_RATE, preset
from tonedeaf.harnesses.bassnet_losses import made
from tonedeaf.harnesses.study import Arm, Study
from tonedeaf.harnesses.suites import HOUSE_MODE
from tonedeaf.losses import make


def arm(loss: str, condition: Condition, path: str) -> Arm:
    return Arm(study=Study(data=Path("data"), out=Path("out"), path=path), loss=loss, condition=condition, seed=0)


@pytest.mark.parametrize(
    ("loss", "condition", "path", "reading", "heard_by"),
    [
        ("mss", "audio-only", "soft", "mean", "soft"),
        ("mss", "audio-only", "marginal", "peak", "local"),
        ("mss", "replace", "soft", "peak", "local"),  # pitch is supervised
        ("paper", "audio-only", "soft", "peak", "local"),
        ("none", "audio-only", "soft", "peak", "local"),
    ],
)
def test_only_what_soft_has_taught_is_read_by_its_mean(
    loss: str, condition: Condition, path: str, reading: str, heard_by: str
):
    one = arm(loss, condition, path)
    assert one.config.model.f0_reading == reading
    judging = one.judging(has_harmonics=True)
    assert judging is not None
    assert judging.path == heard_by
    assert one.judging(has_harmonics=False) is None
    assert one.start.config.model.f0_reading == "peak"


@pytest.mark.parametrize(("condition", "usual"), [("audio-only", "entropic"), ("replace", "given")])
def test_each_condition_has_a_usual_path(condition: Condition, usual: str):
    study = Study(data=Path("data"), out=Path("out"))
    one, named = Arm(study=study, loss="mss", condition=condition, seed=0), arm("mss", condition, usual)
    assert one.term == named.term
    assert one.term.path == usual
    assert one.config == named.config


def test_no_arm_is_trained_as_precisely_as_its_processor_likes():
    one = arm("mss", "audio-only", "soft")
    assert preset(one.study.preset).training.precision == "auto"
    assert one.config.training.precision == one.start.config.training.precision == "fp32"
    paper = Study(data=Path("data"), out=Path("out"), preset="paper")
    assert Arm(study=paper, loss="mss", condition="replace", seed=0).config.training.precision == "bf16"


def test_terms_that_a_distance_replaces_are_gone():
    weights = {
        (loss, condition): (one.spectral_weight, one.f0_weight)
        for loss in ("mss", "none", "paper")
        for condition in ("replace", "audio-only")
        for one in (arm(loss, condition, "soft").config.objective,)
    }
    for loss in ("mss", "none"):
        assert weights[loss, "replace"] == (0.0, 1.0)
        assert weights[loss, "audio-only"] == (0.0, 0.0)
    assert weights["paper", "replace"] == weights["paper", "audio-only"] == (1.0, 1.0)


def test_studies_in_one_folder_share_what_is_the_same_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    def start(**settings: int | str) -> Path:
        study = Study(data=Path("data"), out=Path("out"), **settings)  # pyright: ignore[reportArgumentType]
        return Arm(study=study, loss="mss", condition="audio-only", seed=0).start.folder

    usual, original = start(), inspect.getsource
    for other in ({"path": "soft"}, {"steps": 400}, {"segments": 8}):
        assert start(**other) == usual, "a start knows nothing of audio"
    assert start(start_steps=500) != usual
    assert start(preset="small") != usual
    monkeypatch.setattr(inspect, "getsource", lambda one: original(one) + "#" * one.__name__.endswith("trainer"))
    assert start() != usual, "of other code"


def test_a_run_s_folder_is_that_of_one_question():
    one = arm("./mine.py:Mine", "audio-only", "marginal")
    assert one.folder("a" * 64) == Path("out/arms/audio-only-mine.py_Mine-seed0-aaaaaaaa")
    assert one.folder("b" * 64) != one.folder("a" * 64)


def test_what_is_trained_is_what_is_ranked():
    """DDSP's loss pads, as published; the mode of the rankings takes frames that fit, and so must a training."""
    trained = made("ddsp_mss")
    ranked = make("ddsp_mss", sample_rate=SAMPLE_RATE, preset=HOUSE_MODE.distance)
    assert trained.specification == ranked.specification
    assert made("ddsp_mss[padding=end]").specification != ranked.specification, "unless it is said"
