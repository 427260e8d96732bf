"""The log mel spectrogram of VGGish and YAMNet, in patches of 0.96 s."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .constant import Constant
from .stft import window_values

SAMPLE_RATE = 16000
PATCH_FRAMES = 96
MEL_BANDS = 64
_WINDOW_LENGTH, _HOP_LENGTH, _N_FFT = 400, 160, 512
_MEL_MIN_HZ, _MEL_MAX_HZ = 125.0, 7500.0


def _hertz_to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz / 700.0)


def mel_matrix() -> NDArray[np.float64]:
    """Triangles of height 1 that are straight on the mel scale (not in Hz), ``(257, 64)``."""
    lowest, highest = _hertz_to_mel(np.array([_MEL_MIN_HZ, _MEL_MAX_HZ]))
    edges = np.linspace(lowest, highest, MEL_BANDS + 2)
    mels = _hertz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, _N_FFT // 2 + 1))[:, None]
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))


class AudioSetLogMel(nn.Module):
    """``ln(M|STFT| + log_offset)`` at 16 kHz, cut into patches of 96 frames.

    Windows of 25 ms (periodic Hann) every 10 ms, zero-padded to 512 points; magnitudes, not powers; 64 mel bands from
    125 to 7500 Hz. Frames and patches that do not fit are left out.

    Args:
        log_offset: added before the logarithm: 0.01 for VGGish, 0.001 for YAMNet.
        patch_hop: frames from one patch to the next.

    Source:
        ``mel_features.py`` and ``vggish_params.py``, ``yamnet/features.py`` and ``params.py`` of
        github.com/tensorflow/models, research/audioset.
    """

    min_samples = _WINDOW_LENGTH + (PATCH_FRAMES - 1) * _HOP_LENGTH
    """What one patch takes: 15,600 samples, 0.975 s."""

    def __init__(self, *, log_offset: float, patch_hop: int = PATCH_FRAMES) -> None:
        super().__init__()
        self.log_offset = log_offset
        self.patch_hop = patch_hop
        self.hop_samples = patch_hop * _HOP_LENGTH
        self._window = Constant(window_values("hann", _WINDOW_LENGTH))
        self._mel = Constant(mel_matrix())

    def frames(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, frames, 64)``."""
        windowed = signal.unfold(-1, _WINDOW_LENGTH, _HOP_LENGTH) * self._window(signal)
        magnitude = torch.fft.rfft(windowed, _N_FFT).abs()
        return (magnitude @ self._mel(signal) + self.log_offset).log()

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, patches, 96, 64)``."""
        return self.frames(signal).unfold(1, PATCH_FRAMES, self.patch_hop).transpose(-1, -2)
