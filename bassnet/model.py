"""The variational gated autoencoder: what a mix and its bass have in common becomes z; a mix and z become a bass.

``h = enc_z(enc_x(x) ⊙ enc_y(y))`` gives the mean and the log variance of z, and ``ŷ = dec_y(dec_z(z) ⊙ enc_x(x))``.
The decoders are the encoders' transposes with tied weights; a decoder of x is never needed.

Shapes: ``x`` and ``y`` are windows of log magnitudes ``(batch, channels, time, bins)``, a channel for each temporal
resolution (:mod:`.multiresolution`); z is one point a window, ``(batch, latent)``.

Source: Grachten, Lattner & Deruty 2020, 4.4 and Figure 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .config import CqtConfig, ModelConfig
from .dilations import dilations
from .heads import PitchHead, StepHead
from .residual import Decoder, Encoder


class Prediction(NamedTuple):
    """What the decoder says about the bass.

    Attributes:
        y: log magnitude, ``(batch, channels, time, bins)``.
        f0_logits: of the categorical distribution over the bins, ``(batch, channels, time, bins)``.
        level_logits: of the level in [0, 1], ``(batch, channels, time)``.
        onset_logits: of an onset, ``(batch, channels, time)``.
    """

    y: Tensor
    f0_logits: Tensor
    level_logits: Tensor
    onset_logits: Tensor


class Posterior(NamedTuple):
    """The normal distribution of z that a mix and a bass imply.

    Attributes:
        mu: mean, ``(batch, latent)``.
        log_variance: logarithm of its diagonal covariance, ``(batch, latent)``.
    """

    mu: Tensor
    log_variance: Tensor


class BassNet(nn.Module):
    """The model.

    Args:
        model: its sizes.
        cqt: the bins it works on.
    """

    def __init__(self, model: ModelConfig, cqt: CqtConfig) -> None:
        super().__init__()
        self.config, self.cqt = model, cqt
        by_axis = (dilations(size, blocks=model.blocks, kernel=model.kernel) for size in (model.window, cqt.bins))
        both = list(zip(*by_axis, strict=True))

        def encoder(inputs: int) -> Encoder:
            return Encoder(inputs=inputs, maps=model.maps, kernel=model.kernel, dilations=both)

        self.encoder_x, self.encoder_y = encoder(model.channels), encoder(model.channels)
        self.encoder_z = encoder(model.maps)
        self.decoder_z = Decoder(self.encoder_z, final_activation=True)
        self.decoder_y = Decoder(self.encoder_y, final_activation=False)
        features = model.maps * (1 if model.bottleneck == "mean" else model.window * cqt.bins)
        self.mu = nn.Linear(features, model.latent)
        self.log_variance = nn.Linear(features, model.latent)
        self.mu_transposed_bias = nn.Parameter(torch.zeros(features))
        self.pitch = PitchHead(bins_per_octave=cqt.bins_per_octave, octaves=model.head_octaves, maps=model.head_maps)
        self.level = StepHead(bins=cqt.bins, steps=model.head_steps, maps=model.head_maps)
        self.onset = StepHead(bins=cqt.bins, steps=model.head_steps, maps=model.head_maps)

    def start_output_at(self, mean: float, deviation: float) -> None:
        """Let the predicted log magnitude start with a mean and a standard deviation, by its batch normalisation.

        Otherwise Adam, whose steps are of one size, needs a thousand of them to get there.
        """
        self.decoder_y.start_output_at(mean, deviation)

    @property
    def window_shape(self) -> tuple[int, int, int]:
        """Channels, time steps and bins of a window."""
        return self.config.channels, self.config.window, self.cqt.bins

    def encode(self, x: Tensor, y: Tensor) -> Posterior:
        """The distribution of z, from windows ``(batch, channels, time, bins)`` of a mix and its bass.

        Raises:
            ValueError: if a window has another shape.
        """
        self._check(x)
        self._check(y)
        return self._posterior(self.encoder_x(x), y)

    def decode(self, x: Tensor, z: Tensor) -> Prediction:
        """The bass to a mix ``(batch, channels, time, bins)``, as ``z`` ``(batch, latent)`` would have it.

        Raises:
            ValueError: if a window or z has another shape.
        """
        self._check(x)
        if z.shape != (len(x), self.config.latent):
            raise ValueError(f"z must be shaped {(len(x), self.config.latent)}, got {tuple(z.shape)}")
        return self._predict(self.encoder_x(x), z)

    def forward(self, x: Tensor, y: Tensor, noise: Tensor, *, partners: bool) -> tuple[Posterior, Prediction]:
        """Encode and decode in one pass, which encodes every mix once.

        Args:
            x: windows of mixes, ``(batch, channels, time, bins)``.
            y: of their basses.
            noise: standard normal, ``(batch, latent)``; zero decodes from the mean.
            partners: decode window ``i`` from the z of window ``(i + batch/2) mod batch``, its partner, not its own.
        """
        mix = self.encoder_x(x)
        posterior = self._posterior(mix, y)
        z = posterior.mu + torch.exp(posterior.log_variance / 2) * noise
        return posterior, self._predict(mix, z.roll(len(z) // 2, 0) if partners else z)

    def _posterior(self, mix: Tensor, y: Tensor) -> Posterior:
        maps = self.encoder_z(mix * self.encoder_y(y))
        # The mean of a 1×1 convolution is the linear map of the mean.
        features = maps.mean((2, 3)) if self.config.bottleneck == "mean" else maps.flatten(1)
        return Posterior(self.mu(features).float(), self.log_variance(features).float())

    def _predict(self, mix: Tensor, z: Tensor) -> Prediction:
        features = z @ self.mu.weight + self.mu_transposed_bias
        if self.config.bottleneck == "mean":
            maps = features[:, :, None, None].expand_as(mix)
        else:
            maps = features.view(mix.shape)
        y = self.decoder_y(self.decoder_z(maps, self.encoder_z) * mix, self.encoder_y)
        return Prediction(y, self.pitch(y), self.level(y), self.onset(y))

    def _check(self, window: Tensor) -> None:
        if window.ndim != 4 or window.shape[1:] != self.window_shape:
            raise ValueError(
                f"windows must be shaped (batch, {', '.join(map(str, self.window_shape))}) "
                f"(channels, time, bins), got {tuple(window.shape)}"
            )


def parameters_in(model: nn.Module) -> int:
    """How many numbers are learnt; tied weights count once."""
    return sum(math.prod(parameter.shape) for parameter in model.parameters())
