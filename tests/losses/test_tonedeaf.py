"""Pitch, level and tilt are measured apart: each as written out in NumPy, each moved only by what it is."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.tonedeaf import Tonedeaf

_RATE = 16000
_LEVEL = "tonedeaf[pitch_weight=0;tilt_weight=0;level_weight=1;level_knee=0{more}]"
_TILT = "tonedeaf[pitch_weight=0;level_weight=0;tilt_weight=1;tilt_knee=0]"


def _tone(f0: float, *, tilt: float = 1, gain: float = 1, partials: int = 12, seconds: float = 0.5) -> Tensor:
    """Partials ``h^−tilt`` of a mean square of ``gain²``."""
    time = torch.arange(round(seconds * _RATE), dtype=torch.float64) / _RATE
    orders = torch.arange(1, partials + 1, dtype=torch.float64).unsqueeze(-1)
    tone = (orders**-tilt * torch.cos(2 * math.pi * orders * f0 * time + orders**2)).sum(0)
    return (gain * tone / tone.square().mean().sqrt()).unsqueeze(0)


def _noise(seed: int) -> Tensor:
    return torch.randn(1, _RATE // 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _parts(prediction: Tensor, target: Tensor) -> list[float]:
    """Pitch, level and tilt alone."""
    names = ("harmonic_comb_transport", _LEVEL.format(more=""), _TILT)
    return [make(name, sample_rate=_RATE)(prediction, target).item() for name in names]


def _level_in_loops(distance: Tonedeaf, signal: Tensor) -> float:
    """The level on harmonics, frame by frame and band by band."""
    comb = distance.transport.comb
    powers, pitches = (found[0].numpy() for found in comb(signal))
    window = comb.bands.window_length(signal.shape[-1])
    heard, total = 0.0, 0.0
    for power, pitch in zip(powers, pitches, strict=True):
        likely = np.flatnonzero(pitch > 1e-12)
        for j, x in enumerate(comb.octaves):
            tau = math.hypot(0.06, 2.2 * _RATE / window / (2**x * math.log(2)))
            on = 0.0
            for i in likely:
                above = x - comb.f0_octaves[i]
                teeth = (math.exp(-0.5 * ((above - math.log2(h)) / tau) ** 4) for h in range(1, 13))
                beyond = 1 / (1 + math.exp(min(60 * (math.log2(12) - above), 700)))
                on += pitch[i] * max(*teeth, beyond)
            m = min(max((on - 0.15) / 0.5, 0), 1)
            heard += power[j] * 2**x * (3 * m**2 - 2 * m**3)
            total += power[j] * 2**x
    return 10 * math.log10(signal.square().mean().item()) + 10 * math.log10(heard / total)


def test_level_and_tilt_are_those_of_loops():
    distance = Tonedeaf(sample_rate=_RATE)
    signal = _tone(140, gain=0.2, partials=5, seconds=0.2) + 0.02 * _noise(0)[:, : _RATE // 5]
    _, _, tilts, level = distance.represent(signal)
    assert level.item() == pytest.approx(_level_in_loops(distance, signal), rel=1e-7)
    comb = distance.transport.comb
    powers, pitches = (found[0].numpy() for found in comb(signal))
    expected = [
        np.average(comb.octaves, weights=power) - np.average(comb.f0_octaves, weights=pitch)
        for power, pitch in zip(powers, pitches, strict=True)
    ]
    np.testing.assert_allclose(tilts[0].numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize("well", ["", ";well=0.7;well_octaves=0.05"])
def test_the_whole_is_its_parts(well: str):
    prediction, target = _tone(150, tilt=0.5, gain=0.3), _tone(220, tilt=1.5)
    parts = [
        make(f"tonedeaf[{others}{well}]", sample_rate=_RATE)(prediction, target).item()
        for others in ("level_weight=0;tilt_weight=0", "pitch_weight=0;tilt_weight=0", "pitch_weight=0;level_weight=0")
    ]
    assert min(parts) > 0.01
    whole, comb = (
        make(f"{name}[{well.lstrip(';')}]" if well else name, sample_rate=_RATE)(prediction, target).item()
        for name in ("tonedeaf", "harmonic_comb_transport")
    )
    assert whole == pytest.approx(sum(parts), rel=1e-12)
    assert parts[0] == comb


@pytest.mark.parametrize("decibels", [-30, -2, 6])
def test_level_alone_moves_the_level_alone(decibels: float):
    pitch, level, tilt = _parts(10 ** (decibels / 20) * _tone(200), _tone(200))
    assert level == pytest.approx(abs(decibels), rel=1e-6)
    assert max(pitch, tilt) < 1e-6


@pytest.mark.parametrize("tilt", [0.3, 2.0])
def test_tilt_alone_moves_the_tilt(tilt: float):
    pitch, level, tilted = _parts(_tone(200, tilt=tilt), _tone(200))
    assert tilted > 0.1
    assert pitch < 0.01
    assert level < 0.1


def test_transposition_moves_pitch_alone():
    """By an octave, with as many partials; the bands' width in octaves is that of the window for the lower tone."""
    pitch, level, tilt = _parts(_tone(400, partials=6), _tone(200, partials=6))
    assert pitch > 0.85
    assert level < 0.1
    assert tilt < 0.05


