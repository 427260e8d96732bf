"""Resemblyzer's voice embedding as a distance."""

from __future__ import annotations

import math
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints import StateDict, build_network
from .mel import MelFilterBank
from .neural import NeuralDistance
from .norms import Norm
from .recurrent import DifferentiableLstm
from .stft import Stft

_SAMPLE_RATE = 16000
_N_FFT, _HOP, _N_MELS = 400, 160, 40
_SIZE = 256
_WINDOW_FRAMES = 160
"""Frames of a partial utterance: 1.6 s."""
_STEP_FRAMES = 77
"""From one to the next: 1.3 a second."""
_LEAST_COVERAGE = 0.75
"""Share of the last partial utterance that the signal must fill, for it to count."""


class ResemblyzerNetwork(nn.Module):
    """Three recurrent layers over the mel spectrogram of 1.6 s, and a linear one.

    Source:
        Wan, Wang, Papir & Moreno 2018 (arXiv:1710.10467); names and sizes as in resemblyzer 0.1.4, ``VoiceEncoder``.
    """

    layers = ("lstm", "embedding")

    def __init__(self) -> None:
        super().__init__()
        self.lstm = DifferentiableLstm(_N_MELS, _SIZE, 3, batch_first=True)
        self.linear = nn.Linear(_SIZE, _SIZE)

    def forward(self, spectra: Tensor, layer: str) -> Tensor:
        """``(n, 160, 40)`` to ``(n, 256)``: the last state, or the embedding, of length 1."""
        state: Tensor = self.lstm(spectra)[1][0][-1]
        return state if layer == "lstm" else F.normalize(self.linear(state).relu(), dim=-1)


def from_resemblyzer(content: dict[str, StateDict]) -> StateDict:
    """The network's tensors in resemblyzer's checkpoint: all but the two of the loss it was trained with."""
    return {name: tensor for name, tensor in content["model_state"].items() if not name.startswith("similarity_")}


def partial_utterances(samples: int) -> list[int]:
    """The first frames of the parts of 1.6 s that a signal of so many samples is divided into."""
    frames = math.ceil((samples + 1) / _HOP)
    starts = list(range(0, max(1, frames - _WINDOW_FRAMES + _STEP_FRAMES + 1), _STEP_FRAMES))
    last = starts[-1] * _HOP
    coverage = (samples - last) / (_WINDOW_FRAMES * _HOP)
    return starts[:-1] if coverage < _LEAST_COVERAGE and len(starts) > 1 else starts


class Resemblyzer(NeuralDistance):
    """The norm of the difference of two voice embeddings.

    ``d = ‖E(prediction) − E(target)‖`` with ``E`` the mean, scaled to length 1, of the embeddings of 1.6 s at a time;
    shorter signals are continued by zeros. Powers in 40 mel bands at 16 kHz, without a logarithm, go in.

    Args:
        sample_rate: in Hz, a whole number.
        layer: ``embedding``, or ``lstm``, the last state that it is made from.
        norm: ``l2``, ``l1`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: a checkpoint of one's own in resemblyzer's format; empty for resemblyzer's.
        random_weights: a network that was never trained.

    Raises:
        ValueError: if a parameter is out of its range, the sample rate is not whole, or ``weights`` cannot be used.
        WeightsUnavailableError: if resemblyzer's weights are not here. ``pip install --no-deps resemblyzer`` brings
            them: only the file is read, so that what the package itself needs is not needed.

    Source:
        Wan, Wang, Papir & Moreno 2018, "Generalized End-to-End Loss for Speaker Verification" (arXiv:1710.10467);
        resemble-ai/Resemblyzer 0.1.4 (Apache 2.0).

    Departures:
        Resemblyzer first makes quiet signals louder and cuts out silence; here both are left as they are.
    """

    source = "Wan, Wang, Papir & Moreno 2018 (arXiv:1710.10467); resemble-ai/Resemblyzer 0.1.4"
    native_sample_rate: ClassVar[int | None] = _SAMPLE_RATE
    packages = ("resemblyzer",)

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        layer: str = "embedding",
        norm: Norm = "l2",
        average: bool = False,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=ResemblyzerNetwork.layers, norm=norm, average=average
        )
        self.stft = Stft(n_fft=_N_FFT, hop_length=_HOP, padding="constant")
        self.mel = MelFilterBank(
            bins=_N_FFT // 2 + 1,
            sample_rate=_SAMPLE_RATE,
            n_mels=_N_MELS,
            fmin=0.0,
            fmax=_SAMPLE_RATE / 2,
            scale="slaney",
            equal_area=True,
        )
        network, sha256 = build_network(
            ResemblyzerNetwork, "resemblyzer", weights=weights, random_weights=random_weights, adapt=from_resemblyzer
        )
        self.freeze(network, sha256)

    @property
    def own_min_samples(self) -> int:
        """One window of the spectrogram."""
        return _N_FFT

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, 1, 256)``: the network looks at all of the signal."""
        starts = partial_utterances(signal.shape[-1])
        missing = (starts[-1] + _WINDOW_FRAMES) * _HOP - signal.shape[-1]
        spectrogram: Tensor = self.mel(self.stft(F.pad(signal, (0, max(0, missing)))))
        parts = spectrogram.unfold(1, _WINDOW_FRAMES, _STEP_FRAMES)[:, : len(starts)].transpose(2, 3)
        states: Tensor = self.network.at(signal)(parts.flatten(0, 1), self.layer)
        mean = states.unflatten(0, parts.shape[:2]).mean(1, keepdim=True)
        return F.normalize(mean, dim=-1) if self.layer == "embedding" else mean
