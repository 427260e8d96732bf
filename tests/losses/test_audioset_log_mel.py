"""The front end of VGGish and YAMNet, against its published description in plain NumPy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.losses.audioset_log_mel import AudioSetLogMel, mel_matrix

_RATE = 16000


def _signal(samples: int) -> NDArray[np.float64]:
    time = np.arange(samples) / _RATE
    noise = np.random.default_rng(0).standard_normal(samples)
    return 0.3 * np.sin(2 * np.pi * 440 * time) + 0.2 * np.sin(2 * np.pi * 3000 * time) + 0.05 * noise


def _hertz_to_mel(hertz: float) -> float:
    return 2595 * np.log10(1 + hertz / 700)


def _published_log_mel(signal: NDArray[np.float64], log_offset: float) -> NDArray[np.float64]:
    """25 ms periodic Hann, 10 ms hop, |FFT| of 512, 64 triangles on HTK's mels, 125 to 7500 Hz, log(mel + offset)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    starts = range(0, len(signal) - 399, 160)
    spectrogram = np.abs(np.fft.rfft([signal[start : start + 400] * window for start in starts], 512))
    edges = np.linspace(_hertz_to_mel(125), _hertz_to_mel(7500), 66)
    bands: list[NDArray[np.float64]] = []
    for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
        weights = np.zeros(257)
        for k in range(1, 257):  # HTK leaves the bin at 0 Hz out
            mel = _hertz_to_mel(k * _RATE / 512)
            weights[k] = max(0.0, min((mel - low) / (centre - low), (high - mel) / (high - centre)))
        bands.append(spectrogram @ weights)
    return np.log(np.stack(bands, axis=-1) + log_offset)


@pytest.mark.parametrize("log_offset", [0.01, 0.001])
def test_log_mel_is_the_published_one(log_offset: float):
    signal = _signal(20000)
    found = AudioSetLogMel(log_offset=log_offset).frames(torch.as_tensor(signal)[None])[0]
    # 1127·ln and 2595·lg agree to 1e-5 of a mel
    np.testing.assert_allclose(found.numpy(), _published_log_mel(signal, log_offset), atol=1e-4)


def test_float32_is_as_good():
    signal = _signal(16000)
    found = AudioSetLogMel(log_offset=0.01).frames(torch.as_tensor(signal, dtype=torch.float32)[None])[0]
    np.testing.assert_allclose(found.numpy(), _published_log_mel(signal, 0.01), atol=1e-4)


def test_patches_are_frames_in_order():
    signal = torch.as_tensor(_signal(60000))[None]
    whole = AudioSetLogMel(log_offset=0.01).frames(signal)
    apart = AudioSetLogMel(log_offset=0.01)(signal)
    overlapping = AudioSetLogMel(log_offset=0.01, patch_hop=48)(signal)
    assert apart.shape == (1, 3, 96, 64)  # 373 frames
    assert torch.equal(apart[:, 2], whole[:, 192:288])
    assert overlapping.shape == (1, 6, 96, 64)
    assert torch.equal(overlapping[:, 5], whole[:, 240:336])


def test_one_patch_takes_15600_samples():
    front_end = AudioSetLogMel(log_offset=0.01)
    assert front_end.min_samples == 15600
    assert front_end(torch.zeros(1, 15600)).shape == (1, 1, 96, 64)


def test_mel_matrix_has_a_bin_for_every_band():
    assert (mel_matrix().sum(0) > 0).all()
