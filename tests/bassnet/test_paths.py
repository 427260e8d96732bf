"""The paths: what they render, that they are no dearer than they say, and that following them leads to the pitch."""

import math

import pytest
import torch
from torch import Tensor

import tonedeaf
from tonedeaf.bassnet.bank import bank_synthesis
from tonedeaf.bassnet.candidates import draw_candidates, proposal
from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.model import Prediction
from tonedeaf.bassnet.paths import (
    PATHS,
    Expected,
    Path,
    SegmentPrediction,
    expected_bin,
    frequency_of,
    make_path,
    measure,
    peak_bin,
)
from tonedeaf.bassnet.targets import oracle_target, stem_target
from tonedeaf.losses import AudioDistance

CQT = CqtConfig(bins_per_octave=12)
FRAMES, PARTIALS, SLOPE = 24, 20, -0.8


class Rounded(AudioDistance):
    """A distance of no use to a gradient: it is piecewise constant, and made where autograd does not look."""

    differentiable = False

    def __init__(self, *, sample_rate: float = 16000) -> None:
        super().__init__(sample_rate=sample_rate)
        self.inner = tonedeaf.make("log_spectral_transport", sample_rate=sample_rate)
        self.items = 0

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        self.items += len(prediction)
        with torch.no_grad():
            return (50 * self.inner(prediction, target)).round() / 50


def transport() -> AudioDistance:
    return tonedeaf.make("log_spectral_transport", sample_rate=16000)


def sounding(notes: int = 1) -> Tensor:
    """A note with rests before and behind it."""
    heard = torch.zeros(notes, FRAMES, dtype=torch.bool)
    heard[:, 2:-2] = True
    return heard


def target(bins: Tensor, phase: Tensor) -> Tensor:
    """Tones at a place among the bins each, with partials ``h^−0.8``."""
    f0 = frequency_of(bins, CQT)[:, None].expand(-1, FRAMES)
    harmonics = (torch.arange(1, PARTIALS + 1.0) ** SLOPE).expand(len(bins), FRAMES, -1)
    return oracle_target(f0, harmonics, torch.full_like(f0, 0.8), sounding(len(bins)), phase=phase)


def prediction(logits: Tensor) -> SegmentPrediction:
    """A magnitude that gives every tone the target's slope, and logits ``(notes, bins)`` for every frame."""
    y = torch.log1p(300 * (frequency_of(torch.arange(CQT.bins).float(), CQT) / 27.5) ** SLOPE)
    shape = (len(logits), FRAMES, CQT.bins)
    return SegmentPrediction(y.expand(shape), logits[:, None].expand(shape), torch.full(shape[:2], 0.8))


def around(place: float, width: float = 1.5) -> Tensor:
    return -0.5 * ((torch.arange(CQT.bins) - place) / width).square().unsqueeze(0)


def path(name: str) -> Path:
    return PATHS[name](cqt=CQT, harmonics=PARTIALS)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", ["soft", "local", "straight"])
