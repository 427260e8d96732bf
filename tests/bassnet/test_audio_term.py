"""An audio distance as a training term: gradients where they belong, calibration, and what cannot be used."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

import tonedeaf
from tonedeaf.bassnet.audio_term import HARMONICS, AudioTerm, AudioTermConfig
from tonedeaf.bassnet.config import HOP, SAMPLE_RATE, CqtConfig, ModelConfig
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.targets import oracle_target, stem_audio
from tonedeaf.bassnet.trainer import DivergedError
from tonedeaf.losses import AudioDistance

CQT = CqtConfig(bins_per_octave=12)
STARTS = torch.tensor([0, 160, 320])


class Steps(AudioDistance):
    """A distance without a gradient: in whole thousandths."""

    differentiable = False

    def distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((prediction - target).abs().mean(-1) * 1000).floor()


def feature_set() -> FeatureSet:
    """Two songs of 1.6 s, a note of 0.4 s every 0.5 s."""
    generator = torch.Generator().manual_seed(0)
    frames = int(STARTS[-1])
    place = torch.arange(frames) % 50
    sounding = place < 40
    pitch = 55.0 * 2 ** (torch.arange(frames).div(50, rounding_mode="floor") / 12)
    harmonics = torch.rand(frames, HARMONICS, generator=generator) * sounding[:, None]
    return FeatureSet(
        mix=torch.rand(frames, CQT.bins, generator=generator).half(),
        bass=torch.rand(frames, CQT.bins, generator=generator).half(),
        f0=torch.where(sounding, pitch, 0.0),
        level=torch.where(sounding, 0.8, 0.0),
        level_minmax=torch.where(sounding, 0.8, 0.0),
        onset=(place == 0).float(),
        pattern=torch.zeros(frames, dtype=torch.int64),
        harmonics=harmonics,
        starts=STARTS,
    )


def model(window: int = 10, expanded: int = 10) -> BassNet:
    torch.manual_seed(1)
    return BassNet(ModelConfig(window=window, expanded=expanded, maps=4, blocks=2), CQT)


def term(distance: str | AudioDistance = "mss[n_ffts=1024,256]", **config: Any) -> AudioTerm:
    made = tonedeaf.make(distance, sample_rate=SAMPLE_RATE) if isinstance(distance, str) else distance
    stems = torch.rand(HOP * int(STARTS[-1])) if config.get("target") == "stem" else None
    name = distance if isinstance(distance, str) else type(distance).__name__
    return AudioTerm(name, made, AudioTermConfig(**config), feature_set(), model(), stems=stems)


def calibrated(distance: str | AudioDistance = "mss[n_ffts=1024,256]", **config: Any) -> AudioTerm:
    ours = term(distance, **config)
    ours.calibrate(model(), torch.Generator().manual_seed(5))
    return ours


def gradients(found: torch.Tensor, net: BassNet) -> dict[str, float]:
    found.backward()
    norms = {name: float(p.grad.norm()) if p.grad is not None else 0.0 for name, p in net.named_parameters()}
    assert all(norm < float("inf") for norm in norms.values())
    return norms


@pytest.mark.parametrize("target", ["oracle", "stem"])
@pytest.mark.parametrize("path", ["soft", "local", "straight", "expected", "marginal", "entropic", "bank"])
def test_every_path_reaches_the_weights(path: str, target: str):
    net, ours = model(), calibrated(path=path, target=target, condition="audio-only")
    found = ours(net, ours.features, torch.Generator().manual_seed(0), 0)
    norms = gradients(found["loss"], net)
    assert norms[next(iter(norms))] > 0  # of the first encoder
    assert (norms["pitch.layers.2.weight"] > 0) == (path != "bank")  # the bank has no pitch
    assert norms["mu.weight"] > 0  # through z


@pytest.mark.parametrize(("window", "expanded"), [(10, 10), (20, 20), (10, 40)])
def test_windows_of_every_size_make_segments_of_one_length(window: int, expanded: int):
    net, features = model(window, expanded), feature_set()
    seen: list[torch.Size] = []

    class Seen(AudioDistance):
        def distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            seen.append(prediction.shape)
            return (prediction - target).abs().mean(-1)

    ours = AudioTerm("Seen", Seen(sample_rate=SAMPLE_RATE), AudioTermConfig(path="local"), features, net)
    ours.calibrate(net, torch.Generator().manual_seed(0))
    gradients(ours(net, features, torch.Generator().manual_seed(0), 0)["loss"], net)
    assert {shape[-1] for shape in seen} == {8000}


@pytest.mark.parametrize("cents", [0.0, 45.0])
def test_mix_bass_and_target_are_transposed_together(cents: float, monkeypatch: pytest.MonkeyPatch):
    """Spectra have a bump at the pitch, a whole bin: all that is heard and seen is the same fraction off it."""
    plain, net = feature_set(), model()
    centre = 12 * torch.log2(plain.f0.clamp(min=1) / 27.5)
    bump = 3 * torch.exp(-0.125 * (torch.arange(CQT.bins) - centre[:, None]) ** 2) * (plain.f0 > 0)[:, None]
    features = replace(plain, mix=bump.half(), bass=bump.half())
    off: dict[str, list[torch.Tensor]] = {"seen": [], "heard": []}

    def fraction(bins: torch.Tensor) -> torch.Tensor:
        return bins - bins.round()

    def noted(call: Any) -> Any:
        def noting(*windows: torch.Tensor) -> Any:
            for each in windows[: 1 + (call.__name__ == "encode")]:
                weight = each[:, 0].sum(-1)
                centroid = (each[:, 0] * torch.arange(CQT.bins)).sum(-1) / weight
                found = torch.where(weight > 1, fraction(centroid), torch.nan).nanmedian(-1).values
                off["seen"].append(found.view(4, -1).nanmedian(-1).values)
            return call(*windows)

        return noting

    def target(f0: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        off["heard"].append(fraction(12 * torch.log2(f0.amax(-1) / 27.5)))
        return oracle_target(f0, *rest, **more)

    for name in ("encode", "decode"):
        monkeypatch.setattr(net, name, noted(getattr(net, name)))
    monkeypatch.setattr("tonedeaf.bassnet.audio_term.oracle_target", target)
    distance = tonedeaf.make("mss[n_ffts=1024,256]", sample_rate=SAMPLE_RATE)
    ours = AudioTerm("mss", distance, AudioTermConfig(path="given"), features, net, transposition=cents)
    ours.calibrate(net, torch.Generator().manual_seed(0))
    heard, seen = torch.stack(off["heard"]), torch.stack(off["seen"]).view(-1, 3, 4)
    assert heard.abs().max() <= cents / 100 + 1e-4
    assert (heard.abs() > 0.05).any() == (cents > 0)
    apart = (seen - heard[:, None]).abs()
    assert apart.isfinite().float().mean() > 0.5, "the others have windows of rests only"
    assert apart.nan_to_num().max() < 0.03
    still, moving = (
        AudioTerm("mss", distance, AudioTermConfig(path="local"), plain, model(), transposition=each)
        for each in (0.0, 50.0)
    )
    assert still.value(model(), draws=2, seed=3) == moving.value(model(), draws=2, seed=3), "judges move nothing"


@pytest.mark.parametrize("path", ["expected", "marginal", "entropic"])
def test_a_distance_without_gradient_teaches_pitch_and_nothing_else(path: str):
    net, ours = model(), calibrated(Steps(sample_rate=SAMPLE_RATE), path=path, condition="audio-only")
    assert list(ours.scales) == ["pitch"]
    norms = gradients(ours(net, ours.features, torch.Generator().manual_seed(0), 0)["loss"], net)
    assert norms["pitch.layers.2.weight"] > 0
    assert norms["level.layers.2.weight"] == 0
    unusable = term(Steps(sample_rate=SAMPLE_RATE), path="soft")
    with pytest.raises(ValueError, match="Steps has no gradient, which the path soft needs; the path entropic would"):
        unusable.calibrate(net, torch.Generator())
    with pytest.raises(
        ValueError, match="Steps has no gradient, and in the condition replace pitch is not taught by it"
    ):
        calibrated(Steps(sample_rate=SAMPLE_RATE), path=path, condition="replace")


@pytest.mark.parametrize("path", ["local", "expected"])
@pytest.mark.parametrize("condition", ["replace", "audio-only"])
def test_calibration_undoes_the_distances_size(condition: str, path: str):
    scales: list[dict[str, float]] = []
    for distance in ("mss[n_ffts=1024,256]", "1000*mss[n_ffts=1024,256]"):
        net, ours = model(), term(distance, condition=condition, path=path)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        scales.append(ours.calibrate(net, torch.Generator().manual_seed(5)))
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        assert all(parameter.grad is None for parameter in net.parameters())
    taught = {"sound", "pitch"} if condition == "audio-only" else {"sound"}
    assert set(scales[0]) == set(scales[1]) == taught
    for name in taught:
        assert scales[0][name] == pytest.approx(1000 * scales[1][name], rel=1e-3)  # float32
        assert scales[0][name] > 0


@pytest.mark.parametrize("path", ["marginal", "entropic"])
def test_a_likelihood_does_not_depend_on_the_distances_size(path: str):
    small, large = (
        calibrated(distance, condition="audio-only", path=path).scales["pitch"]
        for distance in ("mss[n_ffts=1024,256]", "1000*mss[n_ffts=1024,256]")
    )
    assert small == pytest.approx(large, rel=1e-2)  # float32


@pytest.mark.parametrize("path", ["soft", "local", "expected"])
def test_a_sound_replaces_the_squared_error_whatever_becomes_of_pitch(path: str):
    replaced, heard = (
        calibrated(condition=condition, path=path).scales["sound"] for condition in ("replace", "audio-only")
    )
    assert heard == pytest.approx(replaced)


@pytest.mark.parametrize("transposition", [0.0, 100.0])
def test_the_pitch_that_a_distance_prefers_is_told_in_semitones_above_the_true_one(transposition: float):
    """Of a distance whose every target sounds like the candidate a fifth above its note; whatever the model holds."""

    class Fifth(AudioDistance):
        def distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return (cycles(prediction) - 1.5 * cycles(target)).abs()

    def cycles(audio: torch.Tensor) -> torch.Tensor:
        """Of the fundamental: the lag at which a signal is most like itself, by the parabola through its best three."""
        spectrum = torch.fft.rfft(audio.double(), n=2 * audio.shape[-1])
        alike = torch.fft.irfft(spectrum.abs().square())[:, : audio.shape[-1] // 2]
        alike = alike / torch.linspace(1, 0.5, alike.shape[-1])  # as fewer samples overlap
        lags = torch.arange(alike.shape[-1])
        best = alike.masked_fill((lags < 30) | (lags > 640), -torch.inf).argmax(-1, keepdim=True)
        left, middle, right = (alike.gather(-1, best + step) for step in (-1, 0, 1))
        return SAMPLE_RATE / (best + (left - right) / (2 * (left - 2 * middle + right))).squeeze(-1)

    net, config = model().eval(), AudioTermConfig(path="entropic", condition="audio-only", segments=3)
    ours = AudioTerm("Fifth", Fifth(sample_rate=SAMPLE_RATE), config, feature_set(), net, transposition=transposition)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    off = ours.preferred(net, draws=8, seed=0)
    assert off.shape == (24,)
    assert (off.remainder(12) == 7).float().mean() > 0.9, "wherever the pitch lies (the tracker has its octaves)"
    assert torch.equal(off, ours.preferred(net, draws=8, seed=0))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    with pytest.raises(ValueError, match="the path soft does not try pitches"):
        term(path="soft").preferred(model(), draws=1, seed=0)


def test_a_preferred_pitch_is_in_semitones_whatever_the_bins_and_pitches_out_of_range_are_left_out():
    """The distance prefers 27.5 Hz; the notes lie 12, 13, … semitones above it, and one song's beyond 440 Hz."""
    ours = term(path="entropic", condition="audio-only", segments=3)
    fine = SimpleNamespace(cqt=CqtConfig(bins_per_octave=36), nearest=lambda *_given: torch.zeros(3, dtype=torch.int64))
    ours.path = cast(Any, fine)
    off = ours.preferred(model().eval(), draws=4, seed=0)
    assert len(off) == 12
    assert set(off.tolist()) <= {-float(12 + note) for note in range(7)}
    ours.features.f0[160:] *= 16
    assert 0 < len(ours.preferred(model().eval(), draws=4, seed=0)) < 12


