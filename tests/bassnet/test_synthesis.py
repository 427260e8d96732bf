"""The synthesiser against its definition in float64, written without recurrences, blocks or closed forms."""

import math

import pytest
import torch
from torch import Tensor

from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.harmonic_sum import Rows, harmonic_sum
from tonedeaf.bassnet.synthesis import (
    anti_alias_fade,
    at_level,
    harmonic_amplitudes,
    harmonic_synthesis,
    hold,
    linear_magnitude,
)

RATE, HOP = 16000, 160


def along(values: Tensor, samples: int, hop: int) -> Tensor:
    """Frames to samples, linearly, the last one held: dimension 1 of ``(batch, frames, …)``."""
    n = torch.arange(samples)
    left = n // hop
    u = ((n % hop).double() / hop).view(1, -1, *[1] * (values.ndim - 2))
    right = (left + 1).clamp(max=values.shape[1] - 1)
    return values[:, left] * (1 - u) + values[:, right] * u


def reference(
    f0: Tensor, amplitudes: Tensor, samples: int, *, rate: float, hop: int, phase: float = 0.0, limit: float
) -> Tensor:
    """The definition, sample by sample: f0 is piecewise linear, so the trapezoidal rule integrates it exactly."""
    f0, amplitudes = f0.double(), amplitudes.double()
    f0 = torch.cat((f0, f0[:, -1:]), 1)
    amplitudes = torch.cat((amplitudes, amplitudes[:, -1:]), 1)
    frequency = along(f0, samples + 1, hop)
    steps = (frequency[:, 1:] + frequency[:, :-1]) / 2 / rate
    cycles = torch.cat((torch.zeros(len(f0), 1), steps.cumsum(1)), 1)[:, :-1]
    middle = samples // 2
    assert samples % 2 == 0
    cycles = cycles - cycles[:, middle : middle + 1] + phase
    total = torch.zeros(len(f0), samples, dtype=torch.float64)
    for partial in range(1, amplitudes.shape[2] + 1):
        semitones_below = 12 * torch.log2(limit / (partial * f0))
        weight = torch.where(
            semitones_below >= 1,
            1.0,
            torch.where(semitones_below <= 0, 0.0, torch.sin(math.pi / 2 * semitones_below) ** 2),
        )
        total += along(weight * amplitudes[..., partial - 1], samples, hop) * torch.sin(
            2 * math.pi * ((partial * cycles) % 1)
        )
    return total


def snr(ours: Tensor, true: Tensor) -> float:
    return float(10 * torch.log10(true.square().sum() / (ours.double() - true).square().sum()))


@pytest.mark.parametrize(("seconds", "least"), [(10, 100.0), (180, 100.0)])
def test_float32_is_exact_for_minutes(seconds: int, least: float):
    """The specification asks for 90 dB over 10 s; 113 dB are measured, and 111 dB over 3 minutes."""
    time = torch.arange(seconds * 100) / 100
    octaves = 0.5 * torch.sin(2 * math.pi * 0.3 * time) + 0.04 * torch.sin(2 * math.pi * 6 * time)  # glides, vibrato
    f0 = (80 * 2**octaves).unsqueeze(0)
    partials = 40 if seconds < 60 else 8
    generator = torch.Generator().manual_seed(0)
    amplitudes = torch.rand(1, len(time), partials, generator=generator) * torch.arange(1, partials + 1.0) ** -0.8
    samples = seconds * RATE
    ours = harmonic_synthesis(f0, amplitudes, sample_rate=RATE, hop=HOP, samples=samples, phase=torch.tensor([0.3]))
    true = reference(f0, amplitudes, samples, rate=RATE, hop=HOP, phase=0.3, limit=4350)
    assert ours.dtype == torch.float32
    assert snr(ours, true) > least
    assert snr(ours[:, -RATE:], true[:, -RATE:]) > least  # the end is as good as the beginning


def test_float64_is_exact_with_any_hop_and_many_rows():
    generator = torch.Generator().manual_seed(1)
    f0 = 50 + 400 * torch.rand(3, 300, generator=generator, dtype=torch.float64)
    amplitudes = torch.rand(3, 300, 70, generator=generator, dtype=torch.float64)
    samples = 300 * 441 - 10
    ours = harmonic_synthesis(f0, amplitudes, sample_rate=44100, hop=441, samples=samples)
    true = reference(f0, amplitudes, samples, rate=44100, hop=441, limit=4350)
    assert torch.allclose(ours, true, atol=1e-9)


