"""NSynth's encoder: against its definition in NumPy, from TensorFlow's checkpoint, and the contract."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.nsynth_wavenet import LAYERS, NsynthEncoder, NsynthWavenet, mu_law

from .tensorflow_bundle import pack, write_checkpoint

_WIDTH = 3


class _Small(NsynthWavenet):
    """The encoder with 3 channels in place of 128."""

    network_type: Callable[[], NsynthEncoder] = partial(NsynthEncoder, width=_WIDTH)


@pytest.fixture(scope="module")
def variables() -> dict[str, NDArray[np.float32]]:
    """Magenta's variables, in TensorFlow's shapes."""
    generator = np.random.default_rng(0)
    shapes = {"ae_startconv": (1, 3, 1, _WIDTH), "ae_bottleneck": (1, 1, _WIDTH, 16)}
    for number in range(1, 31):
        shapes |= {f"ae_dilatedconv_{number}": (1, 3, _WIDTH, _WIDTH), f"ae_res_{number}": (1, 1, _WIDTH, _WIDTH)}
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        arrays[f"{name}/W"] = (0.5 * generator.standard_normal(shape)).astype(np.float32)
        arrays[f"{name}/biases"] = (0.1 * generator.standard_normal(shape[-1])).astype(np.float32)
    return arrays


@pytest.fixture(scope="module")
def archive(variables: dict[str, NDArray[np.float32]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nsynth")
    decoder = {"startconv/W": np.zeros((1, 3, 1, 2), np.float32), "ae_startconv/W/Adam": np.zeros(1, np.float32)}
    return pack(write_checkpoint(folder / "model.ckpt-200000", {**variables, **decoder}), folder / "wavenet-ckpt.tar")


@pytest.fixture(scope="module")
def signal() -> NDArray[np.float64]:
    return 0.3 * np.random.default_rng(1).standard_normal((1, 1024 + 100))


def _convolved(
    x: NDArray[np.float64], variables: dict[str, NDArray[np.float32]], name: str, dilation: int = 1
) -> NDArray[np.float64]:
    """``(samples, before)`` to ``(samples, after)``: centred taps, zeros outside."""
    kernel = variables[f"{name}/W"][0].astype(np.float64)
    found = np.tile(variables[f"{name}/biases"].astype(np.float64), (len(x), 1))
    for tap in range(len(kernel)):
        shift = (tap - len(kernel) // 2) * dilation
        taken = np.zeros_like(x)
        if abs(shift) < len(x):
            taken[max(0, -shift) : len(x) - max(0, shift)] = x[max(0, shift) : len(x) + min(0, shift)]
        found += taken @ kernel[tap]
    return found


def _published(x: NDArray[np.float64], variables: dict[str, NDArray[np.float32]], layer: str) -> NDArray[np.float64]:
    """The temporal encoder of h512_bo16.py, of one signal whose length is a multiple of 512."""
    en = _convolved(x[:, None], variables, "ae_startconv")
    for number in range(1, 31):
        if layer == f"layer{number - 1}":
            return en
        d = _convolved(np.maximum(en, 0), variables, f"ae_dilatedconv_{number}", 2 ** ((number - 1) % 10))
        en = en + _convolved(np.maximum(d, 0), variables, f"ae_res_{number}")
    return _convolved(en, variables, "ae_bottleneck").reshape(-1, 512, 16).mean(1)


@pytest.mark.parametrize("layer", ["encoding", "layer12"])
def test_encoder_is_magentas(
    layer: str, variables: dict[str, NDArray[np.float32]], archive: Path, signal: NDArray[np.float64]
):
    distance = _Small(sample_rate=16000, rescale=False, layer=layer, weights=str(archive))
    found = distance.represent(torch.as_tensor(signal))[0].numpy()
    np.testing.assert_allclose(found, _published(signal[0, :1024], variables, layer), rtol=1e-6, atol=1e-9)


def test_rounded_input_is_magentas(
    variables: dict[str, NDArray[np.float32]], archive: Path, signal: NDArray[np.float64]
):
    codes = np.floor(np.sign(signal) * np.log(1 + 255 * np.abs(signal)) / np.log(256) * 128)  # utils.mu_law
    distance = _Small(sample_rate=16000, quantise=True, weights=str(archive))
    assert not distance.differentiable
    found = distance.represent(torch.as_tensor(signal))[0].numpy()
    np.testing.assert_allclose(found, _published(codes[0, :1024] / 128, variables, "encoding"), rtol=1e-6, atol=1e-9)


def test_curve_without_rounding_stays_within_a_step(signal: NDArray[np.float64]):
    x = torch.as_tensor(signal)
    codes = (x.sign() * (255 * x.abs()).log1p() / np.log(256) * 128).floor() / 128
    assert (mu_law(x) - codes).min() >= 0
    assert (mu_law(x) - codes).max() <= 1 / 128


def test_curve_has_its_derivative_at_silence():
    silence = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(mu_law(silence).sum(), silence)
    torch.testing.assert_close(slope, torch.full_like(slope, 255 / np.log(256)), rtol=1e-6, atol=0)


@pytest.mark.parametrize("form", ["index", "npz", "safetensors"])
def test_every_format_is_the_same(
    form: str, variables: dict[str, NDArray[np.float32]], archive: Path, signal: NDArray[np.float64], tmp_path: Path
):
    from safetensors.torch import save_file

    expected = _Small(sample_rate=16000, weights=str(archive))
    if form == "index":
        path = write_checkpoint(tmp_path / "model.ckpt-1", variables)
    elif form == "npz":
        path = tmp_path / "encoder.npz"
        np.savez(path, allow_pickle=False, **variables)
    else:
        path = tmp_path / "encoder.safetensors"
        save_file({name: each.contiguous() for name, each in expected.network.network.state_dict().items()}, path)
    found = _Small(sample_rate=16000, weights=str(path))
    assert torch.equal(found.represent(torch.as_tensor(signal)), expected.represent(torch.as_tensor(signal)))


@pytest.mark.parametrize("rescale", [True, False])
def test_keeps_every_promise(rescale: bool, archive: Path):
    distance = _Small(sample_rate=16000, rescale=rescale, weights=str(archive))
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_rounding_keeps_every_promise_but_the_gradient(archive: Path):
    distance = _Small(sample_rate=16000, quantise=True, weights=str(archive))
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_published_size():
    # 3·128 + 128, 30 · (3·128² + 128 + 128² + 128), 128·16 + 16
    assert sum(each.numel() for each in NsynthEncoder().parameters()) == 512 + 30 * 65792 + 2064


def test_wrong_files_and_parameters_are_refused(
    variables: dict[str, NDArray[np.float32]], archive: Path, tmp_path: Path
):
    with pytest.raises(ValueError, match=r"another architecture.*ae_startconv\.weight is shaped \(3, 1, 3\)"):
        NsynthWavenet(weights=str(archive))
    np.savez(tmp_path / "half.npz", allow_pickle=False, **{name: variables[name] for name in list(variables)[:40]})
    with pytest.raises(ValueError, match=r"another architecture.*it lacks ae_dilatedconv_"):
        _Small(weights=str(tmp_path / "half.npz"))
    (tmp_path / "broken.tar").write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(ValueError, match="truncated, or no TensorFlow checkpoint"):
        _Small(weights=str(tmp_path / "broken.tar"))
    with pytest.raises(ValueError, match="no layer 'layer31'; there are: " + ", ".join(LAYERS)):
        _Small(layer="layer31", random_weights=True)
    with pytest.raises(ValueError, match="it needs rescale=true"):
        _Small(rescale=False, quantise=True, random_weights=True)
    short = torch.zeros(1, 511)
    with pytest.raises(ValueError, match="at least 512 samples, got 511"):
        _Small(sample_rate=16000, random_weights=True)(short, short)
