"""What is heard in a recorded bass: fundamental, onsets and level, estimated.

Source: BassNet (Grachten, Lattner & Deruty 2020), section 4.2: CREPE, madmom's onset detector by a convolutional
network, and the power of the short-time Fourier transform.
"""

from __future__ import annotations

import importlib
import importlib.util
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..losses.torchaudio_import import import_torchaudio
from .config import HOP, SAMPLE_RATE
from .labels import UNKNOWN, Labels, frame_count
from .level import absolute_level, frame_power, level_db, minmax_level
from .recording import Recording

if TYPE_CHECKING:
    from torch import Tensor

Capacity = Literal["tiny", "full"]

F0_MIN, F0_MAX = 31.8, 550.0
"""Hz. CREPE's lowest bin is at 31.7: below that torchcrepe masks every bin without a word. A bass's highest fret is at
392 Hz."""
LEAST_PERIODICITY = 0.5
"""CREPE's confidence from which a frame has a fundamental."""
LEAST_LEVEL = -60.0
"""Likewise its level, in dB re a full-scale sine."""

_CREPE, _MADMOM = "torchcrepe", "madmom"
_BIN_CENTS, _LOWEST_BIN_CENTS, _CENTS_FROM = 20.0, 1997.3794084376191, 10.0  # of CREPE's bins, re 10 Hz
_NEIGHBOURS = 4
_FRAMES_AT_ONCE = 128
_MADMOM_RATE = 44100


def describe(bass: NDArray[np.float32], onsets: NDArray[np.float64], capacity: Capacity = "full") -> Labels:
    """The labels of a recorded bass; patterns, bars, chords and harmonics are unknown.

    Args:
        bass: ``(samples,)`` at 16 kHz.
        onsets: in seconds, of :func:`onset_times`.
        capacity: of CREPE's network.
    """
    frames = frame_count(len(bass))
    power = frame_power(bass)
    level = absolute_level(power)
    f0, periodicity = crepe_f0(bass, capacity)
    sounds = (periodicity >= LEAST_PERIODICITY) & (level_db(level) >= LEAST_LEVEL)
    onset = np.zeros(frames, np.float32)
    nearest = np.round(onsets * SAMPLE_RATE / HOP).astype(np.int64)
    onset[nearest[nearest < frames]] = 1
    unknown = np.full(frames, UNKNOWN, np.int64)
    return Labels(
        f0=np.where(sounds, f0, 0).astype(np.float32),
        level=level,
        level_minmax=minmax_level(power)[0],
        onset=onset,
        pattern=unknown,
        bar=unknown,
        chord_root=unknown,
        chord_quality=unknown,
        harmonics=None,
    )


def versions(capacity: Capacity = "full") -> str:
    """What estimates fundamental and onsets here, and its version."""
    onsets = _MADMOM if _has_madmom() else "librosa"
    return f"{_CREPE} {version(_CREPE)} {capacity}, {onsets} {version(onsets)}"


def crepe_f0(bass: NDArray[np.float32], capacity: Capacity = "full") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CREPE's fundamental in Hz, and its confidence in [0, 1]: ``(frames,)`` each.

    The bin of the largest activation, and around it the mean of the bins' cents within 4 bins, weighted with their
    activations: CREPE's own rule. (torchcrepe's decoders add noise of up to 20 cents to the bins' cents; its Viterbi
    path can be caught at the lowest bin for a whole song.)

    Args:
        bass: ``(samples,)`` at 16 kHz.
        capacity: of the network.

    Raises:
        ImportError: if torchcrepe is not installed.
    """
    if importlib.util.find_spec(_CREPE) is None:
        raise ImportError("the fundamental of recordings needs torchcrepe: pip install 'tonedeaf[recordings]'")
    import torch

    import_torchaudio()
    crepe: Any = importlib.import_module(_CREPE)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.no_grad():
        batches = crepe.preprocess(torch.from_numpy(bass)[None], SAMPLE_RATE, HOP, _FRAMES_AT_ONCE, device)
        activations: Tensor = torch.cat([crepe.infer(frames, capacity, device).cpu() for frames in batches])
    weights = activations.double().numpy()
    path = _strongest_bins(weights)
    frame = np.arange(len(path))
    offsets = np.arange(-_NEIGHBOURS, _NEIGHBOURS + 1)
    near = np.clip(path[:, None] + offsets, 0, weights.shape[1] - 1)
    near_weights = weights[frame[:, None], near]
    cents = (near_weights * (_LOWEST_BIN_CENTS + _BIN_CENTS * near)).sum(axis=1) / near_weights.sum(axis=1)
    return _CENTS_FROM * 2 ** (cents / 1200), weights[frame, path]


def _strongest_bins(activations: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each frame, within the fundamental's range: ``(frames, bins)`` to ``(frames,)``."""
    frequencies = _CENTS_FROM * 2 ** ((_LOWEST_BIN_CENTS + _BIN_CENTS * np.arange(activations.shape[1])) / 1200)
    inside = (frequencies > F0_MIN * 2 ** (-_BIN_CENTS / 1200)) & (frequencies < F0_MAX)
    return np.where(inside, activations, -1.0).argmax(axis=1)


def onset_times(bass: Recording) -> NDArray[np.float64]:
    """Onsets in seconds: by madmom's convolutional network where it is installed, else by librosa's spectral flux.

    Raises:
        ImportError: if neither is installed.
    """
    if _has_madmom():
        return _madmom_onsets(bass.at(_MADMOM_RATE))
    if importlib.util.find_spec("librosa") is None:
        raise ImportError("the onsets of recordings need madmom or librosa: pip install 'tonedeaf[recordings]'")
    import librosa

    frames = librosa.onset.onset_detect(y=bass.at(), sr=SAMPLE_RATE, hop_length=HOP, units="frames")
    return np.asarray(frames, np.float64) * HOP / SAMPLE_RATE


def _has_madmom() -> bool:
    return importlib.util.find_spec(_MADMOM) is not None


def _madmom_onsets(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of a signal at 44.1 kHz; its models may not be used commercially (CC BY-NC-SA)."""
    audio: Any = importlib.import_module(f"{_MADMOM}.audio.signal")
    onsets: Any = importlib.import_module(f"{_MADMOM}.features.onsets")
    activations = onsets.CNNOnsetProcessor()(audio.Signal(signal, sample_rate=_MADMOM_RATE, num_channels=1))
    return np.asarray(onsets.OnsetPeakPickingProcessor(threshold=0.54, fps=100)(activations), np.float64)