def test_gradients_agree_with_finite_differences():
    """In pitch, amplitudes and phase; a rest in the second tone, and partials that fade below the Nyquist frequency."""
    generator = torch.Generator().manual_seed(2)
    pitch = 60 + 400 * torch.rand(2, 6, generator=generator, dtype=torch.float64)
    rest = torch.zeros(2, 6, dtype=torch.bool)
    rest[1, 2:4] = True
    amplitudes = torch.rand(2, 6, 9, generator=generator, dtype=torch.float64)
    phase = torch.rand(2, generator=generator, dtype=torch.float64)
    weights = torch.randn(2, 55, generator=generator, dtype=torch.float64)

    def loss(pitch: Tensor, amplitudes: Tensor, phase: Tensor) -> Tensor:
        f0 = pitch.masked_fill(rest, 0.0)
        wave = harmonic_synthesis(f0, amplitudes, sample_rate=8000, hop=10, samples=55, phase=phase)
        return (wave * weights).sum(1)

    inputs = [tensor.requires_grad_() for tensor in (pitch, amplitudes, phase)]
    assert torch.autograd.gradcheck(loss, inputs, rtol=1e-5, atol=1e-8)


def test_gradients_are_those_of_many_rows_and_of_amplitudes_that_are_zero():
    """Parts of rows and partials that are skipped lose nothing: against autograd through a plain sum of sines."""
    generator = torch.Generator().manual_seed(3)
    rows, partials, hop = 700, 12, 100
    start, left, right = torch.rand(3, rows, generator=generator, dtype=torch.float64)
    ends = [torch.rand(rows, partials, generator=generator, dtype=torch.float64) for _ in range(2)]
    ends[0][::3] = 0.0
    audible = torch.randint(0, partials + 1, (rows,), generator=generator)
    weights = torch.randn(rows, hop, generator=generator, dtype=torch.float64)
    first, second, third, fourth, fifth = inputs = [
        tensor.clone().requires_grad_() for tensor in (start, left, right, *ends)
    ]
    u = torch.arange(hop, dtype=torch.float64) / hop

    def plain(start: Tensor, left: Tensor, right: Tensor, one: Tensor, other: Tensor) -> Tensor:
        cycles = start[:, None] + left[:, None] * (u - u**2 / 2) + right[:, None] * u**2 / 2
        total = torch.zeros(rows, hop, dtype=torch.float64)
        for partial in range(partials):
            here = one[:, partial, None] * (1 - u) + other[:, partial, None] * u
            total = total + (partial < audible)[:, None] * here * torch.sin(2 * math.pi * (partial + 1) * cycles)
        return total

    ours = torch.autograd.grad(
        (harmonic_sum(Rows(first, second, third, fourth, fifth, audible), hop) * weights).sum(), inputs
    )
    theirs = torch.autograd.grad((plain(*inputs) * weights).sum(), inputs)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


def test_the_gradient_of_pitch_does_not_grow_with_time():
    """A change of pitch by ε Hz turns the angle at either end of a second by half of 2π·ε."""
    change = 1e-6
    f0 = torch.full((1, 100), 100.0, dtype=torch.float64)
    one, other = (
        harmonic_synthesis(pitch, torch.ones_like(f0)[..., None], sample_rate=RATE, hop=HOP, samples=RATE)[0]
        for pitch in (f0, f0 + change)
    )
    slope = (other - one) / change
    assert float(slope[:1600].abs().max()) == pytest.approx(2 * math.pi * 0.5, rel=0.01)
    assert float(slope[-1600:].abs().max()) == pytest.approx(2 * math.pi * 0.5, rel=0.01)
    assert float(slope[7200:8800].abs().max()) == pytest.approx(2 * math.pi * 0.05, rel=0.05)


@pytest.mark.parametrize(("rate", "limit"), [(16000, 4350.0), (44100, 4350.0), (4000, 2000.0)])
def test_nothing_sounds_above_the_limit(rate: int, limit: float):
    """One partial below the fade, one in it, one above the limit, which would alias at the lowest rate."""
    f0 = torch.full((1, 101), limit / 2**1.5, dtype=torch.float64)
    wave = harmonic_synthesis(
        f0, torch.ones(1, 101, 5, dtype=torch.float64), sample_rate=rate, hop=rate // 100, samples=rate
    )
    power = torch.fft.rfft(wave * torch.hann_window(rate, dtype=torch.float64)).abs().square()[0]
    frequency = torch.fft.rfftfreq(rate, 1 / rate, dtype=torch.float64)
    assert power[frequency > limit].sum() < 1e-9 * power.sum()
    assert power[(frequency - limit / 2**1.5).abs() < 3].sum() > 0.4 * power.sum()


