"""A run's folder: a killed run goes on to the bit, a finished one is read back, a damaged one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tonedeaf.bassnet import training as module
from tonedeaf.bassnet.checkpoint import BEST, CONFIG, HISTORY, LAST, State, write_state
from tonedeaf.bassnet.config import BassNetConfig
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.run import Run, load_run
from tonedeaf.bassnet.training import Progress

MakeFeatures = Callable[..., FeatureSet]
MakeConfig = Callable[..., BassNetConfig]
TrainIn = Callable[..., Run]
Contents = Callable[[Path], dict[str, bytes]]


class Draws:
    """An audio term whose size is drawn."""

    def __call__(
        self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
    ) -> Mapping[str, Tensor]:
        return {"loss": model.mu.bias.square().sum() * torch.rand((), generator=generator)}


class Killed(BaseException):
    """Nothing that training could handle."""


@pytest.fixture(scope="module")
def whole() -> dict[str, dict[str, bytes]]:
    """What uninterrupted runs left, once they have been made."""
    return {}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("killed_after", [1, 3, 4, 5, 8, 12])
def test_a_killed_run_goes_on_to_the_bit(  # noqa: PLR0917 (fixtures)
    contents: Contents,
    train_in: TrainIn,
    make_config: MakeConfig,
    tmp_path: Path,
    whole: dict[str, dict[str, bytes]],
    killed_after: int,
    precision: str,
):
    config = make_config(precision=precision)
    if precision not in whole:
        train_in("whole", config=config, audio_term=Draws())
        whole[precision] = contents(tmp_path / "whole")
    calls = 0

    def kill(_progress: Progress) -> None:
        nonlocal calls
        calls += 1
        if calls == killed_after:
            raise Killed

    with pytest.raises(Killed):
        train_in("cut", config=config, progress=kill, audio_term=Draws())
    run = train_in("cut", config=config, resume=True, audio_term=Draws())
    assert run.finished
    assert contents(tmp_path / "cut") == whole[precision]


@pytest.mark.parametrize("place", [(1, True), (1, False), (2, True), (2, False), (3, False), (4, True)])
def test_a_run_killed_while_it_writes_goes_on_to_the_bit(  # noqa: PLR0917 (fixtures)
    contents: Contents,
    train_in: TrainIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: dict[str, dict[str, bytes]],
    place: tuple[int, bool],
):
    write, before = place
    if "plain" not in whole:
        train_in("whole")
        whole["plain"] = contents(tmp_path / "whole")
    writes = 0

    def kill(path: Path, state: State) -> None:
        nonlocal writes
        writes += 1
        if writes == write and before:
            raise Killed
        write_state(path, state)
        if writes == write:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_state", kill)
        with pytest.raises(Killed):
            train_in("cut")
    train_in("cut", resume=True)
    assert contents(tmp_path / "cut") == whole["plain"]


def test_half_a_line_of_history_is_forgotten(
    contents: Contents, train_in: TrainIn, make_config: MakeConfig, tmp_path: Path
):
    train_in("whole", config=make_config(max_steps=9))
    train_in("cut", config=make_config(max_steps=6))
    with (tmp_path / "cut" / HISTORY).open("a") as file:
        file.write('{"step": 9, "seconds": 1.0, "learn')
    train_in("cut", config=make_config(max_steps=9), resume=True)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_finished_run_is_not_trained_again(train_in: TrainIn, tmp_path: Path):
    train_in()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}

    def fail(_progress: Progress) -> None:
        raise AssertionError("trained again")

    assert train_in(resume=True, progress=fail).finished
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()} == before


def test_more_steps_may_be_asked_for(train_in: TrainIn, make_config: MakeConfig):
    train_in(config=make_config(max_steps=6))
    run = train_in(config=make_config(max_steps=12), resume=True)
    assert run.steps == 12


def test_a_run_is_read_back(train_in: TrainIn, tmp_path: Path):
    run = train_in(about={"dataset": {"folder": "here", "digest": "abc"}, "loss": "paper"})
    read = load_run(tmp_path / "run")
    assert (read.step, read.steps, read.threshold, read.finished) == (run.step, run.steps, run.threshold, True)
    assert read.about == {"dataset": {"folder": "here", "digest": "abc"}, "loss": "paper"}
    assert read.config == run.config
    for one, other in zip(run.model.state_dict().values(), read.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


# Bad input


def test_a_folder_with_a_run_is_not_overwritten(train_in: TrainIn):
    train_in()
    with pytest.raises(ValueError, match="holds a run: go on with it by --resume, or name another folder"):
        train_in()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maps": 4}, r"with config.model.maps = 3, not 4"),
        ({"learning_rate": 0.2}, r"with config.training.learning_rate = 0.01, not 0.2"),
        ({"seed": 1}, r"with config.training.seed = 0, not 1"),
        ({"kl_weight": 1.0}, r"with config.objective.kl_weight = 0.01, not 1.0"),
    ],
)
def test_a_run_of_something_else_does_not_go_on(
    train_in: TrainIn, make_config: MakeConfig, changes: dict[str, object], message: str
):
    train_in()
    with pytest.raises(ValueError, match=message):
        train_in(config=make_config(**changes), resume=True)


def test_a_run_on_other_data_does_not_go_on(train_in: TrainIn):
    train_in(about={"dataset": {"folder": "here", "digest": "abc"}})
    train_in(about={"dataset": {"folder": "there", "digest": "abc"}}, resume=True)
    with pytest.raises(ValueError, match=r"with dataset.digest = 'abc', not 'def'"):
        train_in(about={"dataset": {"folder": "here", "digest": "def"}}, resume=True)


def test_a_cosine_cannot_get_more_steps(train_in: TrainIn, make_config: MakeConfig):
    train_in(config=make_config(learning_rate_decay="cosine"))
    with pytest.raises(ValueError, match=r"config.training.max_steps = 9, not 12"):
        train_in(config=make_config(learning_rate_decay="cosine", max_steps=12), resume=True)


@pytest.mark.parametrize("name", [BEST, LAST, CONFIG])
def test_a_damaged_run_says_which_file(train_in: TrainIn, tmp_path: Path, name: str):
    train_in()
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        load_run(tmp_path / "run")


def test_weights_of_another_configuration(train_in: TrainIn, make_config: MakeConfig, tmp_path: Path):
    train_in()
    train_in("other", config=make_config(maps=4))
    (tmp_path / "run" / BEST).write_bytes((tmp_path / "other" / BEST).read_bytes())
    with pytest.raises(ValueError, match=r"best.safetensors .* checkpoint of another configuration: mu_transposed"):
        load_run(tmp_path / "run")


def test_there_is_no_run(train_in: TrainIn, tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no run in .*nowhere"):
        load_run(tmp_path / "nowhere")
    train_in()
    (tmp_path / "run" / LAST).unlink()
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        load_run(tmp_path / "run")


def test_a_run_of_another_version(train_in: TrainIn, tmp_path: Path):
    train_in()
    path = tmp_path / "run" / CONFIG
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 99}))
    with pytest.raises(ValueError, match="version 99 is unknown; this one reads version 1"):
        load_run(tmp_path / "run")
    document["config"]["model"]["heads"] = 8
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"unknown field config.model.heads"):
        load_run(tmp_path / "run")
