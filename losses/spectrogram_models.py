"""Transformers over log mel spectrograms: Whisper's encoder, the Audio Spectrogram Transformer, CLAP's audio side."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn

from . import clap_log_mel, kaldi_fbank, whisper_log_mel
from .hub_models import HubModel, LayerOf, build_hub_model
from .neural import NeuralDistance, Pooling
from .norms import Norm


class SpectrogramModel(NeuralDistance):
    """The norm of the difference of activations of a transformer over a log mel spectrogram.

    Args:
        sample_rate: in Hz.
        layer: whose activations; each model says which there are.
        pooling: ``none`` compares token by token (patches of the spectrogram, or frames), ``mean`` their mean.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: a folder with a model of this kind, or a hub repository's name; empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, a model of one's own cannot be used, or a signal is
            longer than the model hears.
        ImportError: if ``transformers`` is not installed, or the weights are not here.
    """

    model_class: ClassVar[str]
    """In ``transformers``."""
    row: ClassVar[str]
    """In the table of weights."""
    configuration: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Where the published model's differs from the class's defaults."""
    packages = ("transformers",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "final",
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
        layers = self.layers(model.network.config)
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=list(layers), pooling=pooling, norm=norm, average=average
        )
        self.prepare(model)
        self.freeze(self.stopped(model.network, layers[layer]), model.sha256)

    @staticmethod
    def adapt_configuration(config: dict[str, Any]) -> dict[str, Any]:
        """The configuration of :attr:`model_class` that a checkpoint's stands for."""
        return config

    @staticmethod
    def layers(config: Any) -> dict[str, str]:
        """Layer name to the dotted name of its module, from the input on."""
        raise NotImplementedError

    def prepare(self, model: HubModel) -> None:
        """Make the front end."""
        raise NotImplementedError

    def stopped(self, network: nn.Module, module: str) -> nn.Module:
        """The network up to a module of it."""
        return LayerOf(network, module)

    def check_length(self, signal: Tensor, samples: int) -> None:
        """Raise ``ValueError`` if a signal is longer than these samples at the model's rate."""
        if signal.shape[-1] > samples:
            rate = self.native_sample_rate or 1
            seconds, most = signal.shape[-1] / rate, samples / rate
            raise ValueError(f"{type(self).__name__} hears {most:g} s at most, got {seconds:g} s")


