"""Bands and salience, written out as loops over frames, bands and teeth; and what the comb finds in tones."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tonedeaf.losses.harmonic_comb import CombSettings, HarmonicComb
from tonedeaf.losses.log_frequency_bands import LogFrequencyBands

_RATE = 16000


def _tone(f0: float, harmonics: tuple[int, ...] = (1, 2, 3, 4, 5, 6), seconds: float = 0.5) -> Tensor:
    time = torch.arange(round(seconds * _RATE), dtype=torch.float64) / _RATE
    return torch.stack([torch.cos(2 * math.pi * h * f0 * time + h**2) / h for h in harmonics]).sum(0).unsqueeze(0)


def _noise(seconds: float, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, round(seconds * _RATE), generator=generator, dtype=torch.float64)


def _bands_in_a_loop(signal: NDArray[np.float64], octaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Band by band with every bin, frames as the docstring says; 0.186 s and 0.2 s fix window, hop and transform."""
    window, hop, n_fft = 2880, 320, 8192
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(window) + 0.5) / window)
    hann /= np.sqrt(np.sum(hann**2))
    log2_bins = np.log2(np.arange(1, n_fft // 2 + 1) * _RATE / n_fft)
    rows = list[list[float]]()
    for start in range(0, len(signal) - window + 1, hop):
        power = np.abs(np.fft.rfft(signal[start : start + window] * hann, n_fft))[1:] ** 2
        row = list[float]()
        for x in octaves:
            sigma = math.sqrt(0.025**2 + (0.4 * _RATE / window / (2**x * math.log(2))) ** 2)
            weights = np.exp(-0.5 * ((log2_bins - x) / sigma) ** 2)
            row.append(float(weights @ power / weights.sum()))
        rows.append(row)
    return np.array(rows)


def _salience_in_a_loop(
    power: NDArray[np.float64], comb: HarmonicComb, window: int, given: CombSettings
) -> NDArray[np.float64]:
    """The formula for one frame, candidate by candidate and tooth by tooth, finding bands by their frequency."""
    place = {round(72 * x - 72 * math.log2(given.f0_low)): j for j, x in enumerate(comb.octaves)}
    floor, exponent = given.floor, given.compression
    relative = power / power.max()
    evidence = ((relative + floor) ** exponent - floor**exponent) / ((1 + floor) ** exponent - floor**exponent)

    def heard(candidate: int, ratio: float) -> float:
        band = place.get(candidate + round(72 * math.log2(ratio)))
        return 0.0 if band is None else float(evidence[band])

    found = list[float]()
    for i, octave in enumerate(comb.f0_octaves):
        bins = 2**octave * window / _RATE
        r, u = (
            1 / (1 + (at / bins) ** (8 / width / math.log(2))) if at else 1.0
            for at, width in ((given.resolved, 1.15), (given.resolved_half, 1.5))
        )
        teeth = given.first_tooth * heard(i, 1)
        for h in range(2, given.harmonics + 1):
            teeth += given.decay ** (h - 1) * heard(i, h)
        between = 0.0
        for h in range(1, given.half_harmonics + 1):
            between += given.half_teeth * given.half_decay ** (h - 1) * heard(i, h - 0.5)
        found.append(given.single * heard(i, 1) + r * (teeth - u * between))
    return np.array(found)


@pytest.mark.parametrize("signal", [_tone(220, seconds=0.2), _noise(0.2)], ids=["tone", "noise"])
def test_bands_are_those_of_a_loop(signal: Tensor):
    comb = HarmonicComb(sample_rate=_RATE)
    expected = _bands_in_a_loop(signal[0].numpy(), comb.octaves)
    found = comb.bands(signal)[0].numpy()
    # the loop has the Gaussians' tails beyond 4.5 standard deviations, e^-10 of their top
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5 * expected.max())


@pytest.mark.parametrize(
    "given",
    [
        CombSettings(),
        CombSettings(half_teeth=0, resolved=0, first_tooth=1),
        CombSettings(resolved_half=0, single=0, compression=0.5, floor=1e-3, harmonics=5, half_harmonics=2),
    ],
    ids=["default", "no half teeth", "others"],
)
def test_salience_is_that_of_a_loop(given: CombSettings):
    comb = HarmonicComb(sample_rate=_RATE, settings=given)
    power = comb.bands(_tone(110, seconds=0.2) + 0.1 * _noise(0.2))
    found = comb.salience(power, 2880)[0]
    for frame, expected in enumerate(power[0].numpy()):
        np.testing.assert_allclose(
            found[frame].numpy(), _salience_in_a_loop(expected, comb, 2880, given), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.5, 2.0])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_frames_lie_in_the_signal_and_cover_it(rate: int, seconds: float):
    bands = LogFrequencyBands(sample_rate=rate, octaves=np.array([9.0]))
    samples = round(rate * seconds)
    window, hop = bands.window_length(samples), bands.hop_length(samples)
    assert window == pytest.approx(min(0.186 * rate, 0.9 * samples), abs=2)
    assert hop <= window / 2 + 1
    frames = bands(torch.zeros(1, samples)).shape[1]
    end = (frames - 1) * hop + window
    assert samples - frames < end <= samples  # what rounding the hop down leaves: less than a sample a frame


