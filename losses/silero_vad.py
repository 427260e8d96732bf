"""The features of Silero's voice activity detector as a distance."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .neural import NeuralDistance, Pooling
from .norms import Norm
from .recurrent import DifferentiableLstm

_SAMPLE_RATE = 16000
_CHUNK, _CONTEXT = 512, 64
"""Samples that are new to a step, and those of the step before that it sees once more."""
_N_FFT, _HOP = 256, 128
_BINS = _N_FFT // 2 + 1
_CONVOLUTIONS = ((_BINS, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1))


class SileroNetwork(nn.Module):
    """A learned spectrum, four convolutions along time, a recurrent layer and a sigmoid; one step every 32 ms.

    Source:
        snakers4/silero-vad 6.2.3: names, sizes and order as in ``TinySileroVAD``, which is given there for
        ``silero_vad_16k.safetensors``.
    """

    layers = ("spectrum", "conv1", "conv2", "conv3", "conv4", "lstm", "speech")

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, _N_FFT, _HOP, bias=False)
        for number, (inputs, outputs, stride) in enumerate(_CONVOLUTIONS, start=1):
            self.add_module(f"conv{number}", nn.Conv1d(inputs, outputs, 3, stride, padding=1))
        self.lstm = DifferentiableLstm(128, 128, batch_first=True)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, chunks: Tensor, layer: str) -> Tensor:
        """``(batch, steps, 576)``, context first, to a layer's activations ``(batch, steps, features)``."""
        batch, steps, _ = chunks.shape
        padded = F.pad(chunks.flatten(0, 1), (0, _CONTEXT), mode="reflect")
        parts = self.stft_conv(padded.unsqueeze(1)).unflatten(1, (2, _BINS))
        activations = torch.linalg.vector_norm(parts, dim=1)  # its gradient at silence is 0
        for name in self.layers[:5]:
            if name != "spectrum":
                activations = self.get_submodule(name)(activations).relu()
            if name == layer:
                return activations.flatten(1).unflatten(0, (batch, steps))
        hidden: Tensor = self.lstm(activations.squeeze(-1).unflatten(0, (batch, steps)))[0]
        if layer == "lstm":
            return hidden
        speech: Tensor = self.final_conv(hidden.relu().transpose(1, 2)).sigmoid().transpose(1, 2)
        return speech


def from_silero(state: StateDict) -> StateDict:
    """The weights of silero's recurrent cell as those of a layer that runs over all steps at once."""
    return {
        name.replace("lstm_cell.", "lstm.") + ("_l0" if name.startswith("lstm_cell.") else ""): tensor
        for name, tensor in state.items()
    }


class SileroVad(NeuralDistance):
    """The norm of the difference of a voice activity detector's features, step by step of 32 ms.

    ``d = mean |E(prediction) − E(target)|`` with ``E`` a layer of Silero VAD at 16 kHz: small, free, and trained on
    speech in a hundred languages and much noise.

    Args:
        sample_rate: in Hz, a whole number.
        layer: ``spectrum`` (magnitudes of a learned transform), ``conv1`` … ``conv4``, ``lstm`` (the state from which
            the decision is made), or ``speech`` (its probability).
        pooling: ``none`` or ``mean`` (over steps).
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over activations and steps in place of the sum.
        weights: a safetensors file of one's own with silero's names; empty for silero's.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if silero-vad's weights are not here.

    Source:
        snakers4/silero-vad 6.2.3 (MIT).

    Departures:
        Samples after the last whole step are dropped, not filled up with zeros.
    """

    source = "Silero VAD (Silero Team 2024); snakers4/silero-vad 6.2.3"
    native_sample_rate: ClassVar[int | None] = _SAMPLE_RATE
    packages = ("silero-vad",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "lstm",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            layer=layer,
            layers=SileroNetwork.layers,
            pooling=pooling,
            norm=norm,
            average=average,
        )
        network, sha256 = build_network(
            SileroNetwork, "silero_vad", weights=weights, random_weights=random_weights, adapt=from_silero
        )
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """One step."""
        return _CHUNK

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, steps, features)``."""
        chunks = F.pad(signal, (_CONTEXT, 0)).unfold(-1, _CONTEXT + _CHUNK, _CHUNK)
        activations: Tensor = self.network.at(signal)(chunks, self.layer)
        return activations
