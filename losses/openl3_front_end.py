"""OpenL3's input: a second of sound as a spectrogram in decibels under its own maximum."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn

from .constant import Constant
from .equal_area_mel import equal_area_mel
from .stft import Stft

SAMPLE_RATE = 48000
WINDOW = SAMPLE_RATE
"""Samples that the network sees at once: a second."""
_HOP_LENGTH = 242
_FLOOR = 1e-10
_DYNAMIC_RANGE_DB = 80.0

InputRepresentation = Literal["linear", "mel128", "mel256"]
"""Of the spectrogram: 257 linear bins, or 128 or 256 mel bands."""
Kapre = Literal["0.1.4", "0.3"]
"""Which release of kapre computes the mel spectrogram: the one that the networks were trained with (openl3 below 0.4,
torchopenl3), or the one that openl3 0.4 uses. The linear spectrogram is the same in both."""


class OpenL3FrontEnd(nn.Module):
    """``max(10·lg max(S, 1e-10) − max 10·lg S, −80)``, the maximum taken over the second.

    Whatever the gain, the result is the same, as long as nothing falls under 1e-10: it does not hear level.

    * ``linear``: magnitudes of windows of 512 samples (Hann).
    * mel, kapre 0.1.4: ``√(M|X|²)``, windows of 2048 samples, the second between zeros on both sides, HTK's mels.
    * mel, kapre 0.3: ``M|X|``, the second followed by zeros, Slaney's mels.

    Both with filters of equal area from 0 to 24 kHz, and a hop of 242 samples. Some of the lowest of 256 filters hold
    no bin: they are −80 dB always.

    Args:
        input_representation: ``linear``, ``mel128`` or ``mel256``.
        kapre: ``0.1.4`` or ``0.3``.

    Raises:
        ValueError: if a parameter is not one of those.

    Source:
        openl3/models.py of github.com/marl/openl3 at 0.3.1 and 0.4.2; kapre's time_frequency.py at 0.1.4.
    """

    def __init__(self, *, input_representation: InputRepresentation, kapre: Kapre) -> None:
        super().__init__()
        for what, value, allowed in (
            ("input_representation", input_representation, get_args(InputRepresentation)),
            ("kapre", kapre, get_args(Kapre)),
        ):
            if value not in allowed:
                raise ValueError(f"{what} must be one of {', '.join(allowed)}, got {value!r}")
        self.filters: Constant | None = None
        self.trained = kapre == "0.1.4"
        n_fft = 512 if input_representation == "linear" else 2048
        margin = n_fft - WINDOW % _HOP_LENGTH  # TensorFlow's padding "same", what is odd at the end
        self.margins = (0, 0)
        if input_representation != "linear":
            self.margins = (margin // 2, margin - margin // 2) if self.trained else (0, margin)
            filters = equal_area_mel(
                n_fft=n_fft,
                sample_rate=SAMPLE_RATE,
                n_mels=int(input_representation.removeprefix("mel")),
                fmin=0.0,
                fmax=SAMPLE_RATE / 2,
                scale="htk" if self.trained else "slaney",
            )
            self.filters = Constant(filters)
        self.stft = Stft(n_fft=n_fft, hop_length=_HOP_LENGTH, power=2.0 if self.filters and self.trained else 1.0)

    def forward(self, seconds: Tensor) -> Tensor:
        """``(windows, 48000)`` to ``(windows, bands, frames)``, in dB."""
        spectrum: Tensor = self.stft(nn.functional.pad(seconds, self.margins))
        if self.filters is not None:
            spectrum = spectrum @ self.filters(spectrum)
            if self.trained:
                spectrum = spectrum.clamp(min=_FLOOR**2).sqrt()
        decibels = 10 * spectrum.clamp(min=_FLOOR).log10()
        below = decibels - decibels.amax((-2, -1), keepdim=True)
        return below.clamp(min=-_DYNAMIC_RANGE_DB).transpose(-1, -2)


def seconds_of(signal: Tensor, *, hop_length: int, center: bool) -> Tensor:
    """``(batch, samples)`` to windows of a second ``(batch, windows, 48000)``, as openl3's ``get_audio_embedding``.

    Args:
        signal: at 48 kHz.
        hop_length: samples from one window to the next.
        center: half a second of silence comes first, so that the first window is centred on the first sample.

    The signal is continued by silence to a whole number of windows, at least one.
    """
    before = WINDOW // 2 if center else 0
    beyond = signal.shape[-1] + before - WINDOW
    after = -beyond if beyond < 0 else -beyond % hop_length
    return nn.functional.pad(signal, (before, after)).unfold(-1, WINDOW, hop_length)
