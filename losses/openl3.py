"""OpenL3: a network that learnt which sound goes with which picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

from .checkpoints import build_network
from .neural import NeuralDistance, Pooling
from .norms import Norm
from .openl3_front_end import SAMPLE_RATE, InputRepresentation, Kapre, OpenL3FrontEnd, seconds_of
from .openl3_network import LAYERS, OpenL3Network, openl3_state, read_openl3

ContentType = Literal["music", "env"]
"""What the network was trained on: videos of music, or of the environment."""
EmbeddingSize = Literal[512, 6144]

_POOLS: dict[tuple[str, int], tuple[int, int]] = {
    ("linear", 512): (32, 24),
    ("linear", 6144): (8, 8),
    ("mel128", 512): (16, 24),
    ("mel128", 6144): (4, 8),
    ("mel256", 512): (32, 24),
    ("mel256", 6144): (8, 8),
}


class OpenL3(NeuralDistance):
    """The norm of the difference of two signals' OpenL3 activations, second by second.

    The input is in decibels under each second's maximum (see
    :class:`~tonedeaf.losses.openl3_front_end.OpenL3FrontEnd`): by construction it does not hear level.

    Args:
        sample_rate: in Hz.
        input_representation: ``linear``, ``mel128`` or ``mel256``.
        content_type: trained on ``music`` or ``env``.
        embedding_size: 512 or 6144 numbers a second, by maxima over larger or smaller areas of one map.
        kapre: ``0.1.4`` for the input that the network was trained with, ``0.3`` for that of openl3 0.4.
        hop_seconds: from one second to the next, in seconds.
        center: half a second of silence comes first; without it, signals shorter than a second are followed by silence.
        layer: whose activations: ``conv2d_1`` to ``conv2d_7``, ``audio_embedding_layer`` or ``embedding``.
        pooling: ``none`` compares second by second, ``mean`` the mean over them.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: path of a file of one's own, Keras' ``.h5`` or torchopenl3's ``.pth.tar``; empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or a file of one's own cannot be used.
        WeightsUnavailableError: if the weights are not here.

    Source:
        Cramer, Wu, Salamon & Bello 2019, "Look, listen, and learn more" (ICASSP); github.com/marl/openl3.

    Departures:
        Resampling is ours.
    """

    native_sample_rate = SAMPLE_RATE
    source = "Cramer et al. 2019 (ICASSP); github.com/marl/openl3"
    network_type: Callable[..., OpenL3Network] = OpenL3Network

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        input_representation: InputRepresentation = "mel256",
        content_type: ContentType = "music",
        embedding_size: EmbeddingSize = 6144,
        kapre: Kapre = "0.1.4",
        hop_seconds: float = 0.1,
        center: bool = True,
        layer: str = "embedding",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=LAYERS, pooling=pooling, norm=norm, average=average
        )
        self.front_end = OpenL3FrontEnd(input_representation=input_representation, kapre=kapre)
        if content_type not in get_args(ContentType):
            raise ValueError(f"content_type must be one of {', '.join(get_args(ContentType))}, got {content_type!r}")
        if embedding_size not in get_args(EmbeddingSize):
            raise ValueError(f"embedding_size must be 512 or 6144, got {embedding_size}")
        if not hop_seconds * SAMPLE_RATE >= 1:
            raise ValueError(f"hop_seconds must be at least a sample at {SAMPLE_RATE} Hz, got {hop_seconds}")
        self.hop_length, self.center = int(hop_seconds * SAMPLE_RATE), center
        pool = _POOLS[input_representation, embedding_size]
        self.freeze(
            *build_network(
                lambda: type(self).network_type(pool=pool),
                f"openl3_{input_representation}_{content_type}",
                weights=weights,
                random_weights=random_weights,
                read=read_openl3,
                adapt=openl3_state,
            )
        )

    @property
    def own_min_samples(self) -> int:
        """Any signal makes a second: see above."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 48 kHz to ``(batch, seconds, …)``."""
        seconds = seconds_of(signal, hop_length=self.hop_length, center=self.center)
        activations: Tensor = self.network.at(signal)(self.front_end(seconds.flatten(0, 1)), self.layer)
        return activations.unflatten(0, seconds.shape[:2])
