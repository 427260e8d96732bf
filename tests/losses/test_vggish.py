"""VGGish: the network against one built from its published table, its checkpoints, and the contract."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tonedeaf.losses import make
from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.vggish import LAYERS, Vggish, VggishNetwork
from tonedeaf.losses.weights import CACHE_VARIABLE

_CHANNELS = (4, 4, 8, 8, 8, 8)
_HIDDEN = 16


class _Small(Vggish):
    """VGGish with few channels: the published network has 72 million weights."""

    network_type: Callable[[], VggishNetwork] = partial(VggishNetwork, channels=_CHANNELS, hidden=_HIDDEN)


def _published(channels: tuple[int, ...], hidden: int) -> nn.Sequential:
    """The ``features``, ``permute`` and ``embeddings`` of torchvggish, from the published table of layers."""
    features: list[nn.Module] = []
    before = 1
    for each in (channels[0], "M", channels[1], "M", *channels[2:4], "M", *channels[4:], "M"):
        if isinstance(each, int):
            features += [nn.Conv2d(before, each, 3, padding=1), nn.ReLU()]
            before = each
        else:
            features.append(nn.MaxPool2d(2, 2))
    sizes = [before * 4 * 6, hidden, hidden, 128]
    embeddings: list[nn.Module] = []
    for number in range(3):
        embeddings += [nn.Linear(sizes[number], sizes[number + 1]), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*features), nn.Sequential(*embeddings))


def _checkpoint(network: nn.Sequential) -> dict[str, Tensor]:
    """Its state dict as torchvggish names it."""
    return {
        name.replace("0.", "features.", 1) if name.startswith("0.") else name.replace("1.", "embeddings.", 1): tensor
        for name, tensor in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def published() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return _published(_CHANNELS, _HIDDEN)


@pytest.fixture(scope="module")
def checkpoint(published: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vggish") / "vggish-10086976.pth"
    torch.save(_checkpoint(published), path)
    return path


@pytest.fixture(scope="module")
def signal() -> Tensor:
    return 0.3 * torch.randn(2, 33000, generator=torch.Generator().manual_seed(2))


def _expected(published: nn.Sequential, distance: Vggish, signal: Tensor) -> Tensor:
    """The embedding after its ReLU, patch by patch, as torchvggish's two transpositions order it."""
    with torch.no_grad():
        patches = distance.front_end(signal)
        maps = published[0](patches.flatten(0, 1).unsqueeze(1)).transpose(1, 3).transpose(1, 2)
        return published[1](maps.reshape(len(maps), -1)).unflatten(0, patches.shape[:2])


def test_relu_is_torchvggish_embedding(published: nn.Sequential, checkpoint: Path, signal: Tensor):
    distance = _Small(sample_rate=16000, layer="relu", weights=str(checkpoint))
    found = distance.represent(signal)
    assert found.shape == (2, 2, 128)
    torch.testing.assert_close(found, _expected(published, distance, signal), rtol=1e-5, atol=1e-6)


def test_raw_is_before_the_relu(checkpoint: Path, signal: Tensor):
    raw, relu = (
        _Small(sample_rate=16000, layer=layer, weights=str(checkpoint)).represent(signal) for layer in ("raw", "relu")
    )
    assert (raw < 0).any()
    assert torch.equal(raw.relu(), relu)


@pytest.mark.parametrize("form", ["npz", "arrays", "tensors"])
def test_pca_is_the_published_whitening(form: str, checkpoint: Path, signal: Tensor, tmp_path: Path):
    generator = np.random.default_rng(3)
    matrix = generator.standard_normal((128, 128)).astype(np.float32)
    means = generator.standard_normal(128).astype(np.float32)
    path = tmp_path / ("pca.npz" if form == "npz" else "vggish_pca_params-970ea276.pth")
    if form == "npz":
        np.savez(path, pca_eigen_vectors=matrix, pca_means=means)
    elif form == "arrays":
        torch.save({"pca_eigen_vectors": matrix, "pca_means": means}, path)
    else:
        tensors = {"pca_eigen_vectors": torch.as_tensor(matrix), "pca_means": torch.as_tensor(means).reshape(-1, 1)}
        torch.save(tensors, path)
    distance = _Small(sample_rate=16000, layer="pca", weights=str(checkpoint), pca_weights=str(path))
    raw = _Small(sample_rate=16000, weights=str(checkpoint)).represent(signal).numpy()
    expected = np.clip((raw - means) @ matrix.T, -2, 2)
    np.testing.assert_allclose(distance.represent(signal).numpy(), expected, atol=1e-4)
    assert len(distance.weights_sha256) == 64
    assert distance.weights_sha256 != _Small(sample_rate=16000, weights=str(checkpoint)).weights_sha256


