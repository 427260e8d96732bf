"""Neural codecs: tiny ones, written to disk by transformers, against transformers itself."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.hub_models import import_transformers
from tonedeaf.losses.neural_codecs import Dac, Encodec, Mimi, NeuralCodec

_CODEBOOK = {"codebook_size": 16}
_CASES: dict[type[NeuralCodec], tuple[str, dict[str, Any]]] = {
    Encodec: ("EncodecModel", {**_CODEBOOK, "num_filters": 4, "hidden_size": 8, "codebook_dim": 8}),
    Dac: (
        "DacModel",
        {
            **_CODEBOOK,
            "encoder_hidden_size": 4,
            "decoder_hidden_size": 16,
            "codebook_dim": 2,
            "hidden_size": 64,
            "n_codebooks": 2,
            "sampling_rate": 44100,
            "downsampling_ratios": [2, 4, 8, 8],
        },
    ),
    Mimi: (
        "MimiModel",
        {
            **_CODEBOOK,
            "num_filters": 4,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "intermediate_size": 16,
            "codebook_dim": 8,
            "vector_quantization_hidden_dimension": 8,
            "num_quantizers": 4,
            "num_semantic_quantizers": 1,
            "upsample_groups": 16,
        },
    ),
}


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    library = import_transformers()
    library.utils.logging.disable_progress_bar()
    return library


@pytest.fixture(scope="module", params=list(_CASES), ids=lambda cls: cls.__name__)
def case(
    request: pytest.FixtureRequest, transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> tuple[type[NeuralCodec], Any, Path]:
    """The distance's class, the codec as transformers has it, and the folder that it was saved to."""
    name, configuration = _CASES[request.param]
    cls: Any = getattr(transformers, name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = cls(cls.config_class(**configuration)).eval()
    folder = tmp_path_factory.mktemp(request.param.__name__)
    model.save_pretrained(folder)
    return request.param, model, folder


@pytest.fixture(scope="module")
def signal() -> Tensor:
    return 0.1 * torch.randn(2, 5000, generator=torch.Generator().manual_seed(1))


def _latents(transformers: ModuleType, model: Any, signal: Tensor) -> Tensor:
    """What transformers quantises, from its extractor on: ``(batch, frames, features)``."""
    name = type(model).__name__.removesuffix("Model")
    extractor_class = getattr(transformers, f"{name.replace('Mimi', 'Encodec')}FeatureExtractor")
    extractor = extractor_class(sampling_rate=model.config.sampling_rate)
    rows = [row.numpy() for row in signal]
    values = extractor(rows, sampling_rate=model.config.sampling_rate)["input_values"]
    with torch.no_grad():
        found = model.encoder(torch.as_tensor(np.array(values)).reshape(len(rows), 1, -1))
    return (found.latents if hasattr(found, "latents") else found).transpose(1, 2)


def test_final_layer_is_what_transformers_quantises(
    case: tuple[type[NeuralCodec], Any, Path], transformers: ModuleType, signal: Tensor
):
    cls, model, folder = case
    found = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder)).represent(signal)
    torch.testing.assert_close(found, _latents(transformers, model, signal), rtol=0, atol=1e-5)


def test_inner_layers_are_the_modules_outputs(case: tuple[type[NeuralCodec], Any, Path], signal: Tensor):
    cls, model, folder = case
    encoder = model.encoder
    inner: dict[type[NeuralCodec], dict[str, Callable[[], Any]]] = {
        Encodec: {"1": lambda: encoder.layers[0], "16": lambda: encoder.layers[15]},
        Dac: {"1": lambda: encoder.conv1, "5": lambda: encoder.block[3]},
        Mimi: {"15": lambda: encoder.encoder_seanet.layers[14], "17": lambda: encoder.encoder_transformer.layers[1]},
    }
    padded = torch.nn.functional.pad(signal, (0, -signal.shape[-1] % 512)) if cls is Dac else signal
    for layer, module in inner[cls].items():
        outputs: list[Any] = []
        hook = module().register_forward_hook(lambda _module, _inputs, output, at=outputs: at.append(output))
        with torch.no_grad():
            encoder(padded.unsqueeze(1))
        hook.remove()
        expected = outputs[0] if isinstance(outputs[0], Tensor) else outputs[0][0]
        found = cls(sample_rate=cls.native_sample_rate or 0, layer=layer, weights=str(folder)).represent(signal)
        expected = expected if layer == "17" else expected.transpose(1, 2)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_keeps_every_promise(case: tuple[type[NeuralCodec], Any, Path]):
    cls, _, folder = case
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_batch_of_one_is_the_same(case: tuple[type[NeuralCodec], Any, Path], signal: Tensor):
    cls, _, folder = case
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    alone = torch.cat([distance.represent(row[None]) for row in signal])
    torch.testing.assert_close(distance.represent(signal), alone, rtol=0, atol=1e-5)


def test_lstm_is_such_as_a_gpu_differentiates(
    case: tuple[type[NeuralCodec], Any, Path], transformers: ModuleType, signal: Tensor
):
    cls, model, folder = case
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder)).train()
    recurrent = [each for each in distance.modules() if isinstance(each, nn.LSTM)]
    assert len(recurrent) == (cls is Encodec)
    assert all(each.training and each.dropout == 0 for each in recurrent)  # cuDNN differentiates in no other mode
    assert not distance.network.network.training
    torch.testing.assert_close(distance.represent(signal), _latents(transformers, model, signal), rtol=0, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gradient_on_a_gpu_is_the_same(case: tuple[type[NeuralCodec], Any, Path], signal: Tensor):
    cls, _, folder = case
    gradients: list[Tensor] = []
    for device in ("cpu", "cuda"):
        distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder)).to(device)
        leaf = signal.double().to(device).requires_grad_()
        gradients.append(torch.autograd.grad(distance(leaf, leaf.detach().flip(0)).sum(), leaf)[0].cpu())
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-6, atol=1e-9)


def test_other_rates_and_channels_are_refused(transformers: ModuleType, tmp_path: Path):
    configuration = {**_CASES[Encodec][1], "sampling_rate": 48000, "audio_channels": 2}
    transformers.EncodecModel(transformers.EncodecConfig(**configuration)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="mono models at 24000 Hz, this one has 2 channels at 48000 Hz"):
        Encodec(weights=str(tmp_path))


def test_unknown_layers_are_listed(case: tuple[type[NeuralCodec], Any, Path]):
    cls, _, folder = case
    with pytest.raises(ValueError, match=r"no layer '0'; there are: 1, 2, 3, .*, final$"):
        cls(layer="0", weights=str(folder))
