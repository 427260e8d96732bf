"""Constant-Q and variable-Q distances, against nnAudio, librosa and sinusoids."""

import math
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from nnAudio.features import CQT1992v2, CQT2010v2
from nnAudio.features.vqt import VQT
from torch import Tensor, nn

from tonedeaf.losses import make
from tonedeaf.losses.constant_q import ConstantQ, KernelPadding
from tonedeaf.losses.cqt import Cqt, LogCqt, Vqt
from tonedeaf.losses.equal_loudness import loudness_weights

_SMALL: dict[str, Any] = {"fmin": 110.0, "n_bins": 48, "bins_per_octave": 24, "hop_length": 160}


def _noise(samples: int, batch: int = 2) -> Tensor:
    return 0.3 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


def _tone(frequency: float, samples: int, sample_rate: int = 16000, amplitude: float = 0.5) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / sample_rate
    return amplitude * torch.sin(2 * math.pi * frequency * time + 0.3).unsqueeze(0)


def _nnaudio(module: nn.Module, signal: Tensor) -> Tensor:
    found = module(signal, output_format="Complex", normalization_type="wrap")
    return torch.complex(found[..., 0], found[..., 1]).transpose(1, 2)


@pytest.mark.parametrize("padding", ["constant", "reflect"])
@pytest.mark.parametrize("hop_length", [160, 147])
def test_padded_transform_is_nnaudios(padding: KernelPadding, hop_length: int):
    parameters: dict[str, Any] = {**_SMALL, "hop_length": hop_length}
    ours = ConstantQ(sample_rate=16000, padding=padding, **parameters)
    signal = _noise(3 * ours.longest + 77)
    expected = _nnaudio(CQT1992v2(sr=16000, pad_mode=padding, verbose=False, **parameters), signal)
    found = ours(signal)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5 * expected.abs().max().item())


def test_bassnets_transform_is_nnaudios():
    """264 bins, hop 160, valid frames: three of them, so that nnAudio takes no longer than it must."""
    ours = make("log_cqt", sample_rate=16000)
    assert isinstance(ours, LogCqt)
    reference = CQT1992v2(
        sr=16000, hop_length=160, fmin=27.5, n_bins=264, bins_per_octave=36, center=False, verbose=False
    )
    signal = _noise(32768 + 320, batch=1)
    expected = (1000 * _nnaudio(reference, signal).abs()).log1p()
    unused = (32768 - ours.transform.longest) // 2  # nnAudio's kernels have zeros at both ends
    found = ours.represent(signal[:, unused:])[:, :3]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_one_octave_of_the_variable_q_transform_is_nnaudios():
    """Of one octave only: below it, nnAudio halves the sample rate."""
    parameters: dict[str, Any] = {"hop_length": 128, "fmin": 440.0, "n_bins": 12, "bins_per_octave": 12, "gamma": 20.0}
    ours = ConstantQ(sample_rate=16000, padding="constant", **parameters)
    signal = _noise(8192)
    reference = VQT(sr=16000, earlydownsample=False, pad_mode="constant", verbose=False, **parameters)
    expected, found = _nnaudio(reference, signal), ours(signal)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5 * expected.abs().max().item())


def test_variable_q_has_librosas_kernels():
    """To 1 % of the loudest bin: librosa's windows have fractions of a sample, and are centred on one.

    What librosa calls Q differs: its relative bandwidth is (r² − 1)/(r² + 1) with r = 2^(1/12), not r − 1.
    """
    tones = torch.stack([_tone(f, 8192) for f in (65.4, 196.0, 880.0, 2637.0)]).sum(0)
    ours = make("vqt[padding=constant]", sample_rate=16000)
    assert isinstance(ours, Vqt)
    ratio = 2 ** (1 / 12)
    kernels, lengths = librosa.filters.wavelet(
        freqs=ours.transform.frequencies(),
        sr=16000,
        filter_scale=(ratio**2 - 1) / (ratio**2 + 1) / (ratio - 1),
        norm=1,
        gamma=None,  # pyright: ignore[reportArgumentType]  # None is its documented default
        dtype=np.complex128,
    )
    assert ours.transform.longest == math.ceil(lengths.max())
    frame, width = 8, kernels.shape[1]
    start = frame * 512 - width // 2
    expected = 2 * np.abs(kernels.conj() @ tones[0, start : start + width].numpy())
    np.testing.assert_allclose(ours.represent(tones)[0, frame].numpy(), expected, atol=0.01 * expected.max())


