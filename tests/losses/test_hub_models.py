"""Loading models of transformers: from folders and the hub's cache, without the network, and what is refused."""

import hashlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NoReturn

import pytest
import torch
from torch import Tensor, nn

from tonedeaf.losses import make
from tonedeaf.losses.hub_models import LayerOf, build_hub_model, import_transformers, model_folder
from tonedeaf.losses.registry import names
from tonedeaf.losses.speech_models import Hubert
from tonedeaf.losses.weights import CACHE_VARIABLE, WeightsUnavailableError, downloads_allowed

_TINY: dict[str, Any] = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "conv_dim": (4, 4),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    library = import_transformers()
    library.utils.logging.disable_progress_bar()
    return library


@pytest.fixture(scope="module")
def saved(transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hubert")
    transformers.HubertModel(transformers.HubertConfig(**_TINY)).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    target = tmp_path / "copy"
    target.mkdir()
    for file in saved.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Empty caches, and an error for whoever opens a connection."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "weights"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)


def _into_hub_cache(folder: Path, hub: Path, repository: str) -> Path:
    """As the hub's library lays a repository down."""
    root = hub / f"models--{repository.replace('/', '--')}"
    snapshot = root / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("0123abc")
    return snapshot


def test_digest_is_that_of_the_file_of_weights(saved: Path):
    expected = hashlib.sha256((saved / "model.safetensors").read_bytes()).hexdigest()
    assert Hubert(weights=str(saved)).weights_sha256 == expected


def test_pickled_weights_are_the_same(folder: Path):
    from safetensors.torch import load_file

    signal = torch.randn(1, 400, generator=torch.Generator().manual_seed(0))
    expected = Hubert(sample_rate=16000, weights=str(folder)).represent(signal)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    distance = Hubert(sample_rate=16000, weights=str(folder))
    assert torch.equal(distance.represent(signal), expected)
    assert distance.weights_sha256 == hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()


def test_half_precision_weights_are_computed_in_float32(folder: Path, transformers: ModuleType):
    transformers.HubertModel(transformers.HubertConfig(**_TINY)).half().save_pretrained(folder)
    network = Hubert(weights=str(folder)).network.network
    assert {each.dtype for each in network.parameters()} == {torch.float32}


def test_published_model_is_found_in_both_caches(saved: Path, tmp_path: Path):
    with pytest.raises(
        WeightsUnavailableError, match=r"^needs weights that are not here: tonedeaf weights fetch hubert, "
    ):
        model_folder("hubert")
    snapshot = _into_hub_cache(saved, tmp_path / "hub", "facebook/hubert-base-ls960")
    assert model_folder("hubert") == snapshot
    own = tmp_path / "weights" / "hubert"
    own.mkdir(parents=True)
    (own / "config.json").write_text("{}")
    with pytest.raises(WeightsUnavailableError, match="fetch hubert"):  # begun, not whole
        model_folder("hubert")
    (own / "pytorch_model.bin").write_bytes(b"weights")
    (own / "preprocessor_config.json").write_text("{}")
    assert model_folder("hubert") == own


def test_another_repository_is_found_in_the_hubs_cache_only(saved: Path, tmp_path: Path):
    with pytest.raises(
        WeightsUnavailableError, match="someone/theirs is not in the hub's cache; --download fetches it"
    ):
        Hubert(weights="someone/theirs")
    _into_hub_cache(saved, tmp_path / "hub", "someone/theirs")
    signal = torch.randn(1, 400, generator=torch.Generator().manual_seed(0))
    found = Hubert(sample_rate=16000, weights="someone/theirs").represent(signal)
    assert torch.equal(found, Hubert(sample_rate=16000, weights=str(saved)).represent(signal))


def test_repository_is_fetched_if_downloads_are_allowed(saved: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def snapshot_download(repository: str, *, allow_patterns: list[str]) -> str:
        asked.append(repository)
        assert "config.json" in allow_patterns
        assert not any("*" in pattern for pattern in allow_patterns)  # nothing but data
        if repository == "someone/gone":
            raise OSError("404\nnot found")
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with downloads_allowed():
        assert model_folder("hubert", "someone/theirs") == saved
        with pytest.raises(WeightsUnavailableError, match="someone/gone could not be fetched: 404 not found"):
            model_folder("hubert", "someone/gone")
    assert asked == ["someone/theirs", "someone/gone"]


def test_unavailable_models_are_named_without_the_network():
    reasons: dict[str, str] = {}
    for name in names():
        if name in {"wav2vec2_large_lv60", "wav2vec2_base", "hubert", "wavlm", "data2vec", "mert", "whisper", "ast"}:
            with pytest.raises(ImportError) as caught:
                make(name)
            reasons[name] = str(caught.value)
    assert len(reasons) == 8
    for name, reason in reasons.items():
        assert reason.startswith(f"needs weights that are not here: tonedeaf weights fetch {name}, or put https://")
        assert "\n" not in reason


def test_random_weights_are_the_same_every_time_and_marked(transformers: ModuleType):
    class Tiny(Hubert):
        configuration: ClassVar[Mapping[str, Any]] = _TINY

    before = torch.random.get_rng_state()
    first, second = Tiny(random_weights=True), Tiny(random_weights=True)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.weights_sha256 == second.weights_sha256
    with pytest.raises(ValueError, match="give weights or random_weights=true, not both"):
        Tiny(random_weights=True, weights="here")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), r"holds no config\.json"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is no JSON document"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"config\.json is no JSON object"),
        (
            lambda folder: (folder / "model.safetensors").unlink(),
            "holds neither model.safetensors nor pytorch_model.bin",
        ),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(
                (folder / "model.safetensors").read_bytes()[:999]
            ),
            r"model\.safetensors is truncated, or of another architecture than HubertModel",
        ),
        (lambda folder: _change(folder, model_type="bert"), "holds a model of type 'bert', not 'hubert'"),
        (
            lambda folder: _change(folder, hidden_size=16),
            r"model\.safetensors is truncated, or of another architecture",
        ),
        (
            lambda folder: _change(folder, num_hidden_layers=2),
            r"another architecture than HubertModel: it lacks encoder\.l",
        ),
    ],
)
def test_spoilt_folders_are_refused(folder: Path, spoil: Any, message: str):
    spoil(folder)
    with pytest.raises(ValueError, match=message) as caught:
        Hubert(weights=str(folder))
    assert "\n" not in str(caught.value)


def _change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_what_is_neither_folder_nor_repository_is_refused():
    with pytest.raises(
        ValueError, match=r"there is no folder /nowhere/at/all, and it is no repository's name \(owner/name\)"
    ):
        Hubert(weights="/nowhere/at/all")


def test_settings_of_the_extractor_come_along(folder: Path):
    (folder / "preprocessor_config.json").write_text(json.dumps({"mean": -4.5}))
    model = build_hub_model("HubertModel", "hubert", configuration={}, weights=str(folder))
    assert model.settings == {"mean": -4.5}


def test_layer_of_a_network_stops_there():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 3)
            self.second = nn.Linear(3, 3)
            self.unused = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.second(self.first(x))
            raise AssertionError(f"went on after {y}")

    x = torch.ones(1, 3)
    network = Network()
    assert torch.equal(LayerOf(network, "second", at_input=True)(x), network.first(x))
    network = Network()
    assert torch.equal(LayerOf(network, "first")(x), network.get_submodule("first").forward(x))
    with pytest.raises(AssertionError, match="went on"):
        LayerOf(Network(), "unused")(x)