def test_white_noise_is_as_strong_in_every_band():
    comb = HarmonicComb(sample_rate=_RATE)
    mean = comb.bands(torch.cat([_noise(1.0, seed) for seed in range(64)])).mean((0, 1))
    # the window's energy is 1, the bands' weights sum to 1: the variance; 640 frames leave about 5 % a band
    torch.testing.assert_close(mean, torch.ones_like(mean), rtol=0.25, atol=0)


@pytest.mark.parametrize(
    ("signal", "f0"),
    [
        (_tone(440, (1,)), 440),
        (_tone(110), 110),
        (_tone(110, (2, 3, 4, 5, 6)), 110),
        (_tone(110, (1, 3, 5, 7, 9)), 110),
        (_tone(55, (2, 3, 4, 5, 6, 7, 8)), 55),
    ],
    ids=["sine", "harmonics", "missing fundamental", "odd harmonics", "bass, missing fundamental"],
)
def test_pitch_is_found(signal: Tensor, f0: float):
    comb = HarmonicComb(sample_rate=_RATE)
    pitch = comb(signal)[1]
    torch.testing.assert_close(pitch.sum(-1), torch.ones(1, pitch.shape[1], dtype=torch.float64))
    near = torch.from_numpy(np.abs(comb.f0_octaves - math.log2(f0)) < 0.1)
    assert (pitch[..., near].sum(-1) > 0.9).all()


def test_without_half_teeth_a_rich_tone_is_taken_for_a_multiple():
    """Twice f0 finds as many harmonics as f0, if there are that many; and every other one halfway between."""
    time = torch.arange(_RATE // 2, dtype=torch.float64) / _RATE
    rich = torch.stack([torch.cos(2 * math.pi * h * 110 * time + h**2) for h in range(2, 40)]).sum(0).unsqueeze(0)
    shares = list[float]()
    for half_teeth in (0.7, 0.0):
        comb = HarmonicComb(sample_rate=_RATE, settings=CombSettings(half_teeth=half_teeth))
        at_f0 = torch.from_numpy(np.abs(comb.f0_octaves - math.log2(110)) < 0.1)
        shares.append(comb(rich)[1][..., at_f0].sum(-1).mean().item())
    assert shares[0] > 0.9
    assert shares[1] < 0.5


def test_a_tone_a_band_higher_moves_its_salience_by_a_band():
    comb = HarmonicComb(sample_rate=_RATE, settings=CombSettings(sigma_bins=0))
    low, high = (comb(_tone(300 * 2 ** (step / 72)))[1][0, 1] for step in (0, 5))
    # the window's bins are another grid, which is felt a little
    torch.testing.assert_close(high[5:], low[:-5], rtol=0, atol=0.05 * low.max().item())


def test_windows_of_other_lengths_do_not_disturb():
    comb, signal, short = HarmonicComb(sample_rate=_RATE), _tone(200), _tone(200, seconds=0.15)
    before = comb(signal)[1]
    comb(short)
    comb(short.float())
    assert torch.equal(comb(signal)[1], before)
    assert torch.equal(comb(short)[1], HarmonicComb(sample_rate=_RATE)(short)[1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"harmonics": 0}, "harmonics must be at least 1, got 0"),
        ({"half_harmonics": 0}, "half_harmonics must be at least 1, got 0"),
        ({"bands_per_octave": 0}, "bands_per_octave must be at least 1, got 0"),
        ({"compression": 0.0}, "compression must be positive, got 0"),
        ({"floor": -1e-4}, "floor must be positive, got -0.0001"),
        ({"sharpness": math.inf}, "sharpness must be positive, got inf"),
        ({"decay": math.nan}, "decay must be positive, got nan"),
        ({"half_teeth": -0.1}, "half_teeth must be at least 0, got -0.1"),
        ({"single": -1.0}, "single must be at least 0, got -1"),
        ({"resolved": -1.0}, "resolved must be at least 0, got -1"),
        ({"f0_high": 10.0}, "f0_high must be above f0_low = 10 Hz by a band, got 10"),
        ({"highest": 15.0}, "no band lies between 18 Hz and 15 Hz"),
        ({"window_seconds": 0.0}, "window_seconds must be positive .seconds., got 0"),
        ({"overlap": 1.0}, "overlap must be at least 0 and below 1, got 1"),
        ({"zero_padding": 0.5}, "zero_padding must be at least 1 .1 pads nothing., got 0.5"),
        ({"sigma_octaves": 0.0}, "sigma_octaves must be positive .octaves., got 0"),
        ({"sigma_bins": -1.0}, "sigma_bins must be at least 0 .bins of the window., got -1"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        HarmonicComb(sample_rate=_RATE, settings=CombSettings(**parameters))  # type: ignore[arg-type]
