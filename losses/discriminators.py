"""The discriminators of MelGAN and HiFi-GAN: networks that learnt to tell recorded sound from generated sound."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoints import StateDict

Maps = list[Tensor]
"""Feature maps, each ``(batch, features, …)``, the score last."""


class MelganScale(nn.Module):
    """One of MelGAN's discriminators: strided, grouped convolutions of the waveform.

    Args:
        channels: of the first layer; each of the four that follow has four times as many, up to a limit.
        most_channels: the limit.
    """

    def __init__(self, *, channels: int, most_channels: int) -> None:
        super().__init__()
        sizes = [min(channels * 4**power, most_channels) for power in range(5)]
        convolutions: list[nn.Module] = [nn.Sequential(nn.ReflectionPad1d(7), nn.Conv1d(1, channels, 15))]
        convolutions += [
            nn.Sequential(nn.Conv1d(before, after, 41, 4, padding=20, groups=before // 4))
            for before, after in pairwise(sizes)
        ]
        widest = min(sizes[-1] * 2, most_channels)
        convolutions += [nn.Sequential(nn.Conv1d(sizes[-1], widest, 5, padding=2)), nn.Conv1d(widest, 1, 3, padding=1)]
        self.model = nn.ModuleDict({f"layer_{number}": layer for number, layer in enumerate(convolutions)})

    def forward(self, x: Tensor) -> Maps:
        """``(batch, 1, samples)`` to the maps of each layer, the score last."""
        maps: Maps = []
        for layer in self.model.values():
            x = layer(x)
            if isinstance(layer, nn.Sequential):
                x = nn.functional.leaky_relu(x, 0.2)
            maps.append(x)
        return maps


class MelganDiscriminators(nn.Module):
    """MelGAN's three discriminators, of the signal at full, half and quarter rate.

    The parameters have the names of melgan-neurips' ``netD.pt``, weight normalisation folded in.

    Args:
        channels: of each one's first layer.
        most_channels: of any layer.

    Source:
        Kumar et al. 2019, "MelGAN" (arXiv:1910.06711); ``mel2wav/modules.py`` of github.com/descriptinc/melgan-neurips.
    """

    def __init__(self, *, channels: int = 16, most_channels: int = 1024) -> None:
        super().__init__()
        self.model = nn.ModuleDict(
            {f"disc_{number}": MelganScale(channels=channels, most_channels=most_channels) for number in range(3)}
        )

    def forward(self, signal: Tensor) -> list[Maps]:
        """``(batch, samples)`` to each discriminator's maps."""
        x = signal.unsqueeze(1)
        found: list[Maps] = []
        for scale in self.model.values():
            found.append(scale(x))
            x = nn.functional.avg_pool1d(x, 4, 2, padding=1, count_include_pad=False)
        return found


class _Stack(nn.Module):
    """Convolutions, each followed by a leaky ReLU, and one for the score: HiFi-GAN's scheme."""

    def __init__(self, convolutions: list[nn.Module], score: nn.Module) -> None:
        super().__init__()
        self.convs = nn.ModuleList(convolutions)
        self.conv_post = score

    def forward(self, x: Tensor) -> Maps:
        """The signal as the convolutions take it, to the maps of each."""
        maps: Maps = []
        for layer in self.convs:
            x = nn.functional.leaky_relu(layer(x), 0.1)
            maps.append(x)
        return [*maps, self.conv_post(x)]


_PERIODS = (2, 3, 5, 7, 11)


class HifiganDiscriminators(nn.Module):
    """HiFi-GAN's eight: five of every 2nd, 3rd, 5th, 7th and 11th sample, three of full, half and quarter rate.

    The parameters have the names of a checkpoint ``do_…``, ``mpd.`` or ``msd.`` before them, weight and spectral
    normalisation folded in.

    Args:
        width: the published numbers of channels are multiplied by this.

    Source:
        Kong, Kim & Bae 2020, "HiFi-GAN" (arXiv:2010.05646); ``models.py`` of github.com/jik876/hifi-gan.
    """

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        wide = [max(16, int(width * channels)) for channels in (32, 128, 512, 1024, 1024)]
        self.mpd = nn.ModuleDict({"discriminators": nn.ModuleList([_periodic(wide) for _ in _PERIODS])})
        wide = [max(16, int(width * channels)) for channels in (128, 128, 256, 512, 1024, 1024, 1024)]
        self.msd = nn.ModuleDict({"discriminators": nn.ModuleList([_scaled(wide) for _ in range(3)])})

    def forward(self, signal: Tensor) -> list[Maps]:
        """``(batch, samples)`` to each discriminator's maps, the periods' first."""
        x = signal.unsqueeze(1)
        found: list[Maps] = []
        for period, stack in zip(_PERIODS, self.mpd.get_submodule("discriminators").children(), strict=True):
            whole = nn.functional.pad(x, (0, -x.shape[-1] % period), mode="reflect")
            found.append(stack(whole.unflatten(-1, (-1, period))))
        for number, stack in enumerate(self.msd.get_submodule("discriminators").children()):
            x = nn.functional.avg_pool1d(x, 4, 2, padding=2) if number else x
            found.append(stack(x))
        return found


def _periodic(channels: list[int]) -> _Stack:
    strides = (3, 3, 3, 3, 1)
    convolutions: list[nn.Module] = [
        nn.Conv2d(before, after, (5, 1), (stride, 1), padding=(2, 0))
        for stride, (before, after) in zip(strides, pairwise((1, *channels)), strict=True)
    ]
    return _Stack(convolutions, nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))


def _scaled(channels: list[int]) -> _Stack:
    shapes = ((15, 1, 1), (41, 2, 4), (41, 2, 16), (41, 4, 16), (41, 4, 16), (41, 1, 16), (5, 1, 1))
    convolutions: list[nn.Module] = [
        nn.Conv1d(before, after, kernel, stride, padding=kernel // 2, groups=groups)
        for (kernel, stride, groups), (before, after) in zip(shapes, pairwise((1, *channels)), strict=True)
    ]
    return _Stack(convolutions, nn.Conv1d(channels[-1], 1, 3, padding=1))


def discriminator_state(content: Mapping[str, Any]) -> StateDict:
    """A plain state dict from a checkpoint: the two parts of HiFi-GAN's under one, normalised weights multiplied out.

    Weight normalisation keeps ``weight_g`` and ``weight_v``: the weight is ``g·v/‖v‖``, by output channel. Spectral
    normalisation keeps ``weight_orig``, ``weight_u`` and ``weight_v``: the weight is ``W/(uᵀWv)``.
    """
    if "mpd" in content:
        content = {f"{part}.{name}": each for part in ("mpd", "msd") for name, each in content[part].items()}
    state: dict[str, Tensor] = {}
    for name, tensor in content.items():
        stem, _, kind = name.rpartition("weight_")
        if not stem:
            state[name] = tensor
        elif kind == "g":
            direction = content[f"{stem}weight_v"]
            length = torch.linalg.vector_norm(direction.flatten(1), dim=1).view(tensor.shape)
            state[f"{stem}weight"] = tensor * direction / length
        elif kind == "orig":
            left, right = content[f"{stem}weight_u"], content[f"{stem}weight_v"]
            state[f"{stem}weight"] = tensor / torch.dot(left, tensor.flatten(1) @ right)
    return state
