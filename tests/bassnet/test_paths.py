"""The paths: what they render, that they are no dearer than they say, and that following them leads to the pitch."""

import math

import pytest
import torch
from torch import Tensor

import tonedeaf
from tonedeaf.bassnet.bank import bank_synthesis
from tonedeaf.bassnet.candidates import draw_candidates
from tonedeaf.bassnet.comparison import Comparison
from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.many_pitches_paths import Expected, ManyPitches
from tonedeaf.bassnet.model import Prediction
from tonedeaf.bassnet.one_pitch_paths import expected_bin, peak_bin
from tonedeaf.bassnet.path import Known, Parts, Path, SegmentPrediction, frequency_of
from tonedeaf.bassnet.paths import PATHS
from tonedeaf.bassnet.targets import oracle_target
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


def parts(ours: Path, given: SegmentPrediction, distance: AudioDistance, wanted: Tensor, phase: Tensor | None) -> Parts:
    """What a distance says of predicted notes, all of which sound alike."""
    return ours.parts(given, known(sounding(len(wanted)), phase), Comparison(distance, wanted), generator())


def known(heard: Tensor, phase: Tensor | None, bins: Tensor | None = None) -> Known:
    """What is known of notes, at a place among the bins each (at 20, if None)."""
    place = torch.full((len(heard),), 20.0) if bins is None else bins
    return Known(heard, frequency_of(place, CQT)[:, None].expand(-1, FRAMES), phase)


def audio_of(name: str, given: SegmentPrediction, about: Known) -> Tensor:
    """What a path renders, ``(notes, candidates, samples)``; of the paths that try pitches, the 49 of the range."""
    ours = path(name)
    if isinstance(ours, ManyPitches):
        return ours.tones(torch.arange(49).expand(len(about.sounding), -1), given, about)
    return ours.render(given, about).unsqueeze(1)  # pyright: ignore[reportAttributeAccessIssue]


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
        loss = parts(ours, prediction(logits), distance, target(torch.tensor([true]), phase), phase).pitch
        assert loss is not None
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        places.append(float((peak_bin if name == "local" else expected_bin)(logits.detach())))
    assert all(later < earlier for earlier, later in zip(losses[::10], losses[10::10], strict=False))
    assert abs(places[-1] - true) < 0.67 * abs(places[0] - true)


@pytest.mark.parametrize("name", ["soft", "local", "straight"])
def test_one_pitch_has_two_parts_that_are_one_distance_and_teach_apart(name: str):
    logits, phase = around(20.0, 3.0).requires_grad_(), torch.rand(1, generator=generator())
    y, f0_logits, level = prediction(logits)
    given = SegmentPrediction(y.clone().requires_grad_(), f0_logits, level.clone().requires_grad_())
    sound, pitch = parts(path(name), given, transport(), target(torch.tensor([24.0]), phase), phase)
    assert sound is not None
    assert pitch is not None
    assert float(sound.detach()) == float(pitch.detach())
    leaves = (given.y, given.level, logits)
    of_sound = torch.autograd.grad(sound, leaves, allow_unused=True)
    of_pitch = torch.autograd.grad(pitch, leaves, allow_unused=True)
    assert [each is None or not each.any() for each in of_sound] == [False, False, True]
    assert [each is None or not each.any() for each in of_pitch] == [True, True, False]


def test_given_hears_amplitudes_at_the_true_pitch_whatever_the_model_holds_it_for():
    bins, phase = torch.tensor([24.0]), torch.zeros(1)
    y, f0_logits, level = prediction(around(36.0).requires_grad_())
    leaves = (y.clone().requires_grad_(), level.clone().requires_grad_(), f0_logits)
    wanted = Comparison(transport(), target(bins, phase) / 2)
    found = path("given").parts(
        SegmentPrediction(leaves[0], f0_logits, leaves[1]), known(sounding(), phase, bins), wanted, generator()
    )
    right = parts(path("local"), prediction(around(24.0, 0.1)), transport(), target(bins, phase) / 2, phase).sound
    assert found.pitch is None
    assert found.sound is not None
    assert right is not None
    assert torch.allclose(found.sound, right, rtol=1e-4)
    gradients = torch.autograd.grad(found.sound, leaves, allow_unused=True)
    assert [each is None or not each.any() for each in gradients] == [False, False, True]


