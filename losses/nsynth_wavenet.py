"""NSynth's WaveNet autoencoder: its encoder, trained on single notes of a thousand instruments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoints import StateDict, build_network, read_checkpoint
from .neural import NeuralDistance, Pooling
from .norms import Norm
from .numpy_archive import read_archive
from .tensorflow_checkpoint import read_tensors

SAMPLE_RATE = 16000
_LAYERS = 30
_STAGES = 10
"""Dilations go from 1 to 2^9, three times."""
_POOL = 512
_BOTTLENECK = 16
_MU = 255

LAYERS = ("start", *(f"layer{number}" for number in range(1, _LAYERS + 1)), "bottleneck", "encoding")
"""From the input on; the encoding is the bottleneck's mean over 512 samples."""


class NsynthEncoder(nn.Module):
    """A convolution of 3 samples, 30 residual layers of dilated convolutions, a bottleneck of 16, means of 512 samples.

    Each residual layer adds ``W₁·relu(W₃ ∗ relu(x))``, with ``W₃`` of 3 samples dilated by 1, 2, … 512, and ``W₁`` of
    one sample; all see both sides, and end at zeros. The parameters have the names of magenta's checkpoint.

    Args:
        width: channels of the residual layers.
    """

    def __init__(self, *, width: int = 128) -> None:
        super().__init__()
        self.ae_startconv = nn.Conv1d(1, width, 3, padding=1)
        for number in range(1, _LAYERS + 1):
            dilation = 2 ** ((number - 1) % _STAGES)
            self.add_module(f"ae_dilatedconv_{number}", nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation))
            self.add_module(f"ae_res_{number}", nn.Conv1d(width, width, 1))
        self.ae_bottleneck = nn.Conv1d(width, _BOTTLENECK, 1)

    def forward(self, signal: Tensor, layer: str) -> Tensor:
        """``(batch, samples)``, a multiple of 512, to the activations of a layer, ``(batch, frames, features)``."""
        x: Tensor = self.ae_startconv(signal.unsqueeze(1))
        stop = LAYERS.index(layer)
        for number in range(1, min(stop, _LAYERS) + 1):
            dilated = self.get_submodule(f"ae_dilatedconv_{number}")(x.relu())
            x = x + self.get_submodule(f"ae_res_{number}")(dilated.relu())
        if stop > _LAYERS:
            x = self.ae_bottleneck(x)
        if layer == "encoding":
            x = nn.functional.avg_pool1d(x, _POOL)
        return x.transpose(1, 2)


def read_nsynth(path: Path) -> Any:
    """The encoder's variables in TensorFlow's checkpoint (``.index`` or ``.tar``), NumPy's ``.npz``, or a state dict.

    In an ``.npz``, arrays have the names and shapes of the checkpoint's variables (``ae_startconv/W``, …).

    Raises:
        ValueError: if the file cannot be read.
    """
    if path.suffix in (".index", ".tar"):
        return read_tensors(path, lambda name: name.startswith("ae_") and name.endswith(("/W", "/biases")))
    if path.suffix != ".npz":
        return read_checkpoint(path)
    return read_archive(path)


def nsynth_state(content: Mapping[str, Any]) -> StateDict:
    """The state of :class:`NsynthEncoder` from what :func:`read_nsynth` returned.

    TensorFlow's kernels are ``(1, samples, before, after)``, PyTorch's ``(after, before, samples)``.
    """
    state: dict[str, Tensor] = {}
    for name, value in content.items():
        module, _, part = name.partition("/")
        tensor = torch.as_tensor(np.array(value)) if isinstance(value, np.ndarray) else value
        if part == "W":
            state[f"{module}.weight"] = tensor.squeeze(0).permute(2, 1, 0).contiguous()
        else:
            state[f"{module}.bias" if part else name] = tensor
    return state


def mu_law(signal: Tensor) -> Tensor:
    """``sign(x)·ln(1 + 255|x|)/ln 256``, of any shape; its derivative is right at 0 as well."""
    magnitude = signal.abs().clamp(min=1e-9)
    return signal * (_MU * magnitude).log1p() / magnitude / math.log1p(_MU)


class NsynthWavenet(NeuralDistance):
    """The norm of the difference of two signals' NSynth encodings, one every 32 ms.

    The network was trained on 8-bit mu-law codes; rounding to them has no derivative. By default the signal goes
    through the same curve, and is not rounded.

    Samples after the last whole frame of 512 are left out, as published.

    Args:
        sample_rate: in Hz.
        rescale: ``sign(x)·ln(1 + 255|x|)/ln 256`` first; without it, the waveform as it is.
        quantise: round down to 8 bits after that, as published: then the distance is not differentiable.
        layer: whose activations: ``start``, ``layer1`` to ``layer30``, ``bottleneck`` or ``encoding``.
        pooling: ``none`` compares frame by frame, ``mean`` the mean over frames.
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the activations in place of the sum.
        weights: path of a checkpoint of one's own (see :func:`read_nsynth`); empty for the table's.
        random_weights: weights at random, for tests; nothing is looked for.

    Raises:
        ValueError: if a parameter is not one of those allowed, or a file of one's own cannot be used.
        WeightsUnavailableError: if the weights are not here.

    Source:
        Engel et al. 2017, "Neural audio synthesis of musical notes with WaveNet autoencoders" (arXiv:1704.01279);
        ``wavenet/h512_bo16.py`` of github.com/magenta/magenta, magenta/models/nsynth. ``rescale=false`` is magenta's
        ``rescale_inputs=False``.

    Departures:
        Resampling is ours, and so is leaving out the rounding.
    """

    native_sample_rate = SAMPLE_RATE
    source = "Engel et al. 2017 (arXiv:1704.01279); magenta/models/nsynth/wavenet"
    network_type: Callable[[], NsynthEncoder] = NsynthEncoder

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        rescale: bool = True,
        quantise: bool = False,
        layer: str = "encoding",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
        random_weights: bool = False,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate, layer=layer, layers=LAYERS, pooling=pooling, norm=norm, average=average
        )
        if quantise and not rescale:
            raise ValueError("quantise=true rounds mu-law codes: it needs rescale=true")
        self.rescale, self.quantise = rescale, quantise
        self.differentiable = not quantise  # pyright: ignore[reportAttributeAccessIssue]
        self.freeze(
            *build_network(
                self.network_type,
                "nsynth_wavenet",
                weights=weights,
                random_weights=random_weights,
                read=read_nsynth,
                adapt=nsynth_state,
            )
        )

    @property
    def own_min_samples(self) -> int:
        """One frame."""
        return _POOL

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, frames, features)``."""
        whole = signal[:, : signal.shape[-1] // _POOL * _POOL]
        if self.rescale:
            whole = mu_law(whole)
        if self.quantise:
            whole = (whole * 128).floor() / 128
        activations: Tensor = self.network.at(signal)(whole, self.layer)
        return activations
