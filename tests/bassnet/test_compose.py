"""Bass tracks: their length, their loudness, that nothing clicks, and that the controls do what they say."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.bassnet.bass_notes import bass_line
from tonedeaf.bassnet.compose import PEAK, compose, play
from tonedeaf.bassnet.config import CqtConfig, ModelConfig, preset
from tonedeaf.bassnet.controls import Controls
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.run import Run
from tonedeaf.bassnet.tracks import Track

CQT = CqtConfig(bins_per_octave=12)
MODEL = ModelConfig(window=4, expanded=8, maps=3, blocks=2, head_octaves=1, head_maps=2, head_steps=3)
FRAMES = 200


def untrained(threshold: float = 0.5) -> Run:
    torch.manual_seed(0)
    return Run(
        folder=Path("nowhere"),
        config=dataclasses.replace(preset("tiny"), model=MODEL),
        about={},
        model=BassNet(MODEL, CQT).eval(),
        threshold=threshold,
        step=0,
        steps=0,
        seconds=0.0,
        validation={},
        finished=True,
    )


def track(*, level: float = 0.9) -> Track:
    """Two notes of 82 and 55 Hz with a flat spectrum, struck in between, after a rest and before one."""
    probabilities = torch.zeros(FRAMES, CQT.bins)
    probabilities[:100, 19] = 1.0
    probabilities[100:, 12] = 1.0
    levels = torch.full((FRAMES,), level)
    levels[:20] = levels[180:] = 0.0
    onset = torch.zeros(FRAMES)
    onset[[20, 60, 100]] = 0.9
    return Track(torch.full((FRAMES, CQT.bins), 2.0), probabilities, levels, onset)


def played(
    controls: Controls, *, rate: int = 16000, samples: int = FRAMES * 160, level: float = 0.9
) -> NDArray[np.float32]:
    predicted = track(level=level)
    line = bass_line(predicted, CQT, threshold=0.5, onset_threshold=controls.onset_threshold)
    return play(predicted, line, untrained(), controls, sample_rate=rate, samples=samples)


def spectrum(wave: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and amplitudes of a stretch of the first note, without a strike."""
    part = wave[round(0.62 * rate) : round(0.98 * rate)]
    window = np.hanning(len(part))
    amplitudes = 2 * np.abs(np.fft.rfft(part * window, 8 * len(part))) / window.sum()
    return np.arange(len(amplitudes)) * rate / (8 * len(part)), amplitudes


def amplitude_at(wave: NDArray[np.float32], rate: int, frequency: float) -> float:
    frequencies, amplitudes = spectrum(wave, rate)
    return float(amplitudes[np.abs(frequencies - frequency).argmin()])


def steepest(f0: float, harmonics: int, rate: int, inharmonicity: float) -> float:
    """The most that two samples of a note can differ: Σ a_h 2π f_h/rate, and Σ a_h times the slope of the fade."""
    number = np.arange(1, harmonics + 1)
    frequency = number * f0 * np.sqrt(1 + inharmonicity * number**2)
    frequency = frequency[frequency < min(4350, rate / 2)]
    each = 10 ** (-8 / 20) / math.sqrt(len(frequency))  # the level's power, evenly over the partials
    return float(each * (2 * np.pi * frequency / rate + np.pi / 2 / (0.005 * rate)).sum())


@pytest.mark.parametrize(("harmonics", "rate"), [(1, 16000), (20, 16000), (64, 44100), (20, 8000), (20, 22050)])
@pytest.mark.parametrize("inharmonicity", [0.0, 1e-4])
def test_nothing_clicks(harmonics: int, rate: int, inharmonicity: float):
    """No two samples are further apart than the sinusoids' slopes and the fades (5 ms of half a cosine) allow."""
    samples = round(FRAMES * 160 * rate / 16000) - 13
    wave = played(Controls(harmonics=harmonics, inharmonicity=inharmonicity), rate=rate, samples=samples)
    assert wave.dtype == np.float32
    assert wave.shape == (samples,)
    assert np.isfinite(wave).all()
    slope = max(steepest(27.5 * 2 ** (bin / 12), harmonics, rate, inharmonicity) for bin in (19, 12))
    assert np.abs(np.diff(wave)).max() <= 1.02 * slope
    assert np.abs(np.diff(np.concatenate(([0.0], wave, [0.0])))[[0, -1]]).max() == 0  # nor at the ends


