"""DPAM against its formula written once more in NumPy, and what its checkpoint says.

The package itself needs TensorFlow 1. Its README gives one number, 0.1929, for two recordings that are in its source
distribution: this port gives 0.19290 for them.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.losses import make
from tonedeaf.losses.dpam import Dpam, read_dpam
from tonedeaf.losses.weights import WeightsUnavailableError, locate

OWN_RATE = 22050


def activations(signal: NDArray[np.float64], variables: dict[str, NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The layers ``(channels, time)`` of one signal: convolution, normalisation over time, leaky ReLU."""
    current, layers = 32768 * signal[None], list[NDArray[np.float64]]()
    for layer in range(14):
        stride = 2 if layer < 13 else 1
        kernel = variables[f"loss_conv_{layer}/weights"][0]
        steps = -(-current.shape[1] // stride)
        missing = max((steps - 1) * stride + 3 - current.shape[1], 0)
        padded = np.pad(current, ((0, 0), (missing // 2, missing - missing // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
        filtered = np.einsum("itw,wio->ot", windows, kernel)
        mean, variance = filtered.mean(1, keepdims=True), filtered.var(1, keepdims=True)
        shifted = (filtered - mean) / np.sqrt(variance + 0.001) + variables[f"loss_conv_{layer}/BatchNorm/beta"][
            :, None
        ]
        current = np.where(shifted > 0, shifted, 0.2 * shifted)
        layers.append(current)
    return layers


@pytest.fixture(scope="module")
def variables() -> dict[str, NDArray[np.float64]]:
    try:
        path = locate("dpam").paths[0]
    except WeightsUnavailableError as reason:
        pytest.skip(str(reason))
    return {name: np.asarray(value, np.float64) for name, value in read_dpam(path).items()}


@pytest.mark.parametrize("samples", [8192, 9001])
def test_number_is_the_formulas(variables: dict[str, NDArray[np.float64]], samples: int):
    signals = 0.1 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, theirs = (activations(signal[0].numpy(), variables) for signal in signals)
    expected = sum(
        np.abs(variables[f"weights_{layer}"][:, None] * (a - b)).mean()
        for layer, (a, b) in enumerate(zip(ours, theirs, strict=True))
    )
    assert float(make("dpam", sample_rate=OWN_RATE)(*signals)) == pytest.approx(expected, rel=1e-9)


def test_it_hardly_hears_levels(variables: dict[str, NDArray[np.float64]]):
    del variables
    signals = 0.1 * torch.randn(2, 1, 8192, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distance = make("dpam", sample_rate=OWN_RATE)
    assert float(distance(signals[0], 0.5 * signals[0])) < 1e-3 * float(distance(signals[0], signals[1]))


def test_bad_input(tmp_path):  # pyright: ignore
    with pytest.raises(ValueError, match="Dpam needs at least 8192 samples, got 8191"):
        Dpam(sample_rate=OWN_RATE, random_weights=True)(torch.zeros(1, 8191), torch.zeros(1, 8191))
    with pytest.raises(ValueError, match=r"there is no weights file .*my_test_model\.index"):
        make(f"dpam[weights={tmp_path}]")
    (tmp_path / "my_test_model.index").write_bytes(b"no table")
    (tmp_path / "my_test_model.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(ValueError, match=r"my_test_model\.index: the index does not end as one"):
        make(f"dpam[weights={tmp_path}]")