def test_the_same_generator_gives_the_same_term():
    ours = calibrated()
    values = {
        float(ours(model(), ours.features, torch.Generator().manual_seed(seed), step)["audio"])
        for seed, step in ((3, 0), (3, 7))
    }
    assert len(values) == 1


def test_the_loss_is_the_sum_of_the_parts_times_their_scales():
    ours = term()
    ours.scales = {"sound": 3.0, "pitch": 5.0}
    found = ours(model(), ours.features, torch.Generator().manual_seed(0), 0)
    assert found["loss"].item() == pytest.approx(3 * float(found["audio"]) + 5 * float(found["pitch"]))


class Changing(AudioDistance):
    """A distance whose size changes."""

    size = 1.0

    def distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (prediction - target).square().mean(-1) * self.size


def test_a_gradient_that_grows_is_scaled_down_where_that_is_asked_and_nothing_that_is_drawn_changes():
    changing = Changing(sample_rate=SAMPLE_RATE)
    once, again = (calibrated(changing, condition="audio-only", path="local", calibrate_every=n) for n in (0, 10))
    first = dict(again.scales)
    steps = ((1.0, 0), (400.0, 7), (400.0, 10), (400.0, 11), (0.01, 20), (100.0, 30))
    divided = (1.0, 1.0, 400.0, 400.0, 1.0, 100.0)  # a gradient that has shrunk keeps its scale
    for (changing.size, step), divisor in zip(steps, divided, strict=True):
        found = [ours(model(), ours.features, _seeded(3), step) for ours in (once, again)]
        assert found[0]["audio"] == found[1]["audio"]
        assert "audio_scale" not in found[0]
        # Other draws than at first, of notes of other sizes: within a factor of 4.
        for name, logged in (("sound", "audio_scale"), ("pitch", "pitch_scale")):
            assert again.scales[name] <= first[name]
            assert first[name] / divisor / 4 <= again.scales[name] <= min(first[name], 4 * first[name] / divisor)
            assert found[1][logged].item() == pytest.approx(again.scales[name])
    assert once.scales == first


