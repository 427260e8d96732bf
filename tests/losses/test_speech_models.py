"""Speech models: tiny ones, written to disk by transformers, against transformers itself."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.hub_models import import_transformers
from tonedeaf.losses.speech_models import Data2Vec, Hubert, Mert, SpeechModel, Wav2Vec2Base, Wav2Vec2LargeLv60, WavLm

_TINY: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 3, 2),
    "conv_stride": (5, 2, 2),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
_STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
_CASES: dict[type[SpeechModel], tuple[str, dict[str, Any]]] = {
    Wav2Vec2LargeLv60: ("Wav2Vec2Model", _STABLE),
    Wav2Vec2Base: ("Wav2Vec2ForPreTraining", {"codevector_dim": 8, "proj_codevector_dim": 8}),
    Hubert: ("HubertModel", {}),
    WavLm: ("WavLMModel", {}),
    Data2Vec: ("Data2VecAudioModel", {"num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 5}),
}
_LEGACY = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    library = import_transformers()
    library.utils.logging.disable_progress_bar()
    return library


@pytest.fixture(scope="module", params=list(_CASES), ids=lambda cls: cls.__name__)
def case(
    request: pytest.FixtureRequest, transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> tuple[type[SpeechModel], Any, Path]:
    """The distance's class, the model as transformers has it, and the folder that it was saved to."""
    name, others = _CASES[request.param]
    cls: Any = getattr(transformers, name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = cls(cls.config_class(**{**_TINY, **others})).eval()
    folder = tmp_path_factory.mktemp(request.param.__name__)
    model.save_pretrained(folder)
    return request.param, getattr(model, "wav2vec2", model), folder


@pytest.fixture(scope="module")
def signal() -> Tensor:
    return 0.1 * torch.randn(2, 1600, generator=torch.Generator().manual_seed(1))


def test_every_layer_is_transformers(case: tuple[type[SpeechModel], Any, Path], signal: Tensor):
    cls, model, folder = case
    rate = cls.native_sample_rate or 0
    with torch.no_grad():
        output = model(signal, output_hidden_states=True)
        features = model.feature_extractor(signal).transpose(1, 2)
    expected = {"final": output.last_hidden_state, "conv3": features}
    expected |= {str(number): output.hidden_states[number] for number in range(3)}
    for layer, activations in expected.items():
        found = cls(sample_rate=rate, layer=layer, weights=str(folder)).represent(signal)
        torch.testing.assert_close(found, activations, rtol=0, atol=1e-5, msg=lambda text, at=layer: f"{at}: {text}")


def test_keeps_every_promise(case: tuple[type[SpeechModel], Any, Path]):
    cls, _, folder = case
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    assert distance.min_samples == 30  # 10, then 3 every 5th, then 2 every 10th
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def test_normalisation_is_the_extractors_and_erases_level(
    case: tuple[type[SpeechModel], Any, Path], transformers: ModuleType, signal: Tensor
):
    cls, model, folder = case
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    rows = [row.numpy() for row in signal]
    inputs = torch.as_tensor(np.array(extractor(rows, sampling_rate=16000)["input_values"]))
    with torch.no_grad():
        expected = model(inputs).last_hidden_state
    distance = cls(sample_rate=cls.native_sample_rate or 0, normalise=True, weights=str(folder))
    torch.testing.assert_close(distance.represent(signal), expected, rtol=0, atol=1e-4)
    assert (distance(signal, 4 * signal) < 1e-3 * distance(signal, signal.flip(0))).all()


def test_batch_of_one_is_the_same(case: tuple[type[SpeechModel], Any, Path], signal: Tensor):
    cls, _, folder = case
    distance = cls(sample_rate=cls.native_sample_rate or 0, weights=str(folder))
    alone = torch.cat([distance.represent(row[None]) for row in signal])
    torch.testing.assert_close(distance.represent(signal), alone, rtol=0, atol=1e-5)


def test_group_norm_hardly_hears_level(transformers: ModuleType):
    """What the documentation says of models whose first convolution is followed by a norm over time."""
    signal = 0.1 * torch.randn(2, 1600, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    ratios: dict[str, float] = {}
    for name, others in (("group", {}), ("layer", _STABLE)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**{**_TINY, **others})).eval().double()
        with torch.no_grad():
            loud, soft, other = (model(x).last_hidden_state for x in (signal, signal / 2, signal.flip(0)))
        ratios[name] = float((loud - soft).abs().mean() / (loud - other).abs().mean())
    assert ratios["group"] < 0.05 < ratios["layer"]


def _mert(folder: Path, target: Path, **changes: Any) -> Path:
    """A HuBERT's folder as MERT's: another configuration, weights pickled under their older names."""
    from safetensors.torch import load_file

    target.mkdir()
    config = json.loads((folder / "config.json").read_text())
    own = {"model_type": "mert_model", "auto_map": {"AutoModel": "modeling_MERT.MERTModel"}, "sample_rate": 24000}
    unlike = {"feature_extractor_cqt": False, "deepnorm": False, "attention_relax": -1.0}
    (target / "config.json").write_text(json.dumps({**config, **own, **unlike, **changes}))
    (target / "modeling_MERT.py").write_text("raise SystemExit('the code of the repository was run')\n")
    state = load_file(folder / "model.safetensors")
    for new, old in _LEGACY.items():
        state = {name.replace(new, old): tensor for name, tensor in state.items()}
    torch.save(state, target / "pytorch_model.bin")
    return target


@pytest.fixture
def hubert(transformers: ModuleType, tmp_path: Path) -> tuple[Any, Path]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = transformers.HubertModel(transformers.HubertConfig(**_TINY)).eval()
    model.save_pretrained(tmp_path / "hubert")
    return model, tmp_path / "hubert"


def test_mert_is_read_as_the_hubert_that_it_is(hubert: tuple[Any, Path], signal: Tensor, tmp_path: Path):
    model, folder = hubert
    distance = Mert(sample_rate=24000, weights=str(_mert(folder, tmp_path / "mert")))
    with torch.no_grad():
        expected = model(signal).last_hidden_state
    torch.testing.assert_close(distance.represent(signal), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"feature_extractor_cqt": True}, "feature_extractor_cqt"), ({"attention_relax": 32.0}, "attention_relax")],
)
def test_mert_that_is_no_hubert_is_refused(
    hubert: tuple[Any, Path], tmp_path: Path, changes: dict[str, Any], what: str
):
    with pytest.raises(ValueError, match=rf"no HuBERT: its {what} needs the repository's code, which is not run"):
        Mert(weights=str(_mert(hubert[1], tmp_path / "mert", **changes)))


def test_unknown_layers_are_listed(case: tuple[type[SpeechModel], Any, Path]):
    cls, _, folder = case
    with pytest.raises(ValueError, match=r"no layer '3'; there are: conv1, conv2, conv3, projection, 0, 1, 2, final$"):
        cls(layer="3", weights=str(folder))


def test_published_configuration_is_the_large_one(transformers: ModuleType):
    config = transformers.Wav2Vec2Config(**Wav2Vec2LargeLv60.configuration)
    with torch.device("meta"):
        model: Callable[..., Any] = transformers.Wav2Vec2Model(config)
    # 315,438,720 weights without the quantiser, as of wav2vec 2.0 Large
    assert sum(each.numel() for each in model.parameters()) == 315_438_720  # pyright: ignore[reportFunctionMemberAccess]
