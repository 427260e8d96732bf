"""The cumulative spectrum is magenta's formula."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import get_window
from torch import Tensor

from tonedeaf.losses.cumulative_spectrum import CumulativeSpectrum


def _signals() -> tuple[Tensor, Tensor]:
    noise = torch.randn(2, 2, 5000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return 0.1 * noise[0], 0.3 * noise[1]


def _tensorflow_magnitudes(signal: NDArray[np.float64], n_fft: int) -> NDArray[np.float64]:
    """``tf.abs(tf.signal.stft(…, pad_end=True))`` as documented: every frame that starts in the signal."""
    hop = n_fft // 4
    padded = np.pad(signal, (0, n_fft))
    frames = [padded[start : start + n_fft] for start in range(0, len(signal), hop)]
    return np.abs(np.fft.rfft(get_window("hann", n_fft) * np.stack(frames)))


def test_distance_is_the_cumsum_term_of_ddsp():
    prediction, target = _signals()
    expected = [
        sum(
            np.abs(
                np.cumsum(_tensorflow_magnitudes(theirs, n), -1) - np.cumsum(_tensorflow_magnitudes(ours, n), -1)
            ).mean()
            for n in (2048, 1024, 512, 256, 128, 64)
        )
        for ours, theirs in zip(prediction.numpy(), target.numpy(), strict=True)
    ]
    assert CumulativeSpectrum(sample_rate=16000)(prediction, target).tolist() == pytest.approx(expected, rel=1e-9)


def test_two_bins_by_hand():
    # one frame of two samples, boxcar: |STFT| = (|a + b|, |a − b|) = (3, 1) and (1, 1), summed up (3, 4) and (1, 2)
    distance = CumulativeSpectrum(n_ffts=(2,), overlap=0, window="boxcar", padding="valid")
    assert distance(torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 0.0]])).item() == pytest.approx(2.0)


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="n_ffts must name at least one"):
        CumulativeSpectrum(n_ffts=())
    with pytest.raises(ValueError, match="n_fft must be at least 2 samples, got 1"):
        CumulativeSpectrum(n_ffts=(1,))
