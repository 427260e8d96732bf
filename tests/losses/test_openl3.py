"""OpenL3: the network against one built from its published table, its checkpoints in both formats, and the contract."""

import gzip
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.openl3 import OpenL3
from tonedeaf.losses.openl3_network import LAYERS, OpenL3Network, openl3_state

_CHANNELS = (3, 3, 4, 4, 5, 5, 6, 6)
_SMALL = partial(OpenL3Network, channels=_CHANNELS)


class _Small(OpenL3):
    """OpenL3 with few channels."""

    network_type: Callable[..., OpenL3Network] = _SMALL


def _published(channels: tuple[int, ...], pool: tuple[int, int]) -> nn.Sequential:
    """openl3/models.py: batch norm, four blocks of two convolutions, the last one bare, and the maxima."""
    modules: list[nn.Module] = [nn.BatchNorm2d(1, eps=1e-3)]
    before = 1
    for number, after in enumerate(channels, 1):
        modules.append(nn.Conv2d(before, after, 3, padding=1))
        if number < 8:
            modules += [nn.BatchNorm2d(after, eps=1e-3), nn.ReLU()]
        if number in (2, 4, 6):
            modules.append(nn.MaxPool2d(2, 2))
        before = after
    return nn.Sequential(*modules, nn.MaxPool2d(pool)).eval()


@pytest.fixture(scope="module")
def published() -> nn.Sequential:
    network = _published(_CHANNELS, (4, 8))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator)
                tensor.copy_(noise.abs() + 0.5 if "running_var" in name else noise * 0.3)
    return network


def _with_weights(network: nn.Sequential) -> list[nn.Module]:
    return [each for each in network if isinstance(each, (nn.Conv2d, nn.BatchNorm2d))]


def _names() -> list[str]:
    names: list[str] = []
    for number in range(1, 9):
        names += [f"batch_normalization_{number}", f"conv2d_{number}" if number < 8 else "audio_embedding_layer"]
    return names


@pytest.fixture(scope="module")
def keras(published: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights as ``Model.save_weights`` wrote them, kapre's layer and layers without weights among them."""
    path = tmp_path_factory.mktemp("openl3") / "openl3_audio_mel128_music.h5"
    with h5py.File(path, "w") as file:
        layers: dict[str, dict[str, np.ndarray]] = {
            "input_1": {},
            "melspectrogram_1": {"freq2mel": np.zeros((1025, 128))},
        }
        for name, module in zip(_names(), _with_weights(published), strict=True):
            tensors = {part: tensor.detach().numpy() for part, tensor in module.state_dict().items()}
            if isinstance(module, nn.Conv2d):
                layers[name] = {"kernel:0": tensors["weight"].transpose(2, 3, 1, 0), "bias:0": tensors["bias"]}
                layers[f"activation_{name}"] = {}
            else:
                parts = ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
                ours = ("weight", "bias", "running_mean", "running_var")
                layers[name] = {part: tensors[our] for part, our in zip(parts, ours, strict=True)}
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}".encode() for part in arrays]
            for part, array in arrays.items():
                group.create_dataset(f"{name}/{part}", data=array)
    return path


@pytest.fixture(scope="module")
def torch_state(published: nn.Sequential) -> dict[str, Tensor]:
    """The weights as torchopenl3 names them, its spectrogram's kernels among them."""
    state: dict[str, Tensor] = {"speclayer.mel_basis": torch.zeros(128, 1025)}
    for name, module in zip(_names(), _with_weights(published), strict=True):
        state |= {f"{name}.{part}": tensor for part, tensor in module.state_dict().items()}
    return state


@pytest.fixture(scope="module")
def signal() -> Tensor:
    return 0.2 * torch.randn(2, 30000, generator=torch.Generator().manual_seed(1))


def _small(weights: Path | str = "", layer: str = "embedding", *, random_weights: bool = False) -> _Small:
    return _Small(
        sample_rate=48000,
        input_representation="mel128",
        layer=layer,
        weights=str(weights),
        hop_seconds=0.5,
        random_weights=random_weights,
    )


def test_keras_weights_make_the_published_network(keras: Path, published: nn.Sequential, signal: Tensor):
    distance = _small(keras)
    found = distance.represent(signal)
    assert found.shape == (2, 2, 4 * 3 * 6)  # half a second of silence and 30,000 samples, in seconds every half second
    seconds = torch.nn.functional.pad(signal, (24000, 18000)).unfold(-1, 48000, 24000)
    with torch.no_grad():
        maxima = published(distance.front_end(seconds.flatten(0, 1)).unsqueeze(1))
    expected = maxima.permute(0, 2, 3, 1).flatten(1).unflatten(0, (2, 2))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_compressed_and_whole_model_files_are_the_same(keras: Path, signal: Tensor, tmp_path: Path):
    packed = tmp_path / "openl3_audio_mel128_music-v0_4_0.h5.gz"
    packed.write_bytes(gzip.compress(keras.read_bytes()))
    whole = tmp_path / "model.h5"
    with h5py.File(keras) as source, h5py.File(whole, "w") as target:
        source.copy(source, target, "model_weights")
    expected = _small(keras).represent(signal)
    for path in (packed, whole):
        assert torch.equal(_small(path).represent(signal), expected)


def test_torchopenl3_weights_are_the_same(
    keras: Path, torch_state: Mapping[str, Tensor], signal: Tensor, tmp_path: Path
):
    path = tmp_path / "torchopenl3_mel128_music_6144.pth.tar"
    torch.save(torch_state, path)
    assert torch.equal(_small(path).represent(signal), _small(keras).represent(signal))