def test_the_fade_is_half_a_cosine_over_a_semitone():
    limit = 1000.0
    frequency = limit * 2 ** (-torch.tensor([3.0, 1.0, 0.5, 0.0, -1.0], dtype=torch.float64) / 12)
    assert torch.allclose(
        anti_alias_fade(frequency, limit=limit),
        torch.tensor([1.0, 1.0, 0.5, 0.0, 0.0], dtype=torch.float64),
        atol=1e-12,
    )


def test_rests_are_silent_and_notes_begin_at_their_own_pitch():
    f0 = torch.zeros(1, 50)
    f0[0, 10:20], f0[0, 30:40] = 55.0, 110.0
    amplitudes = torch.ones(1, 50, 20) / 20
    wave = harmonic_synthesis(f0, amplitudes, sample_rate=RATE, hop=HOP, samples=50 * HOP)[0]
    for first, last in ((0, 9), (20, 29), (40, 50)):  # a note fades over the frame before and after it
        assert (wave[first * HOP : last * HOP] == 0).all()
    assert wave[9 * HOP + 10 : 20 * HOP - 10].abs().max() > 0.1
    assert hold(f0, f0 > 0)[0, [0, 9, 20, 24, 25, 29, 49]].tolist() == [55, 55, 55, 55, 110, 110, 110]


def test_silence_has_finite_gradients():
    f0 = torch.zeros(2, 5, requires_grad=True)
    amplitudes = torch.zeros(2, 5, 3, requires_grad=True)
    level = torch.full((2, 5), 0.5, requires_grad=True)
    wave = harmonic_synthesis(f0, at_level(amplitudes, level), sample_rate=RATE, hop=HOP, samples=800)
    assert (wave == 0).all()
    wave.square().sum().backward()
    for tensor in (f0, amplitudes, level):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


def test_phase_moves_the_waveform():
    """A quarter of a cycle of a 100 Hz tone is 40 samples, whatever its partials."""
    f0, amplitudes = torch.full((1, 50), 100.0, dtype=torch.float64), torch.rand(1, 1, 9, dtype=torch.float64)
    amplitudes = amplitudes.expand(1, 50, 9)
    one, other = (
        harmonic_synthesis(
            f0, amplitudes, sample_rate=RATE, hop=HOP, samples=8000, phase=torch.tensor([phase], dtype=torch.float64)
        )
        for phase in (0.0, 0.25)
    )
    assert torch.allclose(one[:, 40:], other[:, :-40], atol=1e-9)