def test_level_is_the_tones_own_in_a_mixture():
    target = _tone(100) + sum(_tone(100 * ratio, gain=0.29) for ratio in (2.13, 2.71, 3.37))
    assert isinstance(target, Tensor)
    own, whole = (
        make(_LEVEL.format(more=more), sample_rate=_RATE)(_tone(100), target).item()
        for more in ("", ";level_on_harmonics=false")
    )
    assert own < 0.8 * whole


def test_noise_between_harmonics_is_not_the_tones_level():
    noisy = _tone(400) + 0.5 * _noise(0)
    own, whole = (
        make(_LEVEL.format(more=more), sample_rate=_RATE)(_tone(400), noisy).item()
        for more in ("", ";level_on_harmonics=false")
    )
    assert own < whole


@pytest.mark.parametrize("seconds", [0.2, 2.0])
@pytest.mark.parametrize("f0", [60, 900])
@pytest.mark.parametrize("name", ["tonedeaf", "tonedeaf[well=1]"])
def test_slopes_point_to_the_target(name: str, f0: float, seconds: float):
    distance = make(name, sample_rate=_RATE)
    target = _tone(f0, tilt=0.8, seconds=seconds)
    time = torch.arange(target.shape[-1], dtype=torch.float64) / _RATE
    for octaves, decibels in ((-1.2, -8.0), (0.4, 3.0), (0.03, -1.0)):
        log2_f0 = torch.tensor(math.log2(f0) + octaves, dtype=torch.float64, requires_grad=True)
        level = torch.tensor(decibels, dtype=torch.float64, requires_grad=True)
        angles = 2 * math.pi * 2**log2_f0 * time
        tone = torch.stack([torch.cos(h * angles + h) / h for h in range(1, 8)]).sum(0)
        tone = tone / tone.detach().square().mean().sqrt() * 10 ** (level / 20)
        distance(tone.unsqueeze(0), target).sum().backward()
        assert log2_f0.grad is not None
        assert level.grad is not None
        assert log2_f0.grad.item() * octaves > 0
        assert level.grad.item() * decibels > 0


@pytest.mark.parametrize("name", ["tonedeaf", "tonedeaf[well=1]"])
def test_single_precision_is_enough(name: str):
    distance = make(name, sample_rate=_RATE)
    prediction, target = _tone(150, gain=0.01), _tone(160)
    assert distance(prediction.float(), target.float()).item() == pytest.approx(
        distance(prediction, target).item(), rel=1e-4
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"level_weight": -0.1}, "level_weight must be at least 0, got -0.1"),
        ({"tilt_weight": math.nan}, "tilt_weight must be at least 0, got nan"),
        ({"pitch_weight": math.inf}, "pitch_weight must be at least 0, got inf"),
        ({"level_knee": -1.0}, "level_knee must be at least 0, got -1"),
        ({"tilt_knee": -1.0}, "tilt_knee must be at least 0, got -1"),
        ({"mask_bins": -1.0}, "mask_bins must be at least 0, got -1"),
        ({"mask_octaves": 0.0}, "mask_octaves must be positive .octaves., got 0"),
        ({"mask_low": 1.0}, "mask_low must be at least 0 and below 1, got 1"),
        ({"mask_span": 0.0}, "mask_span must be positive, got 0"),
        ({"half_teeth": -1.0}, "half_teeth must be at least 0, got -1"),
        ({"pitch_weight": 0.0, "level_weight": 0.0, "tilt_weight": 0.0}, "must be positive, got 0 for all"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        Tonedeaf(**parameters)  # type: ignore[arg-type]