@pytest.mark.parametrize(("name", "rate"), [("expected", 30.0), ("marginal", 3.0), ("entropic", 3.0)])
def test_pitches_are_learnt_from_a_distance_without_a_gradient(name: str, rate: float):
    """Six notes at once, from logits that know nothing. No octave is missed; what is next to the pitch comes last."""
    true = torch.tensor([5.0, 12.0, 17.0, 24.0, 30.0, 36.0])
    logits = torch.zeros(6, CQT.bins, requires_grad=True)
    ours, distance, draws = path(name), Rounded(), generator()
    optimizer = torch.optim.SGD([logits], lr=rate)
    for _ in range(60):
        phase = torch.rand(6, generator=draws)
        found = parts(ours, prediction(logits), distance, target(true, phase), phase)
        assert found.sound is None
        assert found.pitch is not None
        optimizer.zero_grad()
        found.pitch.backward()
        optimizer.step()
    off = (logits.detach().argmax(1) - true).abs()
    assert off.max() <= 2
    near = (torch.arange(CQT.bins) - true[:, None]).abs() <= 2
    assert ((logits.detach().softmax(1) * near).sum(1) > 0.3).all()  # 5 of the 88 bins, which had 0.06 together
    assert distance.items == 60 * 6 * 49  # 49 candidates a note, and nothing measured twice


def test_a_likelihood_teaches_a_pitch_that_was_held_to_be_unlikely_and_expected_does_not():
    """The octave above has e^12 times as much."""
    wanted, gained = torch.tensor([24.0]), dict[str, float]()
    for name in ("expected", "marginal", "entropic"):
        logits = torch.zeros(1, CQT.bins)
        logits[0, 36] = 12.0
        logits.requires_grad_()
        found = parts(path(name), prediction(logits), Rounded(), target(wanted, torch.zeros(1)), torch.zeros(1)).pitch
        assert found is not None
        found.backward()
        assert logits.grad is not None
        gained[name] = float(-logits.grad[0, 22:27].sum())
    assert min(gained["marginal"], gained["entropic"]) > 0.9  # of probability
    assert gained["expected"] < 1e-4


@pytest.mark.parametrize("name", ["expected", "marginal", "entropic"])
@pytest.mark.parametrize("differentiable", [True, False])
def test_amplitudes_are_taught_only_where_the_distance_has_a_gradient(name: str, differentiable: bool):
    """And the pitch by its values alone."""
    given = prediction(around(24.0))
    leaves = [tensor.clone().requires_grad_() for tensor in given]
    distance = transport() if differentiable else Rounded()
    found = parts(path(name), SegmentPrediction(*leaves), distance, target(torch.tensor([29.0]), torch.zeros(1)), None)
    assert found.pitch is not None
    of_y, of_logits, of_level = torch.autograd.grad(found.pitch, leaves, allow_unused=True)
    assert of_logits.abs().sum() > 0
    assert of_y is None
    assert of_level is None
    assert (found.sound is not None) == differentiable
    if found.sound is not None:
        of_y, of_logits, of_level = torch.autograd.grad(found.sound, leaves, allow_unused=True)
        assert of_logits is None
        assert of_y.abs().sum() > 0
        assert of_level.abs().sum() > 0


