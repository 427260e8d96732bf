"""A recurrent layer that a signal's gradient passes on every device."""

from __future__ import annotations

from torch import nn


class DifferentiableLstm(nn.LSTM):
    """``nn.LSTM``, always in training mode: cuDNN differentiates it in no other. Without dropout the modes agree."""

    def train(self, mode: bool = True) -> DifferentiableLstm:
        """Stay in training mode."""
        del mode
        return super().train(True)
