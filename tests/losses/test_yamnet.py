"""YAMNet: the network against TensorFlow's arithmetic written out, its checkpoint, and the contract."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.yamnet import Yamnet, YamnetNetwork

_CHANNELS = (2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 6, 6)


class _Small(Yamnet):
    """YAMNet with few channels."""

    network_type: Callable[[], YamnetNetwork] = partial(YamnetNetwork, channels=_CHANNELS)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """A state dict with batch norms that do something."""
    generator = torch.Generator().manual_seed(0)
    state = YamnetNetwork(channels=_CHANNELS).state_dict()
    return {
        name: torch.rand(tensor.shape, generator=generator) + 0.5
        if "running_var" in name or "bn.weight" in name
        else torch.randn(tensor.shape, generator=generator) * 0.4
        if tensor.is_floating_point()
        else tensor
        for name, tensor in state.items()
    }


def _same_convolution(
    x: NDArray[np.float64], kernel: NDArray[np.float64], stride: int, *, depthwise: bool
) -> NDArray[np.float64]:
    """TensorFlow's ``SAME`` convolution of ``(channels, height, width)``: an odd row or column is added at the end."""
    size = kernel.shape[-1]
    height, width = (-(-length // stride) for length in x.shape[1:])
    margins = [
        max(0, (out - 1) * stride + size - length) for out, length in zip((height, width), x.shape[1:], strict=True)
    ]
    padded = np.pad(x, [(0, 0), *((total // 2, total - total // 2) for total in margins)])
    found = np.zeros((len(kernel), height, width))
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            window = padded[:, top : top + size, left : left + size]
            axes = "cij,cij->c" if depthwise else "cij,ocij->o"
            found[:, row, column] = np.einsum(axes, window, kernel[:, 0] if depthwise else kernel)
    return found


def _published(patch: NDArray[np.float64], state: dict[str, Tensor], layers: int) -> NDArray[np.float64]:
    weights = {name: tensor.double().numpy() for name, tensor in state.items()}

    def normalised(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        mean, variance, gamma, beta = (
            weights[f"{name}.bn.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return np.maximum(0, (x - mean) / np.sqrt(variance + 1e-4) * gamma + beta)

    x = normalised(
        _same_convolution(patch[None], weights["layer1.fused.conv.weight"], 2, depthwise=False), "layer1.fused"
    )
    for number, stride in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1), 2):
        if number > layers:
            break
        for part, its_stride in (("depthwise_conv", stride), ("pointwise_conv", 1)):
            name = f"layer{number}.{part}"
            kernel = weights[f"{name}.conv.weight"]
            x = normalised(_same_convolution(x, kernel, its_stride, depthwise=part.startswith("depth")), name)
    return x


@pytest.fixture(scope="module")
def checkpoint(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("yamnet") / "yamnet.pth"
    torch.save(state, path)
    return path


def test_layers_are_tensorflows(state: dict[str, Tensor], checkpoint: Path):
    signal = 0.2 * torch.randn(1, 15600, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for layer, count in (("layer3", 3), ("layer14", 14)):
        distance = _Small(sample_rate=16000, layer=layer, weights=str(checkpoint))
        expected = _published(distance.front_end(signal)[0, 0].numpy(), state, count)
        np.testing.assert_allclose(distance.represent(signal)[0, 0].numpy(), expected, rtol=1e-5, atol=1e-6)
    embedding = _Small(sample_rate=16000, weights=str(checkpoint)).represent(signal)[0, 0].numpy()
    np.testing.assert_allclose(embedding, expected.mean((1, 2)), rtol=1e-5, atol=1e-6)
    logits = _Small(sample_rate=16000, layer="logits", weights=str(checkpoint)).represent(signal)[0, 0].numpy()
    matrix, bias = (state[f"classifier.{part}"].double().numpy() for part in ("weight", "bias"))
    np.testing.assert_allclose(logits, matrix @ embedding + bias, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "patches"),
    [(1, 1), (15600, 1), (15601, 2), (15600 + 7680, 2), (15600 + 7681, 3), (48000, 6)],
)
def test_signal_is_continued_to_whole_patches(samples: int, patches: int):
    distance = _Small(sample_rate=16000, random_weights=True)
    signal = 0.2 * torch.randn(1, samples, generator=torch.Generator().manual_seed(2))
    found = distance.represent(signal)
    assert found.shape == (1, patches, 6)
    silent = torch.nn.functional.pad(signal, (0, 15600 + (patches - 1) * 7680 - samples))
    assert torch.equal(found, distance.represent(silent))


@pytest.mark.parametrize("layer", ["embedding", "layer2"])
def test_keeps_every_promise(layer: str, checkpoint: Path):
    distance = _Small(sample_rate=16000, layer=layer, weights=str(checkpoint))
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_published_size():
    network = YamnetNetwork()
    # Keras counts three numbers a channel of a batch norm (it has no scale, but its moments count): we have two
    normalised = sum(each.num_features for each in network.modules() if isinstance(each, nn.BatchNorm2d))
    assert sum(each.numel() for each in network.parameters()) + normalised == 3_751_369


def test_wrong_files_are_refused(state: dict[str, Tensor], tmp_path: Path):
    path = tmp_path / "yamnet.pth"
    torch.save({name: tensor for name, tensor in state.items() if name != "layer7.pointwise_conv.bn.bias"}, path)
    with pytest.raises(ValueError, match=r"of another architecture.*it lacks layer7\.pointwise_conv\.bn\.bias"):
        _Small(weights=str(path))
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="truncated, or no checkpoint"):
        _Small(weights=str(path))