@pytest.mark.parametrize("name", ["expected", "marginal", "entropic"])
def test_amplitudes_are_taught_at_the_pitch_that_the_distance_prefers(name: str):
    """Whatever the model holds for likely: here an octave above."""
    wanted, phase = target(torch.tensor([24.0]), torch.zeros(1)), torch.zeros(1)
    sound = parts(path(name), prediction(around(36.0)), transport(), wanted, phase).sound
    at_the_pitch = parts(path("local"), prediction(around(24.0, 0.1)), transport(), wanted, phase).sound
    assert sound is not None
    assert torch.allclose(sound, at_the_pitch, rtol=1e-4, atol=1e-7)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["expected", "marginal", "entropic"])
def test_candidates_weigh_what_a_note_s_frames_say_times_their_importance(name: str):
    """Frames that do not sound have no say."""
    logits = torch.randn(2, FRAMES, CQT.bins, generator=generator())
    given = prediction(torch.zeros(2, CQT.bins))._replace(f0_logits=logits)
    ours = PATHS[name](cqt=CQT, harmonics=PARTIALS, likeliest=4, drawn=30)  # pyright: ignore[reportCallIssue]
    wanted = target(torch.tensor([20.0, 30.0]), torch.zeros(2))
    log_p = logits.log_softmax(-1)[:, 2:-2].mean(1)
    drawn = draw_candidates(log_p, cqt=CQT, likeliest=4, drawn=30, generator=generator())
    assert (drawn.log_importance[:, 4:] != 0).all()
    assert isinstance(ours, ManyPitches)
    values = Comparison(transport(), wanted)(ours.tones(drawn.bins, given, known(sounding(2), None)))
    before = [[bin in row[:place] for place, bin in enumerate(row)] for row in drawn.bins.tolist()]
    assert all(map(any, before)), "some are drawn twice"
    told = ours.teach(log_p.gather(1, drawn.bins) + drawn.log_importance, values, repeated=torch.tensor(before)).mean()
    found = parts(ours, given, transport(), wanted, None).pitch
    assert found is not None
    assert torch.allclose(found, told, rtol=1e-4)


def test_a_bank_follows_the_spectrum_without_a_pitch():
    """Descent on the magnitudes alone brings the target's fundamental out."""
    y = torch.full((1, FRAMES, CQT.bins), 3.0, requires_grad=True)
    ours, distance = path("bank"), transport()
    optimizer = torch.optim.Adam([y], lr=0.1)
    losses = list[float]()
    wanted = target(torch.tensor([36.0]), torch.zeros(1))
    for _ in range(40):
        given = SegmentPrediction(y, torch.zeros_like(y), torch.full((1, FRAMES), 0.8))
        loss = parts(ours, given, distance, wanted, None).sound
        assert loss is not None
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
    given, phase = SegmentPrediction(*leaves), torch.rand(2)
    audio = audio_of(name, given, known(heard, phase))
    for first, last in ((0, 1), (FRAMES - 2, FRAMES)):
        assert (audio[0, :, first * 160 : last * 160] == 0).all()
    assert (audio[1] == 0).all()
    wanted = target(torch.tensor([22.0, 22.0]), torch.zeros(2)) * heard.any(1, keepdim=True)
    found = path(name).parts(given, known(heard, phase), Comparison(transport(), wanted), generator())
    sum(part for part in found if part is not None).backward()  # pyright: ignore[reportAttributeAccessIssue]
    for leaf in leaves:
        assert leaf.grad is None or leaf.grad.isfinite().all()


@pytest.mark.parametrize("name", ["soft", "local", "straight", "given", "expected", "marginal", "entropic"])
def test_the_right_prediction_sounds_as_the_oracle_does(name: str):
    bins = torch.tensor([24.0, 31.0])
    sure = torch.full((2, CQT.bins), -40.0)
    sure[[0, 1], bins.long()] = 40.0
    phase = torch.rand(2, generator=generator())
    audio = audio_of(name, prediction(sure), known(sounding(2), phase, bins))
    heard = audio[[0, 1], bins.long() if audio.shape[1] == 49 else [0, 0]]
    # The magnitude is read between bins, linearly, of which h^−0.8 has a little less: 0.1 dB at the most.
    assert torch.allclose(heard, target(bins, phase), atol=0.01)


