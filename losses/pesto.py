"""PESTO's activations as a distance."""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .neural import FrozenNetwork, NeuralDistance, Pooling
from .norms import Norm
from .torchaudio_import import import_torchaudio

BINS_PER_SEMITONE = 3
_LOWEST = 27.5
_TRANSFORM_BINS = 251
_TRANSFORM: dict[str, Any] = {
    "harmonics": [1],
    "fmin": _LOWEST,
    "fmax": None,
    "bins_per_semitone": BINS_PER_SEMITONE,
    "n_bins": _TRANSFORM_BINS,
    "center_bins": True,
    "gamma": 7,
}
_CROP = 16
"""Bins that are cut off at each end: the shifts that the network was trained with."""
_ENCODER: dict[str, Any] = {
    "n_chan_input": 1,
    "n_chan_layers": [40, 30, 30, 10, 3],
    "n_prefilt_layers": 3,
    "prefilt_kernel_size": 39,
    "residual": True,
    "n_bins_in": _TRANSFORM_BINS - 2 * _CROP,
    "output_dim": 128 * BINS_PER_SEMITONE,
    "activation_fn": "leaky",
    "a_lrelu": 0.3,
    "p_dropout": 0.2,
}
"""As in the checkpoint ``mir-1k_g7`` (its ``hparams`` and ``hcqt_params``)."""
_NEPERS = math.log(10) / 10
"""From decibels to the logarithm of the power, which is what the network is given."""


def _pesto(module: str) -> ModuleType:
    import_torchaudio()
    try:
        return importlib.import_module(f"pesto.{module}")
    except ImportError as error:
        raise ImportError("PESTO needs the package pesto: pip install pesto-pitch") from error


class PestoNetwork(nn.Module):
    """pesto's encoder, and the shift that makes its pitches absolute."""

    layers = ("features", "logits", "activations")

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _pesto("model").Resnet1d(**_ENCODER)
        self.shift = nn.Buffer(torch.zeros(()))
        self._shift_in_bins = 0

    def end_at(self, layer: str) -> PestoNetwork:
        """The network, its weights in place, without what comes after a layer."""
        self._shift_in_bins = round(float(self.shift) * BINS_PER_SEMITONE)  # once: reading it waits for a GPU
        if layer == "features":
            self.encoder.fc = nn.Identity()
        if layer != "activations":
            self.encoder.final_norm = nn.Identity()
        return self

    def forward(self, spectra: Tensor) -> Tensor:
        """Log-power spectra ``(n, 1, 219)`` to ``(n, 384)``, semitone thirds from MIDI number 0 on, or features."""
        outputs: Tensor = self.encoder(spectra)
        if isinstance(self.encoder.fc, nn.Identity):
            return outputs
        return outputs.roll(-self._shift_in_bins, -1)


def from_pesto(state: StateDict) -> StateDict:
    """The tensors of pesto's ``PESTO`` that decide the pitch: all but the classifier of confidence."""
    return {name: tensor for name, tensor in state.items() if not name.startswith("confidence.")}


class Pesto(NeuralDistance):
    """The norm of the difference of PESTO's activations, frame by frame.

    ``d = mean |E(prediction) − E(target)|``, with ``E`` what the pitch tracker PESTO makes of a frame of its
    variable-Q transform (3 bins a semitone, built for the signals' own sample rate). Its first layer normalises the
    spectrum in dB: the distance hardly hears levels.

    Args:
        sample_rate: in Hz.
        layer: ``activations``, the probabilities of 384 pitches (thirds of a semitone from MIDI number 0 on);
            ``logits``, before the softmax; or ``features``, before the last layer.
        hop_seconds: from frame to frame; pesto's own default is 10 ms.
        center: mirrored edges of half a filter's length, as in pesto; frames that fit if not.
        pooling: ``none`` or ``mean`` (over frames).
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over activations and frames in place of the sum.
        weights: a safetensors file of one's own with the names of pesto's ``mir-1k_g7``; empty for these.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, or ``weights`` cannot be used.
        ImportError: if the package pesto-pitch is not installed.
        WeightsUnavailableError: if its weights are not the expected ones.

    Source:
        Riou, Lattner, Hadjeres & Peeters 2023, "PESTO: Pitch Estimation with Self-supervised Transposition-equivariant
        Objective" (ISMIR, arXiv:2309.02265); pesto-pitch 2.0.1 (SonyCSLParis/pesto; LGPL), whose code is called.
    """

    source = "Riou, Lattner, Hadjeres & Peeters 2023, PESTO (arXiv:2309.02265); pesto-pitch 2.0.1"
    packages = ("pesto-pitch",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "activations",
        hop_seconds: float = 0.01,
        center: bool = False,
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            layer=layer,
            layers=PestoNetwork.layers,
            pooling=pooling,
            norm=norm,
            average=average,
        )
        highest = _LOWEST * 2 ** ((_TRANSFORM_BINS - 1) / (12 * BINS_PER_SEMITONE))
        if sample_rate <= 2 * highest:
            raise ValueError(f"PESTO needs a sample rate above {2 * highest:.0f} Hz, got {sample_rate:g}")
        if not hop_seconds * sample_rate >= 0.5:
            raise ValueError(f"hop_seconds must be at least one sample, got {hop_seconds}")
        self.center = center
        network, sha256 = build_network(
            PestoNetwork, "pesto", weights=weights, random_weights=random_weights, adapt=from_pesto
        )
        assert isinstance(network, PestoNetwork)
        self.freeze(network.end_at(layer), sha256)
        transform = _pesto("data").Preprocessor(
            hop_size=1000 * hop_seconds, sampling_rate=sample_rate, center=center, **_TRANSFORM
        )
        self.transform = FrozenNetwork(transform)
        self._filter_length = int(transform.hcqt_kernels.cqt_kernels[0].kernel_width)

    @property
    def own_min_samples(self) -> int:
        """The longest filter, or what can be mirrored for it at the edges."""
        return self._filter_length // 2 + 1 if self.center else self._filter_length

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` to ``(batch, frames, features)``."""
        decibels: Tensor = self.transform.at(signal)(signal)
        spectra = _NEPERS * decibels[..., _CROP:-_CROP]
        activations: Tensor = self.network.at(signal)(spectra.flatten(0, 1))
        return torch.unflatten(activations, 0, spectra.shape[:2])
