"""The controls' formulas, each at its neutral value and at others, against numbers worked out by hand."""

import math
from typing import Any

import pytest
import torch

from tonedeaf.bassnet.controls import (
    Controls,
    lowpass_gain,
    odd_even_gains,
    partial_gains,
    partial_ratios,
    vary,
)

FREQUENCIES = torch.tensor([[100.0, 200.0, 300.0, 400.0]])


def amplitudes() -> torch.Tensor:
    return torch.rand(50, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.01


def test_variation_1_is_as_predicted():
    given = amplitudes()
    audible = torch.ones(50, 6, dtype=torch.bool)
    assert torch.allclose(vary(given, audible, 1.0), given / given.sum(1, keepdim=True))


def test_variation_0_is_static_with_the_geometric_means():
    given = amplitudes()
    shares = vary(given, torch.ones(50, 6, dtype=torch.bool), 0.0)
    assert torch.allclose(shares, shares[:1].expand(50, 6))
    means = given.log().mean(0).exp()
    assert torch.allclose(shares[0], means / means.sum())


@pytest.mark.parametrize("variation", [0.5, 2.0, 3.0])
def test_variation_scales_the_deviations_of_the_logarithms(variation: float):
    """Ratios of two partials over time: their logarithms deviate β times as much from their mean."""
    given = amplitudes()
    shares = vary(given, torch.ones(50, 6, dtype=torch.bool), variation)
    assert torch.allclose(shares.sum(1), torch.ones(50, dtype=torch.float64))
    before, after = ((tensor[:, 2] / tensor[:, 0]).log() for tensor in (given, shares))
    assert torch.allclose(after - after.mean(), variation * (before - before.mean()))
    assert torch.allclose(after.mean(), before.mean())


def test_what_is_not_audible_has_no_share_and_no_say():
    given = amplitudes()
    audible = torch.ones(50, 6, dtype=torch.bool)
    audible[10:20, 3:] = False
    audible[40:] = False
    shares = vary(given, audible, 0.0)
    assert (shares[~audible] == 0).all()
    assert (shares[40:] == 0).all()
    means = torch.stack([given[audible[:, partial], partial].log().mean() for partial in range(6)]).exp()
    assert torch.allclose(shares[0], means / means.sum())
    assert torch.allclose(shares[15, :3], means[:3] / means[:3].sum())


def test_silent_partials_are_followed_down_to_80_db_only():
    given = torch.tensor([[1.0, 0.0], [1.0, 1e-4]])
    shares = vary(given, torch.ones(2, 2, dtype=torch.bool), 3.0)
    assert torch.allclose(shares, torch.tensor([1.0, 1e-4]).expand(2, 2) / 1.0001)


@pytest.mark.parametrize(
    ("odd_even", "odd", "even"), [(0.5, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (0.25, 0.5, 1.0), (0.9, 1.0, 0.2)]
)
def test_odd_and_even_gains(odd_even: float, odd: float, even: float):
    assert torch.allclose(odd_even_gains(5, odd_even), torch.tensor([odd, even, odd, even, odd]))


def test_the_fundamental_has_a_gain_of_its_own():
    plain = partial_gains(FREQUENCIES, Controls(harmonics=4))
    assert torch.equal(plain, torch.ones(1, 4))
    weak = partial_gains(FREQUENCIES, Controls(harmonics=4, fundamental_gain=-20.0, odd_even=0.25))
    assert torch.allclose(weak, torch.tensor([[0.05, 1.0, 0.5, 1.0]]))


def test_lowpass_is_a_butterworth_magnitude():
    assert torch.allclose(lowpass_gain(torch.tensor([0.0, 500.0]), 500.0, 3), torch.tensor([1.0, math.sqrt(0.5)]))
    octaves_above = 20 * torch.log10(lowpass_gain(torch.tensor([8000.0, 16000.0]), 100.0, 3))
    assert float(octaves_above[0] - octaves_above[1]) == pytest.approx(18.06, abs=0.01)  # 6 dB an octave and order
    gains = partial_gains(FREQUENCIES, Controls(harmonics=4, lowpass=200.0, lowpass_order=1))
    assert torch.allclose(gains, (1 + (FREQUENCIES / 200.0) ** 2) ** -0.5)


def test_inharmonicity_stretches_the_partials():
    assert partial_ratios(4, 0.0).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert partial_ratios(3, 0.01).tolist() == pytest.approx(
        [1 * math.sqrt(1.01), 2 * math.sqrt(1.04), 3 * math.sqrt(1.09)]
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"harmonics": 0}, "harmonics must be from 1 to 64, got 0"),
        ({"harmonics": 65}, "harmonics must be from 1 to 64, got 65"),
        ({"variation": -0.1}, "variation must be from 0 to 10, got -0.1"),
        ({"odd_even": 1.1}, "odd_even must be from 0 to 1, got 1.1"),
        ({"fundamental_gain": math.nan}, "fundamental_gain must be from -120 to 40 dB, got nan"),
        ({"lowpass": 0.0}, "lowpass must be from 1 to 1e[+]06 Hz, got 0"),
        ({"lowpass_order": 0}, "lowpass_order must be from 1 to 16, got 0"),
        ({"onset_threshold": 2.0}, "onset_threshold must be from 0 to 1, got 2"),
        ({"inharmonicity": -1.0}, "inharmonicity must be from 0 to 1, got -1"),
    ],
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Controls(**wrong)