@pytest.mark.parametrize("name", ["expected", "marginal", "entropic"])
@pytest.mark.parametrize("distance", ["mss", "log_mss", "log_spectral_transport", "harmonic_comb_transport"])
def test_a_spectrum_of_partials_does_not_make_half_the_pitch_the_same_sound(name: str, distance: str):
    """Nothing lies between the spectrum's partials, where half the pitch has every second of its own."""
    true = torch.tensor([29.0])
    number = torch.arange(1, 15)
    y = torch.zeros(1, FRAMES, CQT.bins)
    y[..., (29 + 12 * torch.log2(number)).round().long()] = torch.log1p(300 * number**SLOPE)
    given = prediction(torch.zeros(1, CQT.bins))._replace(y=y)
    tones = audio_of(name, given, known(sounding(), torch.zeros(1)))
    made = tonedeaf.make(distance, sample_rate=16000)
    values = Comparison(made, target(true, torch.zeros(1)))(tones)[0]
    assert values.argmin() == 29
    assert values[17] > 1.5 * values[29]  # an octave below


def test_places_among_the_bins():
    logits = torch.full((2, CQT.bins), -torch.inf)
    logits[0, [20, 44]] = torch.tensor([0.75, 0.25]).log()  # two octaves apart
    logits[1, [0, 3]] = torch.tensor([0.75, 0.25]).log()
    logits = logits.clamp(min=-60)
    assert torch.allclose(expected_bin(logits), torch.tensor([26.0, 0.75]), atol=1e-4)
    assert torch.allclose(peak_bin(logits), torch.tensor([20.0, 0.75]), atol=1e-4)
    leaf = logits.clone().requires_grad_()
    straight = path("straight")
    place = straight.place(leaf)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    assert torch.allclose(place.detach(), peak_bin(logits))
    soft = logits.clone().requires_grad_()
    assert torch.allclose(
        torch.autograd.grad(place.sum(), leaf)[0], torch.autograd.grad(expected_bin(soft).sum(), soft)[0]
    )


def test_each_target_is_represented_once_and_the_numbers_are_the_distance_s():
    audio = audio_of("expected", prediction(torch.zeros(3, CQT.bins)), known(sounding(3), torch.zeros(3)))[:, :8]
    wanted = target(torch.tensor([20.0, 25.0, 31.0]), torch.zeros(3))
    distance = tonedeaf.make("0.5*log_mss + 0.1*log_spectral_transport", sample_rate=16000)
    values = Comparison(distance, wanted)(audio)
    for candidate in range(8):
        assert torch.allclose(values[:, candidate], distance(audio[:, candidate], wanted), rtol=1e-5)


def test_windows_are_joined_and_the_finest_channel_is_taken():
    y = torch.arange(6 * 2 * 5 * 3.0).view(6, 2, 5, 3)
    windows = Prediction(y, y + 1, torch.zeros(6, 2, 5), torch.zeros(6, 2, 5))
    segments = SegmentPrediction.of_windows(windows, 3)
    assert segments.y.shape == (2, 15, 3)
    assert torch.equal(segments.y[1, 5:10], y[4, 0])
    assert torch.equal(segments.f0_logits, segments.y + 1)
    assert torch.equal(segments.level, torch.full((2, 15), 0.5))


def test_what_cannot_be_done_is_refused_with_what_can():
    with pytest.raises(ValueError, match="crepe has no gradient, which the path soft needs; the path entropic would"):
        path("soft").check(Rounded(), "crepe")
    path("expected").check(Rounded(), "crepe")
    path("soft").check(transport(), "log_spectral_transport")
    with pytest.raises(ValueError, match="got 1 likeliest and 0 drawn"):
        Expected(cqt=CQT, likeliest=1, drawn=0)
    with pytest.raises(ValueError, match="needs at least 2048 samples, got 1600"):
        Comparison(transport(), torch.zeros(1, 1600))