def test_amplitudes_are_read_at_the_harmonics_bins():
    cqt = CqtConfig(bins_per_octave=36)
    magnitude = torch.rand(1, 2, cqt.bins, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.log1p(1000 * magnitude)
    exact = 27.5 * 2 ** (torch.tensor([[36.0, 40.5]], dtype=torch.float64) / 36)  # on a bin; between two
    read = harmonic_amplitudes(y, exact, cqt=cqt, harmonics=60)
    assert torch.allclose(read[0, 0, [0, 1, 3]], magnitude[0, 0, [36, 72, 108]])
    assert torch.allclose(read[0, 1, 0], magnitude[0, 1, 40:42].mean())
    larger = harmonic_amplitudes(y, exact, cqt=cqt, harmonics=60, larger=True)
    assert torch.allclose(larger[0, 1, 0], magnitude[0, 1, 40:42].max())
    third = 36 + 36 * math.log2(3)
    assert math.floor(third) == 93
    share = third - 93
    assert torch.allclose(read[0, 0, 2], (1 - share) * magnitude[0, 0, 93] + share * magnitude[0, 0, 94])
    assert (read[0, 0][torch.arange(1, 61) * 55 > 4351] == 0).all()
    assert (harmonic_amplitudes(-y, exact, cqt=cqt, harmonics=5) == 0).all()  # below 0 is no amplitude
    assert (harmonic_amplitudes(y, torch.zeros_like(exact), cqt=cqt, harmonics=5) == 0).all()
    with pytest.raises(ValueError, match="264 bins, got 88"):
        harmonic_amplitudes(y[..., :88], exact, cqt=cqt, harmonics=5)


def test_the_position_has_a_gradient_only_if_asked_for():
    cqt = CqtConfig(bins_per_octave=12)
    y = torch.rand(1, 1, cqt.bins, dtype=torch.float64, requires_grad=True)
    f0 = torch.tensor([[61.0]], dtype=torch.float64, requires_grad=True)
    stopped = harmonic_amplitudes(y, f0, cqt=cqt, harmonics=4)
    assert not torch.autograd.grad(stopped.sum(), f0, allow_unused=True, retain_graph=True)[0]
    assert torch.autograd.gradcheck(lambda y: harmonic_amplitudes(y, f0.detach(), cqt=cqt, harmonics=4), [y])
    assert torch.autograd.gradcheck(
        lambda f0: harmonic_amplitudes(y.detach(), f0, cqt=cqt, harmonics=4, detach_position=False), [f0]
    )


def test_a_silent_partial_can_be_raised_and_sinks_no_further():
    cqt = CqtConfig(bins_per_octave=12)
    y = torch.tensor([-2.0, -1e-3, 0.0, 0.5], dtype=torch.float64, requires_grad=True)
    magnitude = linear_magnitude(y, cqt)
    assert magnitude[:3].tolist() == [0, 0, 0]
    (raised,) = torch.autograd.grad(-magnitude.sum(), y, retain_graph=True)
    (lowered,) = torch.autograd.grad(magnitude.sum(), y)
    slope = math.exp(0.5) / cqt.log_gain
    assert raised.tolist() == pytest.approx([-1 / cqt.log_gain] * 3 + [-slope])
    assert lowered.tolist() == pytest.approx([0, 0, 0, slope])


def test_the_level_sets_the_power():
    amplitudes = torch.rand(1, 1, 7, dtype=torch.float64).expand(1, 3, 7)
    scaled = at_level(amplitudes, torch.tensor([[1.0, 0.75, 0.0]], dtype=torch.float64))
    assert torch.allclose(
        10 * scaled.square().sum(-1).log10(), torch.tensor([[0.0, -20.0, -80.0]], dtype=torch.float64)
    )
    assert torch.allclose(scaled[0, 0] / scaled[0, 0, 0], amplitudes[0, 0] / amplitudes[0, 0, 0])
    assert (at_level(torch.zeros(1, 1, 3), torch.ones(1, 1)) == 0).all()


@pytest.mark.parametrize("faintest", [0.0, 1e-9, 1e-5, 1e-3])
def test_a_faint_frame_teaches_no_more_than_others(faintest: float):
    """The normalisation alone would give a frame a million times the gradient of its neighbours."""
    amplitudes = torch.full((1, 2, 4), 0.01, dtype=torch.float64)
    amplitudes[0, 1] = faintest
    amplitudes.requires_grad_()
    scaled = at_level(amplitudes, torch.ones(1, 2, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(scaled[..., 0].sum(), amplitudes)
    size = gradient.norm(dim=-1)[0]
    assert size[0] < size[1] < 25 * size[0]


def test_what_does_not_fit_is_refused():
    f0, amplitudes = torch.ones(1, 5), torch.ones(1, 5, 3)
    with pytest.raises(ValueError, match="5 frames of 160 samples last 800 samples, got 801"):
        harmonic_synthesis(f0, amplitudes, sample_rate=RATE, hop=HOP, samples=801)
    with pytest.raises(ValueError, match=r"got \(1, 5\) and \(1, 4, 3\)"):
        harmonic_synthesis(f0, amplitudes[:, :4], sample_rate=RATE, hop=HOP, samples=10)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_says_the_same():
    generator = torch.Generator().manual_seed(0)
    f0 = 40 + 300 * torch.rand(4, 60, generator=generator)
    amplitudes = torch.rand(4, 60, 30, generator=generator)
    found: list[list[Tensor]] = []
    for device in ("cpu", "cuda"):
        inputs = [tensor.to(device).requires_grad_() for tensor in (f0, amplitudes)]
        wave = harmonic_synthesis(*inputs, sample_rate=RATE, hop=HOP, samples=9600)
        found.append([each.cpu() for each in (wave.detach(), *torch.autograd.grad(wave.square().sum(), inputs))])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3 * float(one.abs().max()))