@pytest.mark.parametrize("name", ["cqt", "log_cqt[log_gain=none]", "vqt"])
def test_a_sinusoid_has_its_amplitude(name: str):
    distance = make(name, sample_rate=16000)
    assert isinstance(distance, Cqt)
    k = 40
    frequency = distance.transform.frequencies()[k]
    amplitudes = distance.represent(_tone(frequency, 3 * distance.min_samples))
    torch.testing.assert_close(amplitudes[..., k], torch.full_like(amplitudes[..., k], 0.5), rtol=2e-3, atol=0)


def test_blocks_do_not_show():
    transform = ConstantQ(sample_rate=16000, **_SMALL)
    signal = _noise(8 * transform.longest).double()
    whole = transform(signal)
    last = whole.shape[1] - 1
    assert last > 4 * transform._frames  # pyright: ignore[reportPrivateUsage]
    for frame in (0, 7, last):
        start = frame * transform.hop_length
        torch.testing.assert_close(
            transform(signal[:, start : start + transform.longest])[:, 0], whole[:, frame], rtol=1e-5, atol=1e-7
        )


def test_hop_160_works_where_nnaudios_octave_by_octave_does_not():
    reference = CQT2010v2(sr=16000, hop_length=160, fmin=27.5, n_bins=264, bins_per_octave=36, verbose=False)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        reference(_noise(32768, batch=1))
    assert make("log_cqt[padding=constant]", sample_rate=16000)(*_noise(8000).unsqueeze(1)).isfinite().all()


def test_gradient_at_silence_is_finite_where_nnaudios_is_not():
    ours = make("cqt", sample_rate=16000)
    silence = torch.zeros(1, ours.min_samples, requires_grad=True)
    reference = CQT1992v2(sr=16000, verbose=False)
    assert torch.autograd.grad(reference(silence).sum(), silence)[0].isnan().any()
    target = _noise(ours.min_samples, batch=1)
    assert (torch.autograd.grad(ours(silence, target).sum(), silence)[0] == 0).all()


def test_golden_values():
    """By nnAudio 0.3.4's CQT1992v2 (``wrap``, ``constant`` padding, in float64) and NumPy's logarithm and mean."""
    signals = _tone(450, 24000), _tone(440, 24000)
    assert make("log_cqt[padding=constant]", sample_rate=16000)(*signals).item() == pytest.approx(
        0.05821197488105888, rel=1e-4
    )
    assert make("cqt[padding=constant]", sample_rate=16000)(*signals).item() == pytest.approx(
        0.004735723896113296, rel=1e-4
    )


def test_loudness_weights_bins():
    plain, weighted = make("cqt", sample_rate=16000), make("cqt[loudness_phon=60]", sample_rate=16000)
    assert isinstance(plain, Cqt)
    assert isinstance(weighted, Cqt)
    signal = _noise(plain.min_samples).double()
    ratio = weighted.represent(signal) / plain.represent(signal)
    expected = torch.from_numpy(loudness_weights(plain.transform.frequencies(), 60))
    torch.testing.assert_close(ratio, expected.expand_as(ratio))


def test_construction_and_use_print_nothing(capsys: pytest.CaptureFixture[str]):
    for name in ("cqt", "log_cqt", "vqt", "gammatone"):
        distance = make(name, sample_rate=16000)
        distance(*_noise(distance.min_samples).unsqueeze(1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_bins": 0}, "n_bins must be at least 1, got 0"),
        ({"bins_per_octave": 0}, "bins_per_octave must be at least 1, got 0"),
        ({"hop_length": 0}, "hop_length must be at least 1, got 0"),
        ({"fmin": 0.0}, "fmin must be positive, got 0"),
        ({"filter_scale": -1.0}, "filter_scale must be positive, got -1"),
        ({"gamma": -1.0}, "gamma must be at least 0"),
        ({"n_bins": 120}, "above half the sample rate, 22050 Hz"),
        ({"padding": "end"}, "padding must be one of valid, reflect, constant, got 'end'"),
        ({"window": "hat"}, "window 'hat' is not one"),
        ({"log_gain": 0.0}, "log_gain must be positive, or none, got 0"),
        ({"norm": "l3"}, "norm must be one of"),
        ({"loudness_phon": 90.0}, "loudness_phon must be between 20 and 80 phon"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Cqt(**parameters)


def test_a_fraction_of_a_sample_rate_is_refused():
    with pytest.raises(ValueError, match=r"whole sample rates in Hz, got 44100\.5"):
        LogCqt(sample_rate=44100.5)
