"""A distance of one's own: rank it with ``tonedeaf rank ./examples/my_loss.py:MyLoss``."""

from torch import Tensor

from tonedeaf.losses import AudioDistance


class MyLoss(AudioDistance):
    """The mean absolute difference of the magnitudes of two waveforms."""

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:  # (batch, samples) twice -> (batch,)
        return (prediction.abs() - target.abs()).abs().mean(-1)
