"""Stacks of dilated residual blocks, and their transposes with tied weights.

A block is ``ReLU(BN(conv(x; k×k, dilation d)) + BN(conv(x; 1×1)))``, stride 1: its output has its input's size. The
transposed block exchanges its inputs' and outputs' maps and mirrors its kernels; the weights are the encoder's, the
batch normalisation is its own. Convolutions have no bias, since batch normalisation would remove it.

Shapes: ``(batch, maps, time, frequency)``.

Source: Grachten, Lattner & Deruty 2020, 4.4.1 and Figure 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Dilation = tuple[int, int]
"""Along time and along frequency."""


class ResidualBlock(nn.Module):
    """One block of an encoder.

    Args:
        inputs: maps that come in.
        maps: maps that go out.
        kernel: of the dilated convolution, along both axes; odd.
        dilation: of the dilated convolution.
    """

    def __init__(self, *, inputs: int, maps: int, kernel: int, dilation: Dilation) -> None:
        super().__init__()
        self.dilation = dilation
        self.weight = nn.Parameter(torch.empty(maps, inputs, kernel, kernel))
        self.shortcut = nn.Parameter(torch.empty(maps, inputs, 1, 1))
        self.norm = nn.BatchNorm2d(maps)
        self.shortcut_norm = nn.BatchNorm2d(maps)
        for weight in (self.weight, self.shortcut):
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))  # torch's own choice for a convolution

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, time, frequency)`` to ``(batch, maps, time, frequency)``."""
        convolved = _convolve(x, self.weight, self.dilation)
        return F.relu(self.norm(convolved) + self.shortcut_norm(F.conv2d(x, self.shortcut)))


class TransposedBlock(nn.Module):
    """The transpose of a block: it has batch normalisation of its own, and no weights.

    Args:
        maps: maps that go out (the tied block's ``inputs``).
        activation: whether a ReLU follows; not after the last block, whose output is a magnitude's logarithm.
    """

    def __init__(self, *, maps: int, activation: bool) -> None:
        super().__init__()
        self.activation = activation
        self.norm = nn.BatchNorm2d(maps)
        self.shortcut_norm = nn.BatchNorm2d(maps)

    def forward(self, x: Tensor, tied: ResidualBlock) -> Tensor:
        """The way back through ``tied``: as many maps as it takes in."""
        # A transposed convolution of stride 1 is a convolution with mirrored kernels, which is faster on a CPU.
        convolved = _convolve(x, tied.weight.transpose(0, 1).flip(2, 3), tied.dilation)
        summed = self.norm(convolved) + self.shortcut_norm(F.conv2d(x, tied.shortcut.transpose(0, 1)))
        return F.relu(summed) if self.activation else summed


class Encoder(nn.Module):
    """A stack of blocks.

    Args:
        inputs: maps that come in.
        maps: maps of every block.
        kernel: of every block; odd.
        dilations: of each block, along time and frequency.
    """

    def __init__(self, *, inputs: int, maps: int, kernel: int, dilations: Sequence[Dilation]) -> None:
        super().__init__()
        self.inputs, self.maps = inputs, maps
        self.blocks = nn.ModuleList(
            ResidualBlock(inputs=maps if index else inputs, maps=maps, kernel=kernel, dilation=dilation)
            for index, dilation in enumerate(dilations)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, time, frequency)`` to ``(batch, maps, time, frequency)``."""
        for block in self.stack:
            x = block(x)
        return x

    @property
    def stack(self) -> list[ResidualBlock]:
        """The blocks, the first first."""
        return [cast(ResidualBlock, block) for block in self.blocks]


class Decoder(nn.Module):
    """The transpose of an encoder, the last block first.

    Args:
        encoder: whose weights it uses; it is given again to :meth:`forward`, so that its weights belong to it alone.
        final_activation: whether the last block ends with a ReLU.
    """

    def __init__(self, encoder: Encoder, *, final_activation: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransposedBlock(maps=encoder.maps if index else encoder.inputs, activation=index > 0 or final_activation)
            for index in reversed(range(len(encoder.blocks)))
        )

    def forward(self, x: Tensor, tied: Encoder) -> Tensor:
        """``(batch, maps, time, frequency)`` to ``(batch, inputs of the encoder, time, frequency)``."""
        for block, partner in zip(self.blocks, reversed(tied.stack), strict=True):
            x = block(x, partner)
        return x

    def start_output_at(self, mean: float, deviation: float) -> None:
        """Give the output a mean and a standard deviation."""
        last = cast(TransposedBlock, self.blocks[-1])
        for norm in (last.norm, last.shortcut_norm):  # they are added
            nn.init.constant_(norm.weight, deviation / math.sqrt(2))
            nn.init.constant_(norm.bias, mean / 2)


def _convolve(x: Tensor, weight: Tensor, dilation: Dilation) -> Tensor:
    """A convolution that keeps the size; ``weight`` is ``(maps, inputs, kernel, kernel)``."""
    reach = weight.shape[-1] // 2
    return F.conv2d(x, weight, padding=(reach * dilation[0], reach * dilation[1]), dilation=dilation)
