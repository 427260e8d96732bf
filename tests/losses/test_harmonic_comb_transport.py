"""The transport of pitch is SciPy's, frame by frame; it costs intervals, and nothing else that tones differ in."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.harmonic_comb_transport import HarmonicCombTransport, geman_mcclure, pseudo_huber

_RATE = 16000


def _tone(
    f0: float | Tensor, amplitudes: tuple[float, ...] = (1, 0.5, 0.33, 0.25), *, seconds: float = 0.5, rate: int = _RATE
) -> Tensor:
    time = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    partials = [a * torch.cos(2 * math.pi * h * f0 * time + h**2) for h, a in enumerate(amplitudes, 1)]
    return torch.stack(partials).sum(0).unsqueeze(0)


def _noise(seed: int) -> Tensor:
    return torch.randn(1, _RATE // 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("knee", "well"), [(0.0, 0.0), (0.1, 0.0), (0.1, 0.7)])
@pytest.mark.parametrize("weigh_frames", [True, False])
@pytest.mark.parametrize(
    ("prediction", "target"),
    [
        (_noise(0), _noise(1) * torch.linspace(0, 1, _RATE // 2, dtype=torch.float64)),
        (_tone(110), _tone(170)),
        (_tone(440, (1,)), _noise(2)),
    ],
    ids=["noise", "tones", "sine and noise"],
)
def test_distance_is_scipys(prediction: Tensor, target: Tensor, weigh_frames: bool, knee: float, well: float):
    distance = HarmonicCombTransport(
        sample_rate=_RATE, pitch_knee=knee, well=well, well_octaves=0.05, weigh_frames=weigh_frames
    )
    x = distance.comb.f0_octaves
    found = [distance.comb(signal) for signal in (prediction, target)]
    powers, pitches = ([side[part][0].numpy() for side in found] for part in (0, 1))
    bands = 2**distance.comb.octaves
    amplitudes = [np.sqrt(power @ bands) for power in powers]
    total, weight = 0.0, 0.0
    for frame, (ours, theirs) in enumerate(zip(*pitches, strict=True)):
        k = math.sqrt(amplitudes[0][frame] * amplitudes[1][frame]) if weigh_frames else 1.0
        octaves = wasserstein_distance(x, x, ours, theirs)
        total += k * (math.hypot(octaves, knee) - knee + well * (1 - 1 / (1 + (octaves / 0.05) ** 2)))
        weight += k
    assert distance(prediction, target).item() == pytest.approx(total / weight, rel=1e-9)


@pytest.mark.parametrize("interval", [-2.0, -1.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("amplitudes", [(1.0,), (1, 0.5, 0.33, 0.25, 0.2, 0.17)], ids=["sine", "harmonics"])
def test_two_tones_cost_their_interval_in_octaves(amplitudes: tuple[float, ...], interval: float):
    distance = HarmonicCombTransport(sample_rate=_RATE, pitch_knee=0)
    found = distance(_tone(330, amplitudes), _tone(330 * 2**interval, amplitudes)).item()
    assert found == pytest.approx(abs(interval), abs=0.05)


@pytest.mark.parametrize(
    "amplitudes",
    [(0, 1, 1, 1, 1, 1), (1, 0, 0.5, 0, 0.3, 0, 0.2), (0.2, 0.3, 1, 0.8, 0.5, 0.4)],
    ids=["missing fundamental", "odd harmonics", "another envelope"],
)
def test_timbre_costs_next_to_nothing(amplitudes: tuple[float, ...]):
    """A hundredth of an octave at most, where the transport of power takes a tenth and more."""
    plain = (1, 0.5, 0.33, 0.25, 0.2, 0.17, 0.14)
    pair = _tone(130, amplitudes), _tone(130, plain)
    assert make("harmonic_comb_transport[pitch_knee=0]", sample_rate=_RATE)(*pair).item() < 0.01
    assert make("log_spectral_transport[level_weight=0]", sample_rate=_RATE)(*pair).item() > 0.1


def test_it_is_blind_to_level():
    distance = HarmonicCombTransport(sample_rate=_RATE)
    assert distance(0.01 * _tone(200), _tone(200)).item() < 1e-9
    assert distance(0.01 * _tone(200), _tone(300)).item() == pytest.approx(
        distance(_tone(200), _tone(300)).item(), rel=1e-6
    )


def test_quiet_frames_count_little():
    """Half a second of a tone, then half a second that is another one, 60 dB below, in one of the signals."""
    sounds = torch.ones(_RATE, dtype=torch.float64)
    sounds[_RATE // 2 :] = 0
    target = (sounds + 1e-3 * (1 - sounds)) * _tone(200, seconds=1)
    prediction = sounds * target + 1e-3 * (1 - sounds) * _tone(500, seconds=1)
    weighed, alike = (HarmonicCombTransport(sample_rate=_RATE, weigh_frames=flag) for flag in (True, False))
    assert weighed(prediction, target).item() < 0.02 * alike(prediction, target).item()


@pytest.mark.parametrize("seconds", [0.2, 2.0])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_slope_points_to_the_target_from_everywhere(rate: int, seconds: float):
    distance = make("harmonic_comb_transport", sample_rate=rate)
    target = _tone(185, (1, 0.2, 0.6, 0.3, 0.1), seconds=seconds, rate=rate)
    for interval in (-1.6, -0.9, -0.3, -0.05, 0.05, 0.3, 0.9, 1.6):
        log2_f0 = torch.tensor(math.log2(185) + interval, dtype=torch.float64, requires_grad=True)
        distance(_tone(2**log2_f0, seconds=seconds, rate=rate), target).sum().backward()
        assert log2_f0.grad is not None
        assert log2_f0.grad.item() * interval > 0, interval


@pytest.mark.parametrize("name", ["harmonic_comb_transport", "tonedeaf", "tonedeaf[well=1]"])
@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_contract_is_kept_at_every_rate(name: str, rate: int):
    assert [check for check in conformance(make(name, sample_rate=rate)) if not check.passed] == []


@pytest.mark.parametrize("knee", [0.0, 0.1])
def test_pseudo_huber_is_its_formula(knee: float):
    value = torch.tensor([-3.0, -0.01, 0.0, 1e-9, 0.2], dtype=torch.float64, requires_grad=True)
    found = pseudo_huber(value, knee)
    torch.testing.assert_close(found, (value.square() + knee**2).sqrt() - knee, rtol=1e-6, atol=1e-15)
    assert found[2] == 0
    found.sum().backward()
    assert value.grad is not None
    assert value.grad[2] == 0


def test_well_makes_a_wrong_pitch_cost_and_leaves_the_right_one():
    """A semitone is 1/12 octave, at which the well has (1/12)² / ((1/12)² + 0.04²) = 0.81 of its depth."""
    plain, deep = (HarmonicCombTransport(sample_rate=_RATE, well=well) for well in (0, 1))
    semitone, octave, unison = ((_tone(110 * 2 ** (n / 12)), _tone(110)) for n in (1, 12, 0))
    assert (deep(*semitone) - plain(*semitone)).item() == pytest.approx(0.81, abs=0.03)
    assert (deep(*octave) - plain(*octave)).item() == pytest.approx(1, abs=0.01)
    assert deep(*unison).item() == 0


def test_transport_says_how_far_frames_are_off_and_the_well_how_many():
    """A tone that is two semitones off throughout, and one of which half is right and half a fifth off."""
    half = torch.arange(_RATE) < _RATE // 2
    target, near, far = (_tone(110 * 2 ** (n / 12), seconds=1) for n in (0, 2, 7))
    partly = torch.where(half, target, far)
    plain, deep = (HarmonicCombTransport(sample_rate=_RATE, well=well) for well in (0, 1))
    assert plain(near, target).item() < 0.5 * plain(partly, target).item()
    assert deep(near, target).item() > 1.02 * deep(partly, target).item()


def test_geman_mcclure_is_half_at_its_scale():
    found = geman_mcclure(torch.tensor([0.0, 0.04, -0.04, 4e3], dtype=torch.float64), 0.04)
    torch.testing.assert_close(found, torch.tensor([0, 0.5, 0.5, 1], dtype=torch.float64), rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"well": -1}, "well must be at least 0 .octaves., got -1"),
        ({"well": math.inf}, "well must be at least 0 .octaves., got inf"),
        ({"well": math.nan}, "well must be at least 0 .octaves., got nan"),
        ({"well_octaves": 0}, "well_octaves must be positive .octaves., got 0"),
        ({"well_octaves": math.nan}, "well_octaves must be positive .octaves., got nan"),
        ({"well_octaves": math.inf}, "well_octaves must be positive .octaves., got inf"),
    ],
)
def test_bad_well_is_named(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        HarmonicCombTransport(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("knee", [-0.1, math.inf, math.nan])
def test_bad_knee_is_named(knee: float):
    with pytest.raises(ValueError, match=f"pitch_knee must be at least 0 .octaves., got {knee}"):
        HarmonicCombTransport(pitch_knee=knee)


def test_too_short_a_signal_is_named():
    with pytest.raises(ValueError, match="needs at least 4410 samples, got 4409"):
        make("harmonic_comb_transport")(torch.zeros(1, 4409), torch.zeros(1, 4409))
