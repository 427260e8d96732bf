"""Feature matching: the difference of two signals in the eyes of a vocoder's discriminators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from .checkpoints import load_state, randomly, read_checkpoint, state_sha256
from .discriminators import HifiganDiscriminators, MelganDiscriminators, discriminator_state
from .neural import NeuralDistance
from .weights import WeightsUnavailableError, file_sha256

Discriminators = Literal["melgan", "hifigan"]
"""Whose: three of several rates, or five of several periods and three of several rates."""

_LAYERS: Mapping[str, tuple[int, ...]] = {"melgan": (6, 6, 6), "hifigan": (6, 6, 6, 6, 6, 8, 8, 8)}
"""How many layers of each discriminator are compared: MelGAN's without the score, HiFi-GAN's with it."""
_WEIGHTS: Mapping[str, float] = {"melgan": 4 / 5 / 3, "hifigan": 2.0}
"""Of the sum over layers: MelGAN's is divided by four more than its discriminators' depth, and by their number."""
_MIN_SAMPLES = 32
"""What the coarsest of MelGAN's needs to mirror its edges; more than HiFi-GAN's need."""


class FeatureMatching(NeuralDistance):
    """``d = w Σ_k Σ_l mean |D_k,l(prediction) − D_k,l(target)|``: the feature matching loss of MelGAN or HiFi-GAN.

    ``D_k,l`` is layer ``l`` of discriminator ``k``. MelGAN leaves out the scores and has ``w = 4/(5·3)``; HiFi-GAN has
    the scores among the layers, and ``w = 2``.

    Args:
        sample_rate: in Hz.
        discriminators: ``melgan`` or ``hifigan``; both were published for 22,050 Hz.
        layer: ``all`` for the sum above, or one layer as ``k.l``, both from 1.
        weights: path of a checkpoint: melgan-neurips' ``netD.pt``, HiFi-GAN's ``do_…``, or one trained here
            (:mod:`~tonedeaf.losses.discriminator_training`).
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or the file cannot be used.
        WeightsUnavailableError: if no weights are given: none are published at an address of their own.

    Source:
        Kumar et al. 2019, "MelGAN" (arXiv:1910.06711); Kong, Kim & Bae 2020, "HiFi-GAN" (arXiv:2010.05646).
    """

    native_sample_rate = 22050
    source = "Kumar et al. 2019 (arXiv:1910.06711); Kong, Kim & Bae 2020 (arXiv:2010.05646)"
    network_types: ClassVar[Mapping[str, Callable[[], nn.Module]]] = {
        "melgan": MelganDiscriminators,
        "hifigan": HifiganDiscriminators,
    }

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        discriminators: Discriminators = "melgan",
        layer: str = "all",
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        if discriminators not in self.network_types:
            raise ValueError(f"discriminators must be one of {', '.join(self.network_types)}, got {discriminators!r}")
        counts = _LAYERS[discriminators]
        each = [f"{k}.{number}" for k, count in enumerate(counts, 1) for number in range(1, count + 1)]
        super().__init__(sample_rate=sample_rate, layer=layer, layers=["all", *each])
        self._counts, self._weight = counts, _WEIGHTS[discriminators] if layer == "all" else 1.0
        self.freeze(*_build(self.network_types[discriminators], weights, random_weights=random_weights))

    @property
    def own_min_samples(self) -> int:
        """What mirroring the edges takes."""
        return _MIN_SAMPLES

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 22,050 Hz to ``(batch, activations)``, each layer's divided by their number."""
        maps = self.network.at(signal)(signal)
        if self.layer == "all":
            chosen = [one for layers, count in zip(maps, self._counts, strict=True) for one in layers[:count]]
        else:
            discriminator, number = map(int, self.layer.split("."))
            chosen = [maps[discriminator - 1][number - 1]]
        return torch.cat([one.flatten(1) / one[0].numel() for one in chosen], dim=1)

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The weighted sum over layers of their mean absolute difference: ``(batch,)``."""
        return self._weight * (prediction - target).abs().sum(-1)


def _build(factory: Callable[[], nn.Module], weights: str, *, random_weights: bool) -> tuple[nn.Module, str]:
    if random_weights:
        if weights:
            raise ValueError(f"give weights or random_weights=true, not both: {weights!r}")
        network = randomly(factory)
        return network, state_sha256(network.state_dict())
    if not weights:
        raise WeightsUnavailableError(
            "needs a discriminator's checkpoint (MelGAN's netD.pt, HiFi-GAN's do_…, or one trained here): weights=PATH"
        )
    path = Path(weights)
    if not path.is_file():
        raise ValueError(f"there is no weights file {path}")
    network = factory()
    load_state(network, read_checkpoint(path), where=path, adapt=discriminator_state)
    return network, file_sha256(path)