class Whisper(SpectrogramModel):
    """Whisper's encoder: 30 s of log mel spectrogram, one frame every 20 ms (see :class:`SpectrogramModel`).

    Frames after the end of the signal, of which the encoder hears the silence, are not compared. Its layers are ``0``
    (the transformer's input), ``1`` up to their number, and ``final``, the last one normalised.

    Source:
        Radford et al. 2022, "Robust speech recognition via large-scale weak supervision" (arXiv:2212.04356);
        ``openai/whisper-base``.

    Departures:
        Longer signals are refused, not cut.
    """

    model_class = "WhisperModel"
    row = "whisper"
    native_sample_rate: ClassVar[int | None] = whisper_log_mel.SAMPLE_RATE
    configuration: ClassVar[Mapping[str, Any]] = {
        "d_model": 512,
        "encoder_layers": 6,
        "encoder_attention_heads": 8,
        "encoder_ffn_dim": 2048,
        "decoder_layers": 6,
        "decoder_attention_heads": 8,
        "decoder_ffn_dim": 2048,
    }
    source = "Radford et al. 2022 (arXiv:2212.04356); openai/whisper-base"

    @staticmethod
    def layers(config: Any) -> dict[str, str]:
        """The input of the first block, the blocks, and the last norm."""
        blocks = {str(number): f"layers.{number - 1}" for number in range(1, config.encoder_layers + 1)}
        return {"0": "layers.0", **blocks, "final": "layer_norm"}

    def stopped(self, network: nn.Module, module: str) -> nn.Module:
        """The encoder alone."""
        encoder = network.get_submodule("encoder")
        return LayerOf(encoder, module, at_input=self.layer == "0")

    def prepare(self, model: HubModel) -> None:
        """Make the front end."""
        config: Any = model.network.config
        self._frame = 2 * whisper_log_mel.HOP_LENGTH
        samples = self._frame * config.max_source_positions
        self.front_end = whisper_log_mel.WhisperLogMel(n_mels=config.num_mel_bins, samples=samples)

    @property
    def own_min_samples(self) -> int:
        """Any signal makes a frame."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, frames, features)``."""
        self.check_length(signal, self.front_end.samples)
        activations: Tensor = self.network.at(signal)(self.front_end(signal))
        return activations[:, : -(-signal.shape[-1] // self._frame)]


class Ast(SpectrogramModel):
    """The Audio Spectrogram Transformer over patches of 16×16 of Kaldi's filter bank (see :class:`SpectrogramModel`).

    The spectrogram is continued by zeros to 10.24 s, as published, before it is normalised by AudioSet's mean and twice
    its deviation. Its layers are ``0`` (embedded patches), ``1`` up to their number, and ``final``, the last one
    normalised; the first two tokens are not patches.

    Source:
        Gong, Chung & Glass 2021, "AST" (arXiv:2104.01778); ``MIT/ast-finetuned-audioset-10-10-0.4593``.

    Departures:
        Longer signals are refused, not cut.
    """

    model_class = "ASTModel"
    row = "ast"
    native_sample_rate: ClassVar[int | None] = kaldi_fbank.SAMPLE_RATE
    source = "Gong, Chung & Glass 2021 (arXiv:2104.01778); MIT/ast-finetuned-audioset-10-10-0.4593"

    @staticmethod
    def layers(config: Any) -> dict[str, str]:
        """The embedded patches, the blocks, and the last norm."""
        blocks = {str(number): f"layers.{number - 1}" for number in range(1, config.num_hidden_layers + 1)}
        return {"0": "embeddings", **blocks, "final": "layernorm"}

    def prepare(self, model: HubModel) -> None:
        """Make the front end."""
        config: Any = model.network.config
        self.front_end = kaldi_fbank.KaldiFbank(n_mels=config.num_mel_bins)
        self._frames: int = config.max_length
        self._mean: float = model.settings.get("mean", -4.2677393)
        self._deviation: float = model.settings.get("std", 4.5689974)

    @property
    def own_min_samples(self) -> int:
        """One frame."""
        return kaldi_fbank.WINDOW_LENGTH

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, tokens, features)``."""
        self.check_length(signal, kaldi_fbank.samples_of(self._frames))
        spectrogram = self.front_end(signal)
        padded = nn.functional.pad(spectrogram, (0, 0, 0, self._frames - spectrogram.shape[1]))
        activations: Tensor = self.network.at(signal)((padded - self._mean) / (2 * self._deviation))
        return activations


class Clap(SpectrogramModel):
    """CLAP's audio side, a Swin transformer over log mels of 10 s (see :class:`SpectrogramModel`).

    The signal is repeated as often as it fits. Its layers are ``0`` (embedded patches), ``1`` to ``4`` (the stages),
    and ``final``, the last one normalised.

    Source:
        Wu et al. 2023, "Large-scale contrastive language-audio pretraining" (arXiv:2211.06687);
        ``laion/clap-htsat-unfused``.

    Departures:
        Longer signals are refused, not cut at random. Models that fuse several cuts are refused.
    """

    model_class = "ClapAudioModelWithProjection"
    row = "clap"
    native_sample_rate: ClassVar[int | None] = clap_log_mel.SAMPLE_RATE
    source = "Wu et al. 2023 (arXiv:2211.06687); laion/clap-htsat-unfused"

    @staticmethod
    def adapt_configuration(config: dict[str, Any]) -> dict[str, Any]:
        """The audio side's configuration in that of the whole."""
        if config.get("model_type") == "clap":
            config = {**config["audio_config"], "model_type": "clap_audio_model"}
        if config.get("enable_fusion"):
            raise ValueError("this CLAP fuses several cuts of a signal, at random; take one that does not (unfused)")
        return config

    @staticmethod
    def layers(config: Any) -> dict[str, str]:
        """The embedded patches, the stages, and the last norm."""
        encoder = "audio_model.audio_encoder"
        stages = {str(number + 1): f"{encoder}.layers.{number}" for number in range(len(config.depths))}
        return {"0": f"{encoder}.patch_embed", **stages, "final": f"{encoder}.norm"}

    def prepare(self, model: HubModel) -> None:
        """Make the front end."""
        config: Any = model.network.config
        self.front_end = clap_log_mel.ClapLogMel(
            n_mels=config.num_mel_bins,
            fmin=float(model.settings.get("frequency_min", 50)),
            fmax=float(model.settings.get("frequency_max", 14000)),
        )

    @property
    def own_min_samples(self) -> int:
        """Any signal can be repeated."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 48 kHz to ``(batch, patches, features)``."""
        self.check_length(signal, clap_log_mel.MAX_SAMPLES)
        activations: Tensor = self.network.at(signal)(self.front_end(signal).unsqueeze(1))
        return activations