def _part(network: nn.Module, modules: int) -> nn.Sequential:
    assert isinstance(network, nn.Sequential)
    return nn.Sequential(*[*network][:modules])


@pytest.mark.parametrize("layer", ["conv1", "conv3_2", "fc1_1"])
def test_any_layer_is_what_the_published_network_computes_there(
    layer: str, published: nn.Sequential, checkpoint: Path, signal: Tensor
):
    distance = _Small(sample_rate=16000, layer=layer, weights=str(checkpoint))
    with torch.no_grad():
        maps = distance.front_end(signal).flatten(0, 1).unsqueeze(1)
        if layer == "fc1_1":
            maps = _part(published[1], 2)(published[0](maps).permute(0, 2, 3, 1).flatten(1))
        else:
            maps = _part(published[0], {"conv1": 2, "conv3_2": 10}[layer])(maps)
    torch.testing.assert_close(distance.represent(signal).flatten(0, 1), maps, rtol=1e-5, atol=1e-6)


def test_classifier_in_the_checkpoint_is_ignored(published: nn.Sequential, signal: Tensor, tmp_path: Path):
    state: Mapping[str, Tensor] = {**_checkpoint(published), "classifier.0.weight": torch.zeros(100, 128)}
    torch.save(state, tmp_path / "vggish_with_classifier.pth")
    distance = _Small(sample_rate=16000, layer="relu", weights=str(tmp_path / "vggish_with_classifier.pth"))
    torch.testing.assert_close(distance.represent(signal), _expected(published, distance, signal))


@pytest.mark.parametrize("layer", ["raw", "conv2", "pca"])
def test_keeps_every_promise(layer: str):
    distance = _Small(sample_rate=16000, layer=layer, random_weights=True)
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_published_size():
    with torch.device("meta"):
        network = VggishNetwork()
    assert sum(each.numel() for each in network.parameters()) == 72_141_184  # torchvggish's


def test_another_architecture_is_refused(checkpoint: Path):
    with pytest.raises(ValueError, match=r"is of another architecture.*features\.0\.weight is shaped \(4, 1, 3, 3\)"):
        Vggish(weights=str(checkpoint))


def test_truncated_file_is_refused(checkpoint: Path, tmp_path: Path):
    path = tmp_path / "half.pth"
    path.write_bytes(checkpoint.read_bytes()[:5000])
    with pytest.raises(ValueError, match="truncated"):
        _Small(weights=str(path))
    broken = tmp_path / "half.npz"
    broken.write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="truncated"):
        _Small(layer="pca", weights=str(checkpoint), pca_weights=str(broken))


def test_missing_file_and_unknown_layer():
    with pytest.raises(ValueError, match="there is no weights file /nowhere"):
        _Small(weights="/nowhere")
    with pytest.raises(ValueError, match="no layer 'fc3'; there are: " + ", ".join(LAYERS)):
        _Small(layer="fc3", random_weights=True)


def test_absent_weights_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(
        ImportError, match=r"^needs weights that are not here: tonedeaf weights fetch vggish, or put .*$"
    ):
        make("vggish")


def test_too_short():
    distance = _Small(sample_rate=16000, random_weights=True)
    assert distance.min_samples == 15600
    with pytest.raises(ValueError, match="at least 15600 samples, got 15599"):
        distance(torch.zeros(1, 15599), torch.zeros(1, 15599))
