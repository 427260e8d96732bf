from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tonedeaf.bassnet.config import CqtConfig, ModelConfig
from tonedeaf.bassnet.decoding import refined_f0
from tonedeaf.bassnet.model import BassNet, Prediction
from tonedeaf.bassnet.multiresolution import compress
from tonedeaf.bassnet.tracks import at_mean, encode_track, predict_track

CQT = CqtConfig(bins_per_octave=12)


class Echo(BassNet):
    """Says what it is given: x as y, z in place of level and onset."""

    def decode(self, x: Tensor, z: Tensor) -> Prediction:
        places = z.logit()[:, :, None, None].expand(-1, -1, *x.shape[1:3])
        return Prediction(x, x * 0, places[:, 0], places[:, 1])


def a_model(kind: type[BassNet] = Echo, *, expanded: int = 4) -> BassNet:
    torch.manual_seed(0)
    return kind(ModelConfig(window=4, expanded=expanded, maps=3, blocks=2), CQT).eval()


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 50, 101])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_windows_add_up_to_the_track(frames: int, batch: int):
    mix = torch.rand(frames, CQT.bins)
    track = predict_track(a_model(), mix, torch.tensor([0.3, 0.6]), batch=batch)
    torch.testing.assert_close(track.y, mix, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(track.level, torch.full((frames,), 0.3), rtol=1e-5, atol=0)
    torch.testing.assert_close(track.onset, torch.full((frames,), 0.6), rtol=1e-5, atol=0)
    torch.testing.assert_close(track.f0_probabilities.sum(-1), torch.ones(frames), rtol=1e-5, atol=0)


def test_the_mean_of_a_distribution_is_where_its_peak_is_read():
    """Of two octaves that are equally likely, the tritone between them; of one bin, that bin, the last one too."""
    two, last = torch.zeros(2, CQT.bins)
    two[[20, 32]] = 0.5
    last[-1] = 2.0  # sums need not be 1
    skewed = torch.rand(CQT.bins).square()
    found = at_mean(torch.stack((two, last, skewed)))
    assert found[0].argmax() == 26
    assert found[1].argmax() == CQT.bins - 1
    torch.testing.assert_close(found.sum(-1), torch.ones(3))
    place = float(skewed @ torch.arange(CQT.bins).float() / skewed.sum())
    assert refined_f0(found[2:].numpy(), CQT)[0] == pytest.approx(27.5 * 2 ** (place / 12), rel=1e-5)


def test_a_model_that_is_read_by_its_mean_says_its_mean():
    torch.manual_seed(0)
    mix, z = torch.rand(30, CQT.bins), torch.ones(2)
    peak, mean = (
        BassNet(ModelConfig(window=4, expanded=4, maps=3, blocks=2, f0_reading=reading), CQT).eval()
        for reading in ("peak", "mean")
    )
    mean.load_state_dict(peak.state_dict())
    torch.testing.assert_close(
        predict_track(mean, mix, z).f0_probabilities, at_mean(predict_track(peak, mix, z).f0_probabilities)
    )


def test_coarse_resolutions_count_at_a_windows_ends_only():
    slow = torch.linspace(0, 1, 200)[:, None].expand(-1, CQT.bins)
    track = predict_track(a_model(expanded=32), slow, torch.tensor([0.5, 0.5]))
    # Within a window, a pool of 8 frames is off by at most 3.5 of them.
    assert (track.y - slow)[32:-32].abs().max() < 3.5 / 199


def test_a_latent_that_moves_moves_with_the_track():
    frames = 40
    z = torch.stack((torch.linspace(0.1, 0.9, frames), torch.full((frames,), 0.5)), dim=1)
    track = predict_track(a_model(), torch.rand(frames, CQT.bins), z)
    # Between two windows, 2 frames apart, a Hann fade passes from one z to the next: within half a hop's change.
    assert (track.level - z[:, 0]).abs().max() <= 0.8 / (frames - 1) + 1e-6


def test_only_the_frames_near_by_matter():
    model = a_model(BassNet)
    mix = torch.rand(60, CQT.bins)
    other = mix.clone()
    other[:20] += 1
    one, two = (predict_track(model, each, torch.ones(2)) for each in (mix, other))
    assert torch.equal(one.y[24:], two.y[24:])
    assert not torch.equal(one.y[:20], two.y[:20])


def test_the_latent_along_a_track():
    model = a_model(BassNet, expanded=8)
    mix, bass = torch.rand(2, 30, CQT.bins).half()
    mu, centre = encode_track(model, mix, bass, hop_windows=0.5)
    assert centre.tolist() == [4, 8, 12, 16, 20, 24]
    for row, first in enumerate(range(0, 23, 4)):
        x, y = (compress(track[None, first : first + 8].float(), 4) for track in (mix, bass))
        torch.testing.assert_close(mu[row], model.encode(x, y).mu[0], rtol=1e-4, atol=1e-6)
    assert len(encode_track(model, mix, bass, hop_windows=1)[0]) == 3
    assert encode_track(model, mix, bass, hop_windows=0.001)[1].tolist() == list(range(4, 27))


def test_what_does_not_fit_is_refused():
    model = a_model()
    mix = torch.rand(10, CQT.bins)
    with pytest.raises(ValueError, match=r"mix must be shaped \(frames, 88\), got \(10, 87\)"):
        predict_track(model, mix[:, 1:], torch.zeros(2))
    with pytest.raises(ValueError, match=r"mix must be shaped \(frames, 88\), got \(0, 88\)"):
        predict_track(model, mix[:0], torch.zeros(2))
    with pytest.raises(ValueError, match=r"z must be shaped \(2,\) or \(10, 2\), got \(9, 2\)"):
        predict_track(model, mix, torch.zeros(9, 2))
    with pytest.raises(ValueError, match="a window has 4 frames of 10 ms; the track has only 3"):
        encode_track(model, mix[:3], mix[:3])
    with pytest.raises(ValueError, match="mix and bass must have one shape"):
        encode_track(model, mix, mix[1:])
    with pytest.raises(ValueError, match="hop_windows must be positive"):
        encode_track(model, mix, mix, hop_windows=0)