@pytest.mark.parametrize("bins", [(76, 31), (12, 60)])
@pytest.mark.parametrize("inharmonicity", [0.0, 1e-4])
def test_a_leap_of_pitch_sweeps_through_nothing_above_the_highest_partial(bins: tuple[int, int], inharmonicity: float):
    """From 2217 to 165 Hz within a frame the twentieth partial would fall from 44 kHz: it begins behind the leap."""
    leaping, rate = track(), 44100
    leaping.f0_probabilities.zero_()
    leaping.onset[100] = 0.0
    for part, place in zip((slice(0, 100), slice(100, FRAMES)), bins, strict=True):
        leaping.f0_probabilities[part, place] = 1.0
    line = bass_line(leaping, CQT, threshold=0.5, onset_threshold=None)
    assert abs(12 * math.log2(line.f0[100] / line.f0[99])) == pytest.approx(abs(bins[1] - bins[0]), abs=0.1)
    controls = Controls(harmonics=20, inharmonicity=inharmonicity)
    wave = play(leaping, line, untrained(), controls, sample_rate=rate, samples=2 * rate)
    leap = wave[round(0.95 * rate) : round(1.05 * rate)].astype(np.float64)
    power = np.abs(np.fft.rfft(leap * np.hanning(len(leap)))) ** 2
    above = np.arange(len(power)) * rate / len(leap) > 1.1 * 4350
    assert power[above].sum() < 1e-6 * power.sum(), "-60 dB"


def test_it_is_as_loud_as_the_level_says_and_silent_in_rests():
    wave = played(Controls())
    assert (wave[: 19 * 160] == 0).all()
    assert (wave[181 * 160 :] == 0).all()
    for first, last in ((25, 55), (65, 95), (105, 175)):
        power = np.mean(wave[first * 160 : last * 160].astype(float) ** 2)
        assert 10 * math.log10(2 * power) == pytest.approx(-8, abs=0.3)  # 80·(0.9 − 1) dB re a full-scale sine


def test_a_strike_interrupts_the_sound_for_a_moment():
    wave = played(Controls(harmonics=1))
    strike = round(59.5 * 160)
    assert np.abs(wave[strike - 2 : strike + 3]).max() < 0.01
    assert np.abs(wave[strike - 240 : strike - 80]).max() > 0.3
    assert np.abs(wave[strike + 80 : strike + 240]).max() > 0.3
    legato = played(Controls(harmonics=1, onset_threshold=1.0))
    assert np.abs(legato[strike - 100 : strike + 100]).max() > 0.35


def test_harmonics_gains_and_the_lowpass_are_heard():
    f0, rate = 27.5 * 2 ** (19 / 12), 16000
    plain = played(Controls(harmonics=8))
    each = 10 ** (-8 / 20) / math.sqrt(8)
    for number in range(1, 9):
        assert amplitude_at(plain, rate, number * f0) == pytest.approx(each, rel=0.02)
    assert amplitude_at(plain, rate, 9 * f0) < 1e-3 * each
    odd = played(Controls(harmonics=8, odd_even=1.0, fundamental_gain=-40.0))
    expected = [0.01, 0, 1, 0, 1, 0, 1, 0]
    for number, gain in enumerate(expected, 1):
        assert amplitude_at(odd, rate, number * f0) == pytest.approx(gain * each, abs=0.02 * each)
    soft = played(Controls(harmonics=8, lowpass=3 * f0, lowpass_order=2))
    for number in range(1, 9):
        gain = (1 + (number / 3) ** 4) ** -0.5
        assert amplitude_at(soft, rate, number * f0) == pytest.approx(gain * each, rel=0.03)
    stiff = played(Controls(harmonics=8, inharmonicity=1e-3))
    assert amplitude_at(stiff, rate, 8 * f0 * math.sqrt(1.064)) == pytest.approx(each, rel=0.02)
    assert amplitude_at(stiff, rate, 8 * f0) < 0.05 * each