@pytest.mark.parametrize(("true", "start"), [(24.0, 20.0), (24.0, 31.0), (12.0, 23.0)])
def test_gradient_descent_moves_a_steady_tone_to_the_target(name: str, true: float, start: float):
    """The distance falls at every tenth step, and the pitch comes nearer by a third at least, from above and below."""
    logits = around(start, 3.0).requires_grad_()
    ours, distance, draws = path(name), transport(), generator()
    optimizer = torch.optim.Adam([logits], lr=0.1)
    places, losses = list[float](), list[float]()
    for _ in range(40):
        phase = torch.rand(1, generator=draws)
        rendering = ours.render(prediction(logits), sounding(), phase=phase, generator=draws)
        loss = ours.loss(rendering, measure(distance, rendering, target(torch.tensor([true]), phase)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        places.append(float((peak_bin if name == "local" else expected_bin)(logits.detach())))
    assert all(later < earlier for earlier, later in zip(losses[::10], losses[10::10], strict=False))
    assert abs(places[-1] - true) < 0.67 * abs(places[0] - true)


def test_expected_learns_pitches_from_a_distance_without_a_gradient():
    """Six notes at once, from logits that know nothing. No octave is missed; what is next to the pitch comes last."""
    true = torch.tensor([5.0, 12.0, 17.0, 24.0, 30.0, 36.0])
    logits = torch.zeros(6, CQT.bins, requires_grad=True)
    ours, distance, draws = path("expected"), Rounded(), generator()
    optimizer = torch.optim.SGD([logits], lr=3.0)
    for _ in range(150):
        phase = torch.rand(6, generator=draws)
        rendering = ours.render(prediction(logits), sounding(6), phase=phase, generator=draws)
        values = measure(distance, rendering, target(true, phase))
        assert not values.requires_grad
        optimizer.zero_grad()
        ours.loss(rendering, values).backward()
        optimizer.step()
    off = (logits.detach().argmax(1) - true).abs()
    assert off.max() <= 2
    near = (torch.arange(CQT.bins) - true[:, None]).abs() <= 2
    assert ((logits.detach().softmax(1) * near).sum(1) > 0.3).all()  # 5 of the 88 bins, which had 0.06 together
    assert distance.items == 150 * 6 * 8  # eight candidates a note, and nothing measured twice


@pytest.mark.parametrize("differentiable", [True, False])
def test_expected_teaches_amplitudes_only_where_the_distance_has_a_gradient(differentiable: bool):
    given = prediction(around(24.0))
    y, level = given.y.clone().requires_grad_(), given.level.clone().requires_grad_()
    logits = given.f0_logits.clone().requires_grad_()
    ours, distance = path("expected"), transport() if differentiable else Rounded()
    rendering = ours.render(SegmentPrediction(y, logits, level), sounding(), phase=None, generator=generator())
    loss = ours.loss(rendering, measure(distance, rendering, target(torch.tensor([29.0]), torch.zeros(1))))
    of_logits, of_y, of_level = torch.autograd.grad(loss, (logits, y, level), allow_unused=True)
    assert of_logits is not None
    assert of_logits.abs().sum() > 0
    for gradient in (of_y, of_level):
        assert (gradient is not None and float(gradient.abs().sum()) > 0) == differentiable


def test_the_loss_of_expected_is_the_expectation_over_its_candidates():
    """Its gradient is ``p_k (d_k − Σ p d)`` for the logits of certain candidates, and 0 for those not tried."""
    logits = torch.randn(1, CQT.bins, generator=generator(), dtype=torch.float64)
    given = prediction(logits.float())
    leaf = logits.clone().requires_grad_()
    ours = Expected(cqt=CQT, harmonics=PARTIALS, likeliest=5, drawn=0)
    rendering = ours.render(
        given._replace(f0_logits=leaf[:, None].expand(1, FRAMES, -1)), sounding(), phase=None, generator=generator()
    )
    values = torch.arange(5, dtype=torch.float64).unsqueeze(0)
    ours.loss(rendering, values).backward()
    best = logits[0].topk(5).indices
    p = logits[0, best].softmax(0)
    gradient = torch.zeros(CQT.bins, dtype=torch.float64)
    gradient[best] = p * (values[0] - (p * values[0]).sum())
    assert leaf.grad is not None
    assert torch.allclose(leaf.grad[0], gradient, atol=1e-12)


def test_candidates_weigh_what_a_note_s_frames_say_times_their_importance():
    """Frames that do not sound have no say."""
    logits = torch.randn(2, FRAMES, CQT.bins, generator=generator())
    given = prediction(torch.zeros(2, CQT.bins))._replace(f0_logits=logits)
    rendering = path("expected").render(given, sounding(2), phase=None, generator=generator())
    log_p = logits.log_softmax(-1)[:, 2:-2].mean(1)
    drawn = draw_candidates(log_p, cqt=CQT, likeliest=4, drawn=4, generator=generator())
    assert (drawn.log_importance[:, 4:] != 0).all()
    assert torch.allclose(rendering.log_weights, log_p.gather(1, drawn.bins) + drawn.log_importance, atol=1e-5)


def test_a_bank_follows_the_spectrum_without_a_pitch():
    """Descent on the magnitudes alone brings the target's fundamental out."""
    y = torch.full((1, FRAMES, CQT.bins), 3.0, requires_grad=True)
    ours, distance, draws = path("bank"), transport(), generator()
    optimizer = torch.optim.Adam([y], lr=0.1)
    losses = list[float]()
    wanted = target(torch.tensor([36.0]), torch.zeros(1))
    for _ in range(40):
        given = SegmentPrediction(y, torch.zeros_like(y), torch.full((1, FRAMES), 0.8))
        rendering = ours.render(given, sounding(), phase=None, generator=draws)
        loss = ours.loss(rendering, measure(distance, rendering, wanted))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    spectrum = y.detach()[0, 5:-5].mean(0)
    assert float(spectrum[36]) > 0.5 + float(torch.cat((spectrum[26:33], spectrum[40:46])).mean())


def test_a_bank_sounds_one_sinusoid_a_bin():
    amplitudes = torch.zeros(1, 101, CQT.bins, dtype=torch.float64)
    amplitudes[0, :, [24, 53]] = torch.tensor([0.5, 0.25], dtype=torch.float64)
    wave = bank_synthesis(amplitudes, cqt=CQT)[0, :16000]
    n = torch.arange(16000, dtype=torch.float64)
    golden = (math.sqrt(5) - 1) / 2
    true = 0.5 * torch.sin(2 * math.pi * (110 * n / 16000 + 24 * golden))
    true += 0.25 * torch.sin(2 * math.pi * (27.5 * 2 ** (53 / 12) * n / 16000 + 53 * golden))
    assert torch.allclose(wave, true, atol=1e-9)
    amplitudes[0, 50:] = 0.0  # fades out over one frame
    wave = bank_synthesis(amplitudes, cqt=CQT)[0]
    assert (wave[50 * 160 :] == 0).all()
    assert torch.allclose(wave[49 * 160 : 50 * 160], true[7840:8000] * (1 - torch.arange(160) / 160), atol=1e-9)


@pytest.mark.parametrize("name", list(PATHS))
def test_frames_that_do_not_sound_are_silent_and_gradients_finite(name: str):
    """One segment with rests, one without any note; magnitudes below 0, as an untrained model predicts them, too."""
    given = prediction(torch.cat((around(20.0), around(30.0))))
    leaves = [tensor.clone().requires_grad_() for tensor in given]
    with torch.no_grad():
        leaves[0][:, ::2] = -1.0
    heard = sounding(2)
    heard[1] = False
    ours = path(name)
    rendering = ours.render(SegmentPrediction(*leaves), heard, phase=torch.rand(2), generator=generator())
    assert rendering.audio.shape == (2, 8 if name == "expected" else 1, FRAMES * 160)
    for first, last in ((0, 1), (FRAMES - 2, FRAMES)):
        assert (rendering.audio[0, :, first * 160 : last * 160] == 0).all()
    assert (rendering.audio[1] == 0).all()
    wanted = target(torch.tensor([22.0, 22.0]), torch.zeros(2)) * heard.any(1, keepdim=True)
    values = measure(transport(), rendering, wanted)
    assert (values[1] == 0).all()
    ours.loss(rendering, values).backward()
    for leaf in leaves:
        assert leaf.grad is None or leaf.grad.isfinite().all()


@pytest.mark.parametrize("name", ["soft", "local", "straight", "expected"])
def test_the_right_prediction_sounds_as_the_oracle_does(name: str):
    bins = torch.tensor([24.0, 31.0])
    sure = torch.full((2, CQT.bins), -40.0)
    sure[[0, 1], bins.long()] = 40.0
    phase = torch.rand(2, generator=generator())
    rendering = path(name).render(prediction(sure), sounding(2), phase=phase, generator=generator())
    best = rendering.audio[:, 0]  # of the candidates, the likeliest is the first
    assert rendering.log_weights.argmax(1).tolist() == [0, 0]
    # The magnitude is read between bins, linearly, of which h^−0.8 has a little less: 0.1 dB at the most.
    assert torch.allclose(best, target(bins, phase), atol=0.01)


def test_places_among_the_bins():
    logits = torch.full((2, CQT.bins), -torch.inf)
    logits[0, [20, 44]] = torch.tensor([0.75, 0.25]).log()  # two octaves apart
    logits[1, [0, 3]] = torch.tensor([0.75, 0.25]).log()
    logits = logits.clamp(min=-60)
    assert torch.allclose(expected_bin(logits), torch.tensor([26.0, 0.75]), atol=1e-4)
    assert torch.allclose(peak_bin(logits), torch.tensor([20.0, 0.75]), atol=1e-4)
    leaf = logits.clone().requires_grad_()
    straight = make_path("straight", cqt=CQT)
    place = straight.place(leaf)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    assert torch.allclose(place.detach(), peak_bin(logits))
    soft = logits.clone().requires_grad_()
    assert torch.allclose(
        torch.autograd.grad(place.sum(), leaf)[0], torch.autograd.grad(expected_bin(soft).sum(), soft)[0]
    )


@pytest.mark.parametrize("bins_per_octave", [12, 36])
def test_the_proposal_is_spread_over_octaves_and_semitones(bins_per_octave: int):
    cqt = CqtConfig(bins_per_octave=bins_per_octave)
    best = torch.tensor([0, 2 * bins_per_octave, cqt.bins - 1])
    share = proposal(best, cqt)
    assert torch.allclose(share.sum(1), torch.ones(3, dtype=torch.float64))
    assert (share[:, 4 * bins_per_octave + 1 :] == 0).all()  # 440 Hz
    assert (share[:, : 4 * bins_per_octave + 1] > 0).all()  # whatever is likely, all of the range may be tried
    octaves = [0, bins_per_octave, 3 * bins_per_octave, 4 * bins_per_octave]
    semitone = bins_per_octave // 12
    elsewhere = share[1, 2 * bins_per_octave + 9 * semitone]
    assert (share[1, octaves] > 5 * elsewhere).all()
    assert share[1, 2 * bins_per_octave + 7 * semitone] > 1.5 * elsewhere


def test_candidates_estimate_the_expectation_without_bias():
    """10,000 draws: the mean of ``Σ w d`` lies within 4 standard errors of the sum over all bins that may be tried."""
    notes = 10_000
    log_p = (torch.randn(1, CQT.bins, generator=generator(), dtype=torch.float64) * 2).log_softmax(-1)
    values = torch.rand(CQT.bins, generator=generator(), dtype=torch.float64)
    drawn = draw_candidates(log_p.expand(notes, -1), cqt=CQT, likeliest=4, drawn=4, generator=generator())
    assert drawn.bins.shape == (notes, 8)
    best = log_p[0].topk(4).indices
    assert (drawn.bins[:, :4] == best).all()
    assert not torch.isin(drawn.bins[:, 4:], best).any()
    estimates = ((log_p[0, drawn.bins] + drawn.log_importance).exp() * values[drawn.bins]).sum(1)
    tried = proposal(best[:1], CQT)[0] > 0
    tried[best] = True
    exact = (log_p[0].exp() * values)[tried].sum()
    assert abs(estimates.mean() - exact) < 4 * estimates.std() / math.sqrt(notes)


def test_each_target_is_represented_once_and_the_numbers_are_the_distance_s():
    logits = torch.randn(3, CQT.bins, generator=generator())
    rendering = path("expected").render(prediction(logits), sounding(3), phase=torch.zeros(3), generator=generator())
    wanted = target(torch.tensor([20.0, 25.0, 31.0]), torch.zeros(3))
    distance = tonedeaf.make("0.5*log_mss + 0.1*log_spectral_transport", sample_rate=16000)
    values = measure(distance, rendering, wanted)
    for candidate in range(8):
        assert torch.allclose(values[:, candidate], distance(rendering.audio[:, candidate], wanted), rtol=1e-5)


def test_windows_are_joined_and_the_finest_channel_is_taken():
    y = torch.arange(6 * 2 * 5 * 3.0).view(6, 2, 5, 3)
    windows = Prediction(y, y + 1, torch.zeros(6, 2, 5), torch.zeros(6, 2, 5))
    segments = SegmentPrediction.of_windows(windows, 3)
    assert segments.y.shape == (2, 15, 3)
    assert torch.equal(segments.y[1, 5:10], y[4, 0])
    assert torch.equal(segments.f0_logits, segments.y + 1)
    assert torch.equal(segments.level, torch.full((2, 15), 0.5))


def test_a_stem_is_heard_where_its_note_sounds():
    stem = torch.ones(1, FRAMES * 160)
    heard = stem_target(stem, sounding())[0]
    assert (heard[: 1 * 160] == 0).all()
    assert torch.allclose(heard[160:320], torch.arange(160) / 160)
    assert (heard[320 : (FRAMES - 3) * 160] == 1).all()
    assert (heard[(FRAMES - 2) * 160 :] == 0).all()


def test_what_cannot_be_done_is_refused_with_what_can():
    with pytest.raises(ValueError, match="crepe has no gradient, which the path soft needs; the path expected would"):
        path("soft").check(Rounded(), "crepe")
    path("expected").check(Rounded(), "crepe")
    path("soft").check(transport(), "log_spectral_transport")
    with pytest.raises(ValueError, match="unknown path 'hard'; there are soft, local, straight, expected, bank"):
        make_path("hard", cqt=CQT)
    with pytest.raises(ValueError, match="got 1 likeliest and 0 drawn"):
        Expected(cqt=CQT, likeliest=1, drawn=0)
    given = prediction(around(24.0))
    short = SegmentPrediction(given.y[:, :10], given.f0_logits[:, :10], given.level[:, :10])
    rendering = path("soft").render(short, sounding()[:, :10], phase=None, generator=generator())
    with pytest.raises(ValueError, match="needs at least 2048 samples, got 1600"):
        measure(transport(), rendering, torch.zeros(1, 1600))
