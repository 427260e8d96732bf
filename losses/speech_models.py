"""Self-supervised models that take the waveform: wav2vec 2.0, HuBERT, WavLM and data2vec for speech, MERT for music."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor

from .hub_models import LayerOf, build_hub_model
from .neural import NeuralDistance, Pooling
from .norms import Norm


class SpeechModel(NeuralDistance):
    """The norm of the difference of activations: strided convolutions of the waveform, then a transformer.

    One frame every 20 ms in the published models (MERT: 13 ms). The waveform is taken as it is: the published
    extractors bring it to mean 0 and variance 1 first, which erases level. Models whose first convolution is followed
    by a group norm over time (wav2vec 2.0 Base, HuBERT Base, WavLM Base+, MERT) hardly hear level all the same.

    Args:
        sample_rate: in Hz.
        layer: whose activations: ``conv1`` to ``conv7``, ``projection``, ``0`` (the transformer's input), ``1`` up to
            the number of its layers, or ``final`` (the last, normalised where the model does).
        normalise: bring each signal to mean 0 and variance 1 first.
        pooling: ``none`` compares frame by frame, ``mean`` the mean over frames.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: a folder with a model of this kind, or a hub repository's name; empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or a model of one's own cannot be used.
        ImportError: if ``transformers`` is not installed, or the weights are not here.
    """

    model_class: ClassVar[str]
    """In ``transformers``."""
    row: ClassVar[str]
    """In the table of weights."""
    configuration: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Where the published model's differs from the class's defaults."""
    native_sample_rate: ClassVar[int | None] = 16000
    packages = ("transformers",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "final",
        normalise: bool = False,
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        model = build_hub_model(
            self.model_class,
            self.row,
            configuration=self.configuration,
            weights=weights,
            random_weights=random_weights,
            adapt_configuration=self.adapt_configuration,
        )
        config: Any = model.network.config
        layers = _layers(config)
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=list(layers), pooling=pooling, norm=norm, average=average
        )
        self.normalise = normalise
        self._is_convolution = layer.startswith("conv")
        used = int(layer.removeprefix("conv")) if self._is_convolution else len(config.conv_kernel)
        self._convolutions = [*zip(config.conv_kernel, config.conv_stride, strict=True)][:used]
        self.freeze(LayerOf(model.network, layers[layer]), model.sha256)

    @staticmethod
    def adapt_configuration(config: dict[str, Any]) -> dict[str, Any]:
        """The configuration of :attr:`model_class` that a checkpoint's stands for."""
        return config

    @property
    def own_min_samples(self) -> int:
        """The receptive field of the convolutions: 400 samples in the published models."""
        samples = 1
        for kernel, stride in reversed(self._convolutions):
            samples = (samples - 1) * stride + kernel
        return samples

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at the model's rate to ``(batch, frames, features)``."""
        if self.normalise:
            centred = signal - signal.mean(-1, keepdim=True)
            signal = centred / (centred.square().mean(-1, keepdim=True) + 1e-7).sqrt()
        activations: Tensor = self.network.at(signal)(signal)
        return activations.transpose(1, 2) if self._is_convolution else activations


def _layers(config: Any) -> dict[str, str]:
    """Layer name to the dotted name of its module, from the input on."""
    convolutions = {f"conv{number + 1}": f"feature_extractor.conv_layers.{number}" for number in _indices(config)}
    blocks = {str(number): f"encoder.layers.{number - 1}" for number in range(1, config.num_hidden_layers + 1)}
    return {**convolutions, "projection": "feature_projection", "0": "encoder.dropout", **blocks, "final": "encoder"}


def _indices(config: Any) -> range:
    return range(len(config.conv_kernel))


class Wav2Vec2LargeLv60(SpeechModel):
    """wav2vec 2.0 Large, 24 layers, trained on 53,000 hours of Libri-Light (see :class:`SpeechModel`).

    Source:
        Baevski, Zhou, Mohamed & Auli 2020, "wav2vec 2.0" (arXiv:2006.11477); ``facebook/wav2vec2-large-lv60``.
    """

    model_class = "Wav2Vec2Model"
    row = "wav2vec2_large_lv60"
    configuration: ClassVar[Mapping[str, Any]] = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "conv_bias": True,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
    }
    source = "Baevski et al. 2020 (arXiv:2006.11477); facebook/wav2vec2-large-lv60"


class Wav2Vec2Base(SpeechModel):
    """wav2vec 2.0 Base, 12 layers, trained on 960 hours of LibriSpeech (see :class:`SpeechModel`).

    Source:
        Baevski, Zhou, Mohamed & Auli 2020, "wav2vec 2.0" (arXiv:2006.11477); ``facebook/wav2vec2-base``.
    """

    model_class = "Wav2Vec2Model"
    row = "wav2vec2_base"
    source = "Baevski et al. 2020 (arXiv:2006.11477); facebook/wav2vec2-base"


class Hubert(SpeechModel):
    """HuBERT Base, 12 layers, trained on LibriSpeech (see :class:`SpeechModel`).

    Source:
        Hsu et al. 2021, "HuBERT" (arXiv:2106.07447); ``facebook/hubert-base-ls960``.
    """

    model_class = "HubertModel"
    row = "hubert"
    source = "Hsu et al. 2021 (arXiv:2106.07447); facebook/hubert-base-ls960"


class WavLm(SpeechModel):
    """WavLM Base+, 12 layers, trained on 94,000 hours of speech (see :class:`SpeechModel`).

    Source:
        Chen et al. 2022, "WavLM" (arXiv:2110.13900); ``microsoft/wavlm-base-plus``.
    """

    model_class = "WavLMModel"
    row = "wavlm"
    source = "Chen et al. 2022 (arXiv:2110.13900); microsoft/wavlm-base-plus"


class Data2Vec(SpeechModel):
    """data2vec Base for audio, 12 layers, trained on LibriSpeech (see :class:`SpeechModel`).

    Source:
        Baevski et al. 2022, "data2vec" (arXiv:2202.03555); ``facebook/data2vec-audio-base``.
    """

    model_class = "Data2VecAudioModel"
    row = "data2vec"
    source = "Baevski et al. 2022 (arXiv:2202.03555); facebook/data2vec-audio-base"


class Mert(SpeechModel):
    """MERT v1 95M, 12 layers, trained on 20,000 hours of music at 24 kHz (see :class:`SpeechModel`).

    The repository's own code is not run: this checkpoint is a HuBERT by another name, and is read as one. Checkpoints
    that are not (a constant-Q transform beside the convolutions, DeepNorm, relaxed attention) are refused.

    Source:
        Li et al. 2024, "MERT" (arXiv:2306.00107); ``m-a-p/MERT-v1-95M``, ``modeling_MERT.py`` there.
    """

    model_class = "HubertModel"
    row = "mert"
    native_sample_rate: ClassVar[int | None] = 24000
    source = "Li et al. 2024 (arXiv:2306.00107); m-a-p/MERT-v1-95M"

    @staticmethod
    def adapt_configuration(config: dict[str, Any]) -> dict[str, Any]:
        """HuBERT's configuration, if the checkpoint is one."""
        if config.get("model_type") != "mert_model":
            return config
        own = [
            name
            for name, differs in (
                ("feature_extractor_cqt", config.get("feature_extractor_cqt", False)),
                ("deepnorm", config.get("deepnorm", False)),
                ("attention_relax", config.get("attention_relax", -1) > 0),
            )
            if differs
        ]
        if own:
            raise ValueError(
                f"this MERT is no HuBERT: its {' and '.join(own)} needs the repository's code, which is not run"
            )
        return {**config, "model_type": "hubert"}
