"""Whisper, AST and CLAP: front ends against transformers' extractors, tiny models against transformers itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tonedeaf.losses.clap_log_mel import ClapLogMel
from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.hub_models import import_transformers
from tonedeaf.losses.kaldi_fbank import KaldiFbank
from tonedeaf.losses.spectrogram_models import Ast, Clap, SpectrogramModel, Whisper
from tonedeaf.losses.torchaudio_import import import_torchaudio
from tonedeaf.losses.whisper_log_mel import WhisperLogMel

_WHISPER: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 16,
    "vocab_size": 50,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "max_source_positions": 50,
}
_AST: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_length": 100,
    "num_mel_bins": 32,
}
_CLAP: dict[str, Any] = {
    "audio_config": {
        "patch_embeds_hidden_size": 8,
        "hidden_size": 64,
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 2, 2],
        "projection_dim": 8,
        "window_size": 4,
        "mlp_ratio": 1.0,
    },
    "text_config": {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 20},
    "projection_dim": 8,
}


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    library = import_transformers()
    library.utils.logging.disable_progress_bar()
    return library


def _saved(cls: Any, configuration: Mapping[str, Any], folder: Path) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = cls(cls.config_class(**configuration)).eval()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def whisper(transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("whisper")
    return _saved(transformers.WhisperModel, _WHISPER, folder), folder


@pytest.fixture(scope="module")
def ast(transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("ast")
    model = _saved(transformers.ASTModel, _AST, folder)
    transformers.ASTFeatureExtractor(max_length=100, num_mel_bins=32, mean=-4.0, std=4.0).save_pretrained(folder)
    return model, folder


@pytest.fixture(scope="module")
def clap(transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("clap")
    model = _saved(transformers.ClapModel, _CLAP, folder)
    _clap_extractor(transformers).save_pretrained(folder)
    return model, folder


def _clap_extractor(transformers: ModuleType) -> Any:
    """With the settings of laion/clap-htsat-unfused."""
    return transformers.ClapFeatureExtractor(
        frequency_min=50, frequency_max=14000, truncation="rand_trunc", padding="repeatpad"
    )


def _sound(samples: int, rate: int) -> NDArray[np.float32]:
    time = np.arange(samples) / rate
    noise = np.random.default_rng(1).standard_normal(samples)
    return (0.3 * np.sin(2 * np.pi * 440 * time) + 0.05 * noise).astype(np.float32)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_whisper_front_end_is_the_extractors(transformers: ModuleType, n_mels: int):
    sound = _sound(16000, 16000)
    extractor = transformers.WhisperFeatureExtractor(feature_size=n_mels)
    expected = extractor(sound, sampling_rate=16000)["input_features"][0]
    padded = np.pad(sound, (0, extractor.n_samples - len(sound)))
    plain = extractor._np_extract_fbank_features(padded[None], "cpu")[0]  # its code without PyTorch
    found = WhisperLogMel(n_mels=n_mels, samples=480000)(torch.as_tensor(sound)[None])[0].numpy()
    assert found.shape == (n_mels, 3000)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-4)


def test_kaldi_front_end_is_torchaudios_and_the_extractors(transformers: ModuleType):
    sound = _sound(16000, 16000)
    import_torchaudio()
    from torchaudio.compliance import kaldi

    waveform = torch.as_tensor(sound, dtype=torch.float64)[None]
    found = KaldiFbank(n_mels=128)(waveform)[0]
    expected = kaldi.fbank(waveform, window_type="hanning", num_mel_bins=128)
    assert found.shape == (98, 128)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    extractor = transformers.ASTFeatureExtractor(do_normalize=False)
    extracted = extractor(sound, sampling_rate=16000)["input_values"][0]
    # of the extractor's own float32 in the faintest bands, the logarithms of which are about −15
    np.testing.assert_allclose(found.numpy(), extracted[:98], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("samples", [24000, 100001, 480000])
def test_clap_front_end_is_the_extractors(transformers: ModuleType, samples: int):
    sound = _sound(samples, 48000)
    expected = _clap_extractor(transformers)(sound, sampling_rate=48000)["input_features"][0][0]
    found = ClapLogMel(n_mels=64, fmin=50, fmax=14000)(torch.as_tensor(sound, dtype=torch.float64)[None])[0]
    assert found.shape == (1001, 64)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-4)  # dB


def test_whisper_layers_are_transformers(whisper: tuple[Any, Path], transformers: ModuleType):
    model, folder = whisper
    sounds = np.stack([_sound(9000, 16000), _sound(9000, 16000)[::-1]])
    extractor = transformers.WhisperFeatureExtractor(chunk_length=1)
    inputs = extractor(list(sounds), sampling_rate=16000, return_tensors="pt")["input_features"]
    with torch.no_grad():
        output = model.encoder(inputs, output_hidden_states=True)
    expected = {"0": output.hidden_states[0], "1": output.hidden_states[1], "final": output.last_hidden_state}
    for layer, activations in expected.items():
        found = Whisper(sample_rate=16000, layer=layer, weights=str(folder)).represent(torch.as_tensor(sounds.copy()))
        # 9000 samples are 28.1 frames of 20 ms
        torch.testing.assert_close(found, activations[:, :29], rtol=0, atol=1e-5)


def test_ast_layers_are_transformers(ast: tuple[Any, Path], transformers: ModuleType):
    model, folder = ast
    sound = _sound(9000, 16000)
    extractor = transformers.ASTFeatureExtractor.from_pretrained(folder)
    inputs = torch.as_tensor(np.array(extractor(sound, sampling_rate=16000)["input_values"]))
    with torch.no_grad():
        output = model(inputs, output_hidden_states=True)
    expected = {"0": output.hidden_states[0], "1": output.hidden_states[1], "final": output.last_hidden_state}
    for layer, activations in expected.items():
        found = Ast(sample_rate=16000, layer=layer, weights=str(folder)).represent(torch.as_tensor(sound)[None])
        torch.testing.assert_close(found, activations, rtol=0, atol=1e-4)


def test_clap_layers_are_transformers(clap: tuple[Any, Path], transformers: ModuleType):
    model, folder = clap
    sound = _sound(24000, 48000)
    features = _clap_extractor(transformers)(sound, sampling_rate=48000)["input_features"]
    inputs = torch.as_tensor(np.array(features), dtype=torch.float32)
    with torch.no_grad():
        output = model.audio_model(inputs, output_hidden_states=True)
    for layer in range(4):
        found = Clap(sample_rate=48000, layer=str(layer), weights=str(folder)).represent(torch.as_tensor(sound)[None])
        expected = output.hidden_states[layer].flatten(2).transpose(1, 2)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    final = Clap(sample_rate=48000, weights=str(folder)).represent(torch.as_tensor(sound)[None])
    # the pooled output is the mean over the last layer's patches
    torch.testing.assert_close(final.mean(1), output.pooler_output, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("cls", "name"), [(Whisper, "whisper"), (Ast, "ast"), (Clap, "clap")])
def test_keeps_every_promise(cls: type[SpectrogramModel], name: str, request: pytest.FixtureRequest):
    folder: Path = request.getfixturevalue(name)[1]
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


@pytest.mark.parametrize(("cls", "name"), [(Whisper, "whisper"), (Ast, "ast"), (Clap, "clap")])
def test_batch_of_one_is_the_same(cls: type[SpectrogramModel], name: str, request: pytest.FixtureRequest):
    folder: Path = request.getfixturevalue(name)[1]
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    signal: Tensor = 0.1 * torch.randn(2, 8000, generator=torch.Generator().manual_seed(2))
    alone = torch.cat([distance.represent(row[None]) for row in signal])
    torch.testing.assert_close(distance.represent(signal), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("cls", "name", "samples", "message"),
    [
        (Whisper, "whisper", 16001, r"Whisper hears 1 s at most, got 1\.00006 s"),
        (Ast, "ast", 16400, r"Ast hears 1\.02494 s at most, got 1\.025 s"),
        (Clap, "clap", 480001, r"Clap hears 10 s at most, got 10 s"),
    ],
)
def test_longer_signals_are_refused(
    request: pytest.FixtureRequest, cls: type[SpectrogramModel], name: str, samples: int, message: str
):
    folder: Path = request.getfixturevalue(name)[1]
    long = torch.zeros(1, samples)
    with pytest.raises(ValueError, match=message):
        cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))(long, long)


def test_shorter_signals_are_refused(ast: tuple[Any, Path]):
    short = torch.zeros(1, 399)
    with pytest.raises(ValueError, match="at least 400 samples, got 399"):
        Ast(sample_rate=16000, weights=str(ast[1]))(short, short)


def test_fusing_clap_is_refused(clap: tuple[Any, Path], tmp_path: Path):
    for file in clap[1].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["audio_config"]["enable_fusion"] = True
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="this CLAP fuses several cuts of a signal"):
        Clap(weights=str(tmp_path))


def test_unknown_layers_are_listed(whisper: tuple[Any, Path], clap: tuple[Any, Path]):
    with pytest.raises(ValueError, match=r"no layer 'last'; there are: 0, 1, 2, final$"):
        Whisper(layer="last", weights=str(whisper[1]))
    with pytest.raises(ValueError, match=r"no layer '5'; there are: 0, 1, 2, 3, 4, final$"):
        Clap(layer="5", weights=str(clap[1]))
