"""Schwär and Müller's multi-scale spectral loss against its formula on SciPy's transform, and what it is for."""

import numpy as np
import pytest
import scipy.signal
import torch

from tonedeaf.losses import make
from tonedeaf.losses.mss_revisited import MssRevisited

RATE = 44100
SIZES = (67, 127, 257, 509, 1021, 2053)
HOPS = (33, 63, 128, 254, 510, 1026)
"""As two implementations of others have them: christhetree/scrapl-ddsp, and korvax but for its first, 32."""


def signals(samples: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    """Two tones in noise, from a generator whose numbers NumPy has frozen."""
    noise = np.random.RandomState(0).randn(2, samples)
    time = np.arange(samples) / RATE
    prediction = 0.5 * np.sin(2 * np.pi * 220 * time) + 0.05 * noise[0]
    target = 0.4 * np.sin(2 * np.pi * 233 * time + 0.3) + 0.1 * noise[1]
    return torch.from_numpy(prediction)[None], torch.from_numpy(target)[None]


@pytest.mark.parametrize("padding", ["valid", "reflect"])
@pytest.mark.parametrize("gamma", [1.0, 10.0])
def test_formula_on_scipys_transform(padding: str, gamma: float):
    def compressed(signal: torch.Tensor, size: int, hop: int) -> np.ndarray:
        values = signal[0].numpy()
        if padding == "reflect":
            values = np.pad(values, size // 2, mode="reflect")
        transform = scipy.signal.ShortTimeFFT(scipy.signal.get_window("flattop", size), hop, RATE)
        first, last = transform.lower_border_end[1], transform.upper_border_begin(len(values))[1]
        return np.log(1 + gamma * np.abs(transform.stft(values, p0=first, p1=last)))

    pair = signals()
    expected = 0.0
    for size, hop in zip(SIZES, HOPS, strict=True):
        ours, theirs = (compressed(signal, size, hop) for signal in pair)
        expected += np.sqrt(((ours - theirs) ** 2).sum())
    found = make(f"mss_revisited[padding={padding};gamma={gamma}]")(*pair)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_number_is_that_of_another_implementation():
    """``LogMSSLoss()`` of christhetree/scrapl-ddsp (``experiments/losses.py``), evaluated in float64."""
    assert float(make("mss_revisited[padding=reflect]")(*signals())) == pytest.approx(174.9052186263256, rel=1e-9)


def test_slope_at_silence_is_finite_where_a_plain_logarithm_has_none():
    silence = torch.zeros(1, 4096, dtype=torch.float64, requires_grad=True)
    tone = torch.sin(torch.arange(4096, dtype=torch.float64) / 10)[None]
    (slope,) = torch.autograd.grad(make("mss_revisited")(1e-9 * tone + silence, tone).sum(), silence)
    assert 0 < float(slope.abs().max()) < 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mss_revisited[gamma=0]", "gamma must be positive, got 0.0"),
        ("mss_revisited[n_ffts=67,1]", "n_fft must be at least 2 samples, got 1"),
        ("mss_revisited[window=flatop]", "window 'flatop'"),
        ("mss_revisited[norm=l3]", "must be one of l1, l2, l2_squared, got 'l3'"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)


def test_no_window_lengths():
    with pytest.raises(ValueError, match="at least one window length"):
        MssRevisited(n_ffts=())