def test_a_distance_that_loses_its_gradient_on_the_way_stops_the_training():
    fading = Changing(sample_rate=SAMPLE_RATE)
    ours = calibrated(fading, path="local", calibrate_every=5)
    fading.size = 0.0
    with pytest.raises(
        DivergedError, match=r"at step 5: Changing has no usable gradient .* the last checkpoint is kept"
    ):
        ours(model(), ours.features, _seeded(0), 5)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_model_is_judged_on_the_same_segments_each_time_and_keeps_its_statistics():
    ours, net = term(Steps(sample_rate=SAMPLE_RATE), path="local"), model().eval()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    first, again, other = (ours.value(net, draws=3, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())


def test_what_cannot_be_used_is_refused_at_once():
    with pytest.raises(ValueError, match=r"mss needs segments of at least 0.13 s, got 0.12 s"):
        term("mss", segment_seconds=0.12)
    with pytest.raises(
        ValueError,
        match="path must be one of soft, local, straight, given, expected, marginal, entropic, bank, got 'hard'",
    ):
        AudioTermConfig(path="hard")
    with pytest.raises(ValueError, match=r"calibrate_every must not be negative \(steps\), got -1"):
        AudioTermConfig(calibrate_every=-1)
    features = feature_set()
    bare = replace(features, harmonics=None)
    made = tonedeaf.make("mss", sample_rate=SAMPLE_RATE)
    with pytest.raises(ValueError, match="oracle needs the amplitudes of the partials"):
        AudioTerm("mss", made, AudioTermConfig(), bare, model())
    with pytest.raises(ValueError, match="stem needs the audio"):
        AudioTerm("mss", made, AudioTermConfig(target="stem"), features, model())

    class Blind(AudioDistance):
        def distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return (prediction * 0).sum(-1) + (target * 0).sum(-1)

    blind = term(Blind(sample_rate=SAMPLE_RATE), path="local")
    with pytest.raises(ValueError, match="Blind has no usable gradient"):
        blind.calibrate(model(), torch.Generator())
    ours = term()
    with pytest.raises(ValueError, match="must be calibrated"):
        ours(model(), ours.features, torch.Generator(), 0)
    with pytest.raises(ValueError, match="the features that it was made for"):
        ours(model(), feature_set(), torch.Generator(), 0)


def test_stems_lie_under_their_frames():
    """Two songs of 2 and 1 frames: samples of the first fill both frames, of the second what there is."""
    starts = torch.tensor([0, 2, 3])
    audio = stem_audio([torch.arange(200.0), torch.full((500,), -1.0)], starts)
    assert audio.shape == (480,)
    assert audio[:200].tolist() == list(range(200))
    assert (audio[200:320] == 0).all()
    assert (audio[320:] == -1).all()
