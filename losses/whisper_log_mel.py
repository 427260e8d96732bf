"""Whisper's input: the log mel spectrogram of 30 seconds, 80 dB below its maximum at most."""

from __future__ import annotations

from torch import Tensor, nn

from .constant import Constant
from .equal_area_mel import equal_area_mel
from .stft import Stft

SAMPLE_RATE = 16000
HOP_LENGTH = 160
_N_FFT = 400


class WhisperLogMel(nn.Module):
    """``(max(lg max(M|STFT|², 1e-10), L − 8) + 4) / 4``, with ``L`` the greatest logarithm.

    The signal is continued by silence to a fixed length; windows of 25 ms (Hann) every 10 ms, centred, the edges
    mirrored, the last one left out; Slaney's mels up to 8 kHz, equal area.

    Args:
        n_mels: 80, or 128 in large-v3.
        samples: the fixed length.

    Source:
        Radford et al. 2022 (arXiv:2212.04356); ``transformers.WhisperFeatureExtractor``.
    """

    def __init__(self, *, n_mels: int, samples: int) -> None:
        super().__init__()
        self.samples = samples
        self._stft = Stft(n_fft=_N_FFT, hop_length=HOP_LENGTH, padding="reflect")
        self._filters = Constant(
            equal_area_mel(
                n_fft=_N_FFT, sample_rate=SAMPLE_RATE, n_mels=n_mels, fmin=0.0, fmax=SAMPLE_RATE / 2, scale="slaney"
            )
        )

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, n_mels, frames)``."""
        padded = nn.functional.pad(signal, (0, self.samples - signal.shape[-1]))
        mel: Tensor = self._stft(padded)[:, :-1] @ self._filters(padded)
        logarithm = mel.clamp(min=1e-10).log10()
        floored = logarithm.maximum(logarithm.amax((-2, -1), keepdim=True) - 8.0)
        return ((floored + 4.0) / 4.0).transpose(1, 2)
