"""Multi-resolution STFT losses of auraloss, item by item."""

import math
from collections.abc import Iterator
from typing import Any

import auraloss
import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.auraloss_resolutions import AuralossRandomResolution
from tonedeaf.losses.auraloss_stft import AuralossStft


def _signals(batch: int = 1, samples: int = 9000) -> tuple[Tensor, Tensor]:
    noise = 0.05 * torch.randn(2, batch, samples, generator=torch.Generator().manual_seed(0))
    time = torch.arange(samples) / 44100
    return 0.4 * torch.sin(2 * math.pi * 452 * time) + noise[0], 0.5 * torch.sin(2 * math.pi * 440 * time) + noise[1]


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("auraloss_mrstft", {}),
        ("auraloss_mrstft[prefilter=a_weighting]", {"perceptual_weighting": True, "sample_rate": 44100}),
        ("auraloss_mrstft[n_mels=32]", {"scale": "mel", "n_bins": 32, "sample_rate": 44100}),
        ("auraloss_mrstft[scale_invariance=true;w_lin_mag=1]", {"scale_invariance": True, "w_lin_mag": 1.0}),
        (
            "auraloss_mrstft[n_ffts=512,256;hop_lengths=100,64;win_lengths=512,128;window=blackman]",
            {"fft_sizes": [512, 256], "hop_sizes": [100, 64], "win_lengths": [512, 128], "window": "blackman_window"},
        ),
    ],
)
def test_value_of_one_item_is_auralosss(text: str, parameters: dict[str, Any]):
    prediction, target = _signals()
    expected = auraloss.freq.MultiResolutionSTFTLoss(**parameters)(prediction.unsqueeze(1), target.unsqueeze(1)).item()
    assert make(text)(prediction, target).item() == pytest.approx(expected, rel=1e-5)


def test_a_batch_has_the_value_of_each_item():
    """What auraloss's issue #69 asks for."""
    prediction, target = _signals(batch=3)
    distance = make("auraloss_mrstft")
    library = auraloss.freq.MultiResolutionSTFTLoss()
    expected = [library(prediction[i].view(1, 1, -1), target[i].view(1, 1, -1)).item() for i in range(3)]
    assert distance(prediction, target).tolist() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(RuntimeError):
        auraloss.freq.MultiResolutionSTFTLoss(reduction="none")(prediction.unsqueeze(1), target.unsqueeze(1))


def test_golden_value():
    """By auraloss 0.4.0 with torch 2.13, in float32."""
    time = torch.arange(8192, dtype=torch.float64) / 44100
    prediction, target = (a * torch.sin(2 * math.pi * f * time).unsqueeze(0) for a, f in ((0.4, 880), (0.5, 440)))
    assert make("auraloss_mrstft")(prediction.float(), target.float()).item() == pytest.approx(
        1.7138961553573608, rel=1e-4
    )


def _drawn(distance: AuralossRandomResolution) -> Iterator[tuple[int, int, Tensor]]:
    for resolution in distance.resolutions:
        assert isinstance(resolution, AuralossStft)
        yield resolution.stft.n_fft, resolution.stft.hop_length, resolution.stft.window(torch.zeros(()))


_WINDOWS = ("hann_window", "bartlett_window", "blackman_window", "hamming_window", "kaiser_window")


def _auralosss_resolution(n_fft: int, hop_length: int, window: Tensor) -> torch.nn.Module:
    """The loss of auraloss whose window is the given one."""
    for win_length in (n_fft, n_fft // 2, n_fft // 4):
        margin = (n_fft - win_length) // 2
        for name in _WINDOWS:
            padded = torch.nn.functional.pad(getattr(torch, name)(win_length), (margin, margin))
            if torch.allclose(padded, window, atol=1e-5):
                return auraloss.freq.STFTLoss(n_fft, hop_length, win_length, name)
    raise AssertionError(f"auraloss draws no such window, n_fft = {n_fft}")


@pytest.mark.parametrize("seed", range(8))
def test_what_is_drawn_is_what_auraloss_could_draw(seed: int):
    distance = AuralossRandomResolution(seed=seed)
    prediction, target = _signals(samples=max(9000, distance.min_samples))
    drawn = list(_drawn(distance))
    for n_fft, hop_length, _ in drawn:
        assert n_fft in [2**k for k in range(4, 15)]
        assert int(0.1 * n_fft) <= hop_length <= n_fft
    library = [_auralosss_resolution(*one)(prediction.unsqueeze(1), target.unsqueeze(1)).item() for one in drawn]
    # Thousands of frames of 16 samples, most at the floor: float32 leaves less than elsewhere.
    assert distance(prediction, target).item() == pytest.approx(np.mean(library), rel=1e-4)


def test_a_seed_is_repeatable_and_another_differs():
    prediction, target = _signals()
    values = [make(f"auraloss_random_mrstft[seed={seed};max_n_fft=4096]")(prediction, target) for seed in (1, 1, 2)]
    assert torch.equal(values[0], values[1])
    assert not torch.equal(values[0], values[2])


def test_the_global_generators_are_left_alone():
    before, numpys = torch.random.get_rng_state(), repr(np.random.get_state(legacy=False))
    make("auraloss_random_mrstft")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert repr(np.random.get_state(legacy=False)) == numpys


def test_drawing_again_takes_a_generator():
    prediction, target = _signals()
    distance = AuralossRandomResolution(seed=0, max_n_fft=4096)
    first = distance(prediction, target)
    distance.draw(torch.Generator().manual_seed(1))
    assert not torch.equal(distance(prediction, target), first)
    torch.testing.assert_close(
        distance(prediction, target), AuralossRandomResolution(seed=1, max_n_fft=4096)(prediction, target)
    )
    distance.draw(torch.Generator().manual_seed(0))
    assert torch.equal(distance(prediction, target), first)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auraloss_mrstft[n_ffts=1024,512]", "equally long and not empty, got 2, 3 and 3 values"),
        ("auraloss_mrstft[n_ffts=512,2048,512]", "win_length must be between 2 and n_fft = 512 samples, got 600"),
        ("auraloss_random_mrstft[resolutions=0]", "resolutions must be at least 1, got 0"),
        ("auraloss_random_mrstft[min_n_fft=100]", "powers of two with 8 <= min_n_fft < max_n_fft, got 100 and 32768"),
        ("auraloss_random_mrstft[max_n_fft=16]", "powers of two with 8 <= min_n_fft < max_n_fft, got 16 and 16"),
        ("auraloss_random_mrstft[min_hop=0]", "0 < min_hop <= max_hop <= 1, got 0.0 and 1.0"),
        ("auraloss_random_mrstft[max_hop=2]", "0 < min_hop <= max_hop <= 1, got 0.1 and 2.0"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)