def test_a_partial_between_two_bins_is_as_strong_as_the_stronger_one():
    """A pitch a quarter above bin 19: its first partial is heard in one bin only, its second in both."""
    predicted = track()
    predicted.f0_probabilities[:100, 19], predicted.f0_probabilities[:100, 20] = 0.75, 0.25
    predicted.y[:, 20] = 0.0
    line = bass_line(predicted, CQT, threshold=0.5, onset_threshold=None)
    wave = play(predicted, line, untrained(), Controls(harmonics=2), sample_rate=16000, samples=FRAMES * 160)
    f0 = 27.5 * 2 ** (19.25 / 12)
    assert amplitude_at(wave, 16000, f0) == pytest.approx(amplitude_at(wave, 16000, 2 * f0), rel=0.02)


def test_no_partial_is_above_the_nyquist_frequency_or_the_bins():
    for rate, limit in ((4000, 2000), (44100, 4350)):
        wave = played(Controls(harmonics=64), rate=rate, samples=rate * 2)
        frequencies, amplitudes = spectrum(wave, rate)
        strongest = amplitudes.max()
        assert amplitudes[frequencies < limit / 1.1].max() == strongest
        assert amplitudes[frequencies > limit + 30].max(initial=0) < 1e-3 * strongest


@pytest.mark.parametrize(("rate", "samples"), [(16000, 32001), (44100, 88200), (11025, 22049), (48000, 96000)])
def test_a_mix_gets_a_bass_of_exactly_its_length(rate: int, samples: int):
    """Whatever an untrained model says of noise: finite, not clipped, as long as was asked for, the same each time."""
    mix = np.random.default_rng(0).standard_normal(32001).astype(np.float32)
    run = untrained(threshold=0.0)  # all of it sounds
    composed = compose(run, mix, torch.tensor([0.5, -1.0]), Controls(), sample_rate=rate, samples=samples)
    assert composed.audio.shape == (samples,)
    assert np.isfinite(composed.audio).all()
    assert 0 < np.abs(composed.audio).max() <= PEAK + 1e-6
    assert composed.line.notes
    again = compose(run, 0.1 * mix, torch.tensor([0.5, -1.0]), Controls(), sample_rate=rate, samples=samples)
    assert np.allclose(again.audio, composed.audio, atol=1e-4)  # the mix's level does not matter


def test_a_bass_that_would_clip_is_attenuated():
    mix = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    run = untrained(threshold=0.0)
    with torch.no_grad():
        [*run.model.level.parameters()][-1].fill_(20.0)  # the level's bias: as loud as can be
    composed = compose(run, mix, torch.zeros(2), Controls(), sample_rate=16000, samples=16000)
    assert composed.gain_db < 0
    assert float(np.abs(composed.audio).max()) == pytest.approx(PEAK, abs=1e-6)


def test_a_model_whose_level_is_scaled_per_track_is_not_played():
    objective = dataclasses.replace(preset("tiny").objective, level="minmax")
    run = untrained()
    scaled = dataclasses.replace(run, config=dataclasses.replace(run.config, objective=objective))
    mix = np.ones(16000, dtype=np.float32)
    message = "^the model in nowhere cannot be played: objective.level is 'minmax', .* sound needs absolute$"
    with pytest.raises(ValueError, match=message):
        compose(scaled, mix, torch.zeros(2), Controls(), sample_rate=16000, samples=16000)


def test_a_bass_that_never_sounds_is_silence():
    mix = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    composed = compose(untrained(threshold=1.1), mix, torch.zeros(2), Controls(), sample_rate=16000, samples=16000)
    assert composed.line.notes == ()
    assert (composed.audio == 0).all()
    assert composed.gain_db == 0
    with pytest.raises(ValueError, match="the mix is silent"):
        compose(untrained(), 0 * mix, torch.zeros(2), Controls(), sample_rate=16000, samples=16000)