def test_any_layer_is_what_the_published_network_computes_there(keras: Path, published: nn.Sequential, signal: Tensor):
    distance = _small(keras, layer="conv2d_3")
    seconds = torch.nn.functional.pad(signal, (24000, 18000)).unfold(-1, 48000, 24000).flatten(0, 1)
    with torch.no_grad():
        expected = published[:11](distance.front_end(seconds).unsqueeze(1))
    torch.testing.assert_close(distance.represent(signal).flatten(0, 1), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("representation", ["linear", "mel128", "mel256"])
def test_is_blind_to_level(representation: str):
    """By construction: a property of the architecture, whatever the weights."""
    distance = _Small(
        sample_rate=48000,
        input_representation=representation,  # pyright: ignore[reportArgumentType]
        random_weights=True,
        center=False,
    )
    generator = torch.Generator().manual_seed(2)
    target, prediction = 0.1 * torch.randn(2, 1, 48000, generator=generator, dtype=torch.float64)
    here = distance(prediction, target)
    assert here > 0
    for gain in (0.01, 0.5, 8.0):
        torch.testing.assert_close(distance(gain * prediction, target), here, rtol=1e-9, atol=0)
    assert distance(0.5 * target, target) < 1e-12 * here
    level = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(distance(10 ** (level / 20) * prediction, target).sum(), level)
    assert abs(float(slope)) < 1e-9 * float(here)  # per decibel


@pytest.mark.parametrize("layer", ["embedding", "conv2d_2"])
def test_keeps_every_promise(layer: str, keras: Path):
    broken = [f"{check.name}: {check.message}" for check in conformance(_small(keras, layer)) if not check.passed]
    assert not broken


def test_published_size():
    channels = [1, 64, 64, 128, 128, 256, 256, 512, 512]
    convolutions = sum(9 * before * after + after for before, after in pairwise(channels))
    norms = 2 * sum(channels[:-1])
    network = OpenL3Network(pool=(8, 8))
    assert sum(each.numel() for each in network.parameters()) == convolutions + norms == 4_687_042


@pytest.mark.parametrize(
    ("representation", "size", "shape"),
    [(name, size, (1, 1, size)) for name in ("linear", "mel128", "mel256") for size in (512, 6144)],
)
def test_embedding_sizes(representation: str, size: int, shape: tuple[int, ...]):
    class Narrow(OpenL3):
        network_type = partial(OpenL3Network, channels=(1, 1, 1, 1, 1, 1, 1, 512))

    distance = Narrow(
        sample_rate=48000,
        input_representation=representation,  # pyright: ignore[reportArgumentType]
        embedding_size=size,  # pyright: ignore[reportArgumentType]
        random_weights=True,
    )
    assert distance.represent(torch.zeros(1, 24000)).shape == shape


def test_wrong_files_and_parameters_are_refused(keras: Path, torch_state: Mapping[str, Tensor], tmp_path: Path):
    damaged = tmp_path / "half.h5"
    damaged.write_bytes(keras.read_bytes()[:3000])
    with pytest.raises(ValueError, match="truncated, or no file of Keras weights"):
        _small(damaged)
    packed = tmp_path / "half.h5.gz"
    packed.write_bytes(gzip.compress(keras.read_bytes())[:3000])
    with pytest.raises(ValueError, match="truncated, or no file of Keras weights"):
        _small(packed)
    with pytest.raises(ValueError, match=r"another architecture.*conv2d_1\.weight is shaped \(3, 1, 3, 3\)"):
        OpenL3(weights=str(keras))
    fewer = tmp_path / "fewer.h5"
    with h5py.File(keras) as source, h5py.File(fewer, "w") as target:
        for name in source:
            source.copy(name, target)
        names: list[bytes] = list(source.attrs["layer_names"])  # pyright: ignore[reportArgumentType]
        target.attrs["layer_names"] = names[:-2]  # the last one has no weights
    with pytest.raises(ValueError, match=r"another architecture.*15 layers with weights, not 16"):
        _small(fewer)
    with pytest.raises(KeyError, match="15 layers"):
        openl3_state([[]] * 15)
    with pytest.raises(ValueError, match="no layer 'conv'; there are: " + ", ".join(LAYERS)):
        _small(layer="conv", random_weights=True)
    for wrong in ({"content_type": "speech"}, {"embedding_size": 128}, {"hop_seconds": 0.0}, {"kapre": "0.2"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            _Small(random_weights=True, **wrong)  # pyright: ignore[reportArgumentType]


def test_agrees_with_the_package(signal: Tensor):
    """The openl3 package with its own weights, where both are installed."""
    if importlib.util.find_spec("openl3") is None:
        pytest.skip("needs the package openl3 (pip install 'tonedeaf[openl3]'), whose installation downloads weights")
    openl3 = importlib.import_module("openl3")
    path = openl3.models.get_audio_embedding_model_path("mel256", "music")
    distance = OpenL3(sample_rate=48000, kapre="0.3", hop_seconds=0.1, weights=path)
    expected, _ = openl3.get_audio_embedding(
        signal[0].numpy(), 48000, input_repr="mel256", content_type="music", verbose=0
    )
    np.testing.assert_allclose(distance.represent(signal[:1])[0].numpy(), expected, rtol=1e-3, atol=1e-3)
