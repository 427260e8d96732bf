"""A module of the HEAR interface, named in a text."""

from pathlib import Path

import pytest
import torch

from tonedeaf.losses import make
from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.hear import Hear
from tonedeaf.losses.plugins import PluginError

_MODULE = """
import torch

class Model(torch.nn.Module):
    sample_rate = {rate}
    timestamp_embedding_size = scene_embedding_size = 3

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(1.0, 4.0))

    def frames(self, audio):
        frames = torch.nn.functional.pad(audio, (0, 99)).unfold(-1, 100, 100)
        return frames.square().mean(-1, keepdim=True) * self.weight

def load_model(path=""):
    model = Model()
    if path:
        torch.nn.init.constant_(model.weight, float(path))
    return model

def get_timestamp_embeddings(audio, model):
    embeddings = {embeddings}
    return embeddings, torch.arange(embeddings.shape[1]).expand(embeddings.shape[:2])

def get_scene_embeddings(audio, model):
    return model.frames(audio).mean(1)
"""


def written(
    folder: Path, name: str = "theirs", *, rate: str = "16000", embeddings: str = "model.frames(audio)"
) -> Path:
    path = folder / f"{name}.py"
    path.write_text(_MODULE.format(rate=rate, embeddings=embeddings), encoding="utf-8")
    return path


def test_timestamps_and_scenes(tmp_path: Path):
    path = written(tmp_path)
    time = torch.arange(4000, dtype=torch.float64)
    ours, theirs = (torch.sin(time * step).unsqueeze(0) * gain for step, gain in ((0.1, 0.5), (0.2, 1.0)))
    distance = make(f"hear:{path}", sample_rate=16000)
    assert isinstance(distance, Hear)
    assert distance.native_sample_rate == 16000
    frames = [signal.view(1, 40, 100).square().mean(-1, keepdim=True) for signal in (ours, theirs)]
    expected = ((frames[0] - frames[1]).abs() * torch.arange(1.0, 4.0)).mean()
    assert float(distance(ours, theirs)) == pytest.approx(float(expected))
    scene = make(f"hear:{path}[layer=scene;norm=l2;average=false]", sample_rate=16000)
    mean = frames[0].mean() - frames[1].mean()
    assert float(scene(ours, theirs)) == pytest.approx(float(mean.abs() * 14**0.5))


def test_it_keeps_the_contract_and_resamples(tmp_path: Path):
    distance = make(f"hear:{written(tmp_path)}")
    assert [check for check in conformance(distance) if not check.passed] == []


def test_the_specification_names_the_module(tmp_path: Path):
    path = written(tmp_path)
    distance = make(f"0.5*hear:{path}[pooling=mean]")
    assert distance.specification is not None
    assert distance.specification.name == f"0.5*hear:{path}[pooling=mean]"
    alone = make(f"hear:{path}").specification
    assert alone is not None
    assert alone.target == "tonedeaf.losses.hear:Hear"
    assert alone.parameters["module"] == str(path)


def test_weights_are_told_apart_and_so_is_the_source(tmp_path: Path):
    first, same, other = (
        make(text) for text in (f"hear:{written(tmp_path)}",) * 2 + (f"hear:{tmp_path}/theirs.py[weights=7]",)
    )
    edited = make(f"hear:{written(tmp_path, 'edited', embeddings='2 * model.frames(audio)')}")
    digests = [distance.weights_sha256 for distance in (first, same, other, edited)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_embeddings_without_a_gradient_make_it_not_differentiable(tmp_path: Path):
    path = written(tmp_path, "detached", embeddings="model.frames(audio).detach()")
    assert make(f"hear:{path}").differentiable is False
    assert make(f"hear:{path}[layer=scene]").differentiable is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hear:nosuchmodule", "there is no module 'nosuchmodule' to import"),
        ("hear:nowhere.py", "there is no file nowhere.py"),
        ("hear:json", "json does not keep the HEAR interface: it has no function load_model"),
        ("hear:", "is not a HEAR module: write hear:package.module"),
    ],
)
def test_what_is_no_hear_module(text: str, message: str):
    with pytest.raises(PluginError, match=message):
        make(text)


def test_a_model_without_a_sample_rate_or_with_odd_embeddings(tmp_path: Path):
    with pytest.raises(PluginError, match=r"must return a torch\.nn\.Module with a whole sample_rate"):
        make(f"hear:{written(tmp_path, 'rateless', rate='None')}")
    with pytest.raises(PluginError, match=r"must be a tensor \(2, …, features\), got \(2, 100\)"):
        make(f"hear:{written(tmp_path, 'flat', embeddings='audio[:, :100]')}")
    with pytest.raises(ValueError, match=r"layer of hear:.* must be one of timestamp, scene, got 'scenes'"):
        make(f"hear:{written(tmp_path)}[layer=scenes]")
