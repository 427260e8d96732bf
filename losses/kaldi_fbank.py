"""Kaldi's log mel filter bank, differentiable and for batches."""

from __future__ import annotations

import importlib

import torch
from torch import Tensor, nn

from .constant import Constant
from .torchaudio_import import import_torchaudio

SAMPLE_RATE = 16000
WINDOW_LENGTH = 400
_HOP_LENGTH, _N_FFT = 160, 512
_PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0
_EPSILON = torch.finfo(torch.float32).eps


def samples_of(frames: int) -> int:
    """The most samples that make no more than these frames."""
    return WINDOW_LENGTH + frames * _HOP_LENGTH - 1


class KaldiFbank(nn.Module):
    """``ln max(M|STFT|², ε)`` as Kaldi computes it by default, without dither.

    Frames of 25 ms every 10 ms that fit; from each its mean is taken, then 0.97 of the sample before; symmetric Hann
    window, 512 points; triangles that are straight on the mel scale, from 20 Hz to 8 kHz.

    Args:
        n_mels: number of bands.

    Source:
        ``torchaudio.compliance.kaldi.fbank`` with ``window_type="hanning"``, as ``transformers.ASTFeatureExtractor``
        calls it.
    """

    def __init__(self, *, n_mels: int) -> None:
        super().__init__()
        import_torchaudio()
        kaldi = importlib.import_module("torchaudio.compliance.kaldi")
        # the last two would warp the scale for a speaker's vocal tract
        bank, _ = kaldi.get_mel_banks(n_mels, _N_FFT, float(SAMPLE_RATE), _LOWEST_HZ, 0.0, 100.0, -500.0, 1.0)
        self._filters = Constant(nn.functional.pad(bank, (0, 1)).T.contiguous())
        self._window = Constant(torch.hann_window(WINDOW_LENGTH, periodic=False, dtype=torch.float64))

    def forward(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at 16 kHz to ``(batch, frames, n_mels)``."""
        frames = signal.unfold(-1, WINDOW_LENGTH, _HOP_LENGTH)
        frames = frames - frames.mean(-1, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], -1)
        spectrum = torch.fft.rfft((frames - _PREEMPHASIS * before) * self._window(signal), _N_FFT)
        power = spectrum.real.square() + spectrum.imag.square()
        return (power @ self._filters(signal)).clamp(min=_EPSILON).log()
