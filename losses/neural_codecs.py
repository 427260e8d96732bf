"""Neural audio codecs: what EnCodec, DAC and Mimi make of a signal before they quantise it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn

from .hub_models import LayerOf, build_hub_model
from .neural import NeuralDistance, Pooling
from .norms import Norm
from .recurrent import DifferentiableLstm


class NeuralCodec(NeuralDistance):
    """The norm of the difference of activations in a codec's encoder; quantising has no derivative, and is left out.

    Args:
        sample_rate: in Hz.
        layer: whose activations: ``1`` up to the number of the encoder's layers, or ``final``, the latents.
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
    pads_to_frames: ClassVar[bool] = False
    """Whether the signal is continued by silence to a whole number of frames before the encoder sees it."""
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
            adapt_configuration=self.check_configuration,
        )
        encoder = with_differentiable_lstms(model.network.get_submodule("encoder"))
        layers = self.layers(encoder)
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=list(layers), pooling=pooling, norm=norm, average=average
        )
        config: Any = model.network.config
        self._multiple: int = config.hop_length if self.pads_to_frames else 1
        self._time_last = "transformer" not in layers[layer]
        self.freeze(LayerOf(encoder, layers[layer]), model.sha256)

    @classmethod
    def check_configuration(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration itself, if it is that of a mono model at :attr:`native_sample_rate`."""
        rate, channels = config.get("sampling_rate", cls.native_sample_rate), config.get("audio_channels", 1)
        if (rate, channels) != (cls.native_sample_rate, 1):
            raise ValueError(
                f"{cls.__name__} takes mono models at {cls.native_sample_rate} Hz, "
                f"this one has {channels} channels at {rate} Hz"
            )
        return config

    @staticmethod
    def layers(encoder: nn.Module) -> dict[str, str]:
        """Layer name to the dotted name of its module, from the input on."""
        raise NotImplementedError

    @property
    def own_min_samples(self) -> int:
        """Any signal: it is padded to a frame."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at the codec's rate to ``(batch, frames, features)``."""
        padded = nn.functional.pad(signal, (0, -signal.shape[-1] % self._multiple))
        activations: Tensor = self.network.at(signal)(padded.unsqueeze(1))
        return activations.transpose(1, 2) if self._time_last else activations


def with_differentiable_lstms(network: nn.Module) -> nn.Module:
    """The network itself, its LSTMs replaced by such as cuDNN differentiates outside training."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.LSTM:
                if child.dropout:
                    raise ValueError(f"an LSTM with dropout {child.dropout:g} cannot be used outside training")
                lstm = DifferentiableLstm(child.input_size, child.hidden_size, child.num_layers)
                lstm.load_state_dict(child.state_dict())
                setattr(parent, name, lstm)
    return network


def _numbered(encoder: nn.Module, modules: str) -> list[str]:
    return [f"{modules}.{name}" for name, _ in encoder.get_submodule(modules).named_children()]


def _named(modules: list[str], final: str) -> dict[str, str]:
    return {**{str(number): module for number, module in enumerate(modules, 1)}, "final": final}


class Encodec(NeuralCodec):
    """EnCodec at 24 kHz: a causal convolutional encoder with an LSTM, 75 frames a second (see :class:`NeuralCodec`).

    Source:
        Défossez et al. 2022, "High fidelity neural audio compression" (arXiv:2210.13438); ``facebook/encodec_24khz``.
    """

    model_class = "EncodecModel"
    row = "encodec"
    native_sample_rate: ClassVar[int | None] = 24000
    source = "Défossez et al. 2022 (arXiv:2210.13438); facebook/encodec_24khz"

    @staticmethod
    def layers(encoder: nn.Module) -> dict[str, str]:
        """The modules of the encoder, in their order; the last one makes the latents."""
        modules = _numbered(encoder, "layers")
        return _named(modules, modules[-1])


class Dac(NeuralCodec):
    """The Descript Audio Codec at 44.1 kHz: convolutions with snake activations (see :class:`NeuralCodec`).

    The signal is continued by silence to a whole number of frames of 512 samples, as published. Layer ``1`` is the
    first convolution, then come the blocks.

    Source:
        Kumar et al. 2023, "High-fidelity audio compression with improved RVQGAN" (arXiv:2306.06546);
        ``descript/dac_44khz``.
    """

    model_class = "DacModel"
    row = "dac"
    native_sample_rate: ClassVar[int | None] = 44100
    pads_to_frames = True
    configuration: ClassVar[Mapping[str, Any]] = {"sampling_rate": 44100, "downsampling_ratios": [2, 4, 8, 8]}
    source = "Kumar et al. 2023 (arXiv:2306.06546); descript/dac_44khz"

    @staticmethod
    def layers(encoder: nn.Module) -> dict[str, str]:
        """The first convolution, the blocks, the last snake and the last convolution."""
        return _named(["conv1", *_numbered(encoder, "block"), "snake1", "conv2"], "conv2")


class Mimi(NeuralCodec):
    """Mimi: EnCodec's encoder, then a causal transformer, 12.5 frames a second (see :class:`NeuralCodec`).

    Its layers are those of the convolutional encoder, then the transformer's; ``final`` is the latents after both.

    Source:
        Défossez et al. 2024, "Moshi" (arXiv:2410.00037); ``kyutai/mimi``.
    """

    model_class = "MimiModel"
    row = "mimi"
    native_sample_rate: ClassVar[int | None] = 24000
    source = "Défossez et al. 2024 (arXiv:2410.00037); kyutai/mimi"

    @staticmethod
    def layers(encoder: nn.Module) -> dict[str, str]:
        """The convolutional modules, then the transformer's layers; the downsampling makes the latents."""
        convolutions = _numbered(encoder, "encoder_seanet.layers")
        return _named([*convolutions, *_numbered(encoder, "encoder_transformer.layers")], "downsample")
