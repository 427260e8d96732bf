"""CLAP's input: the log mel spectrogram of the signal, repeated up to ten seconds."""

from __future__ import annotations

from torch import Tensor, nn

from .constant import Constant
from .equal_area_mel import equal_area_mel
from .stft import Stft

SAMPLE_RATE = 48000
MAX_SAMPLES = 480000
_N_FFT, _HOP_LENGTH = 1024, 480


class ClapLogMel(nn.Module):
    """``10·lg max(M|STFT|², 1e-10)`` of the signal, repeated as often as it fits into 10 s, then silence.

    Windows of 1024 samples (Hann), centred, the edges mirrored; Slaney's mels, equal area.

    Args:
        n_mels: number of mel bands.
        fmin: lower edge of the lowest, in Hz.
        fmax: upper edge of the highest, in Hz.

    Source:
        Wu et al. 2023 (arXiv:2211.06687); ``transformers.ClapFeatureExtractor`` with ``truncation="rand_trunc"`` and
        ``padding="repeatpad"``.
    """

    def __init__(self, *, n_mels: int, fmin: float, fmax: float) -> None:
        super().__init__()
        self._stft = Stft(n_fft=_N_FFT, hop_length=_HOP_LENGTH, padding="reflect")
        self._filters = Constant(
            equal_area_mel(n_fft=_N_FFT, sample_rate=SAMPLE_RATE, n_mels=n_mels, fmin=fmin, fmax=fmax, scale="slaney")
        )

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 48 kHz, at most 10 s, to ``(batch, 1001, n_mels)``, in dB."""
        repeated = signal.repeat(1, MAX_SAMPLES // signal.shape[-1])
        padded = nn.functional.pad(repeated, (0, MAX_SAMPLES - repeated.shape[-1]))
        mel: Tensor = self._stft(padded) @ self._filters(padded)
        return 10 * mel.clamp(min=1e-10).log10()
