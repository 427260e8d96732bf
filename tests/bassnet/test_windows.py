from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from tonedeaf.bassnet.config import BassNetConfig, CqtConfig
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.multiresolution import compress
from tonedeaf.bassnet.windows import UNVOICED, WindowSource, nearest_bin

MakeFeatures = Callable[..., FeatureSet]
MakeConfig = Callable[..., BassNetConfig]


def a_source(features: FeatureSet, config: BassNetConfig) -> WindowSource:
    return WindowSource(features, config.model, config.cqt, config.objective.level)


def test_partners_are_from_the_same_song_and_near(make_features: MakeFeatures, make_config: MakeConfig):
    features = make_features((60, 8, 5, 50))  # the window has 8 frames: 53, 1, 0 and 43 places
    source = a_source(features, make_config())
    assert source.count == 53 + 1 + 43
    first, second = source.draw_pairs(20_000, apart=10, generator=torch.Generator().manual_seed(0))
    song, partner_song = (torch.searchsorted(features.starts, each, right=True) for each in (first, second))
    assert torch.equal(song, partner_song)
    for each in (first, second):
        assert (each + 8 <= features.starts[song]).all()
    assert (first - second).abs().max() == 10
    # Every window is as likely: 206 times each, standard deviation 14; 97 of them stay within 5.
    counts = torch.bincount(first, minlength=len(features.f0))
    drawn = counts[counts > 0]
    assert len(drawn) == source.count
    assert (drawn - 20_000 / 97).abs().max() < 5 * (20_000 / 97) ** 0.5
    # In the middle of a long song all 21 partners are as likely.
    apart = (second - first)[(first >= 10) & (first < 43)]
    shares = torch.bincount(apart + 10, minlength=21) / len(apart)
    assert (shares - 1 / 21).abs().max() < 0.01


def test_draws_are_those_of_the_generator(make_features: MakeFeatures, make_config: MakeConfig):
    source = a_source(make_features(), make_config())
    drawn = [source.draw_pairs(5, apart=3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_windows_are_spread_over_all_songs(make_features: MakeFeatures, make_config: MakeConfig):
    source = a_source(make_features((60, 5, 50)), make_config())
    assert source.spread(10_000).tolist() == [*range(53), *range(65, 65 + 43)]
    some = source.spread(5)
    assert len(some) == 5
    assert (some[0].item(), some[-1].item()) == (0, 65 + 42)


def test_a_batch_is_the_songs_compressed(make_features: MakeFeatures, make_config: MakeConfig):
    features = make_features()
    for name in ("absolute", "minmax"):
        batch = a_source(features, make_config(level=name)).take(torch.tensor([3, 70]))
        for row, first in enumerate((3, 70)):
            where = slice(first, first + 8)
            level = features.level if name == "absolute" else features.level_minmax
            for found, signal in (
                (batch.x, features.mix.float()),
                (batch.y, features.bass.float()),
                (batch.level, level),
                (batch.onset, features.onset),
                (batch.voiced, (features.f0 > 0).float()),
            ):
                torch.testing.assert_close(found[row], compress(signal[None, where], 4)[0], rtol=0, atol=1e-7)


class Largest(TorchFunctionMode):
    """Notes how many elements the largest tensor has that an operation gives."""

    elements = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if isinstance(found, torch.Tensor):
            self.elements = max(self.elements, found.numel())
        return found


def test_what_a_batch_takes_does_not_grow_with_the_songs(make_features: MakeFeatures, make_config: MakeConfig):
    largest: list[int] = []
    for lengths in ((60, 50), (6000, 5000)):
        source = a_source(make_features(lengths), make_config())
        with Largest() as mode:
            source.take(torch.tensor([3, 70]))
        largest.append(mode.elements)
    assert largest == [2 * 8 * 89] * 2  # the distribution over the bins, and one for the unvoiced


def test_targets_of_f0_are_histograms_of_the_voiced_frames(make_features: MakeFeatures, make_config: MakeConfig):
    features = make_features()
    f0 = torch.zeros_like(features.f0)
    f0[:8] = torch.tensor([55.0, 55.0, 110.0, 0.0, 0.0, 0.0, 58.27, 55.0])
    batch = a_source(dataclasses.replace(features, f0=f0), make_config()).take(torch.tensor([0]))
    fine, coarse = batch.f0[0]
    # Frames 2 to 5, and pairs of frames.
    assert batch.voiced.tolist() == [[[1, 0, 0, 0], [1, 0.5, 0, 1]]]
    assert fine.nonzero().tolist() == [[0, 24]]
    assert [row.nonzero().flatten().tolist() for row in coarse] == [[12], [24], [], [12, 13]]
    assert coarse[3, 12:14].tolist() == [0.5, 0.5]
    torch.testing.assert_close(batch.f0.sum(-1), (batch.voiced > 0).float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bins_per_octave", [12, 36])
def test_the_nearest_bin(bins_per_octave: int):
    cqt = CqtConfig(bins_per_octave=bins_per_octave)
    centres = 27.5 * 2 ** (torch.arange(cqt.bins, dtype=torch.float64) / bins_per_octave)
    half_a_bin = 2 ** (0.49 / bins_per_octave)
    for bent in (1, half_a_bin, 1 / half_a_bin):
        assert torch.equal(nearest_bin((centres * bent).float(), cqt), torch.arange(cqt.bins))
    beyond = torch.tensor([0.0, 20.0, 10_000.0])
    assert nearest_bin(beyond, cqt).tolist() == [UNVOICED] * 3


def test_songs_that_are_too_short(make_features: MakeFeatures, make_config: MakeConfig):
    with pytest.raises(ValueError, match="no song is as long as a window of 8 frames of 10 ms: the longest has 7"):
        a_source(make_features((7, 5)), make_config())


def test_partners_are_transposed_alike_and_so_is_f0(make_features: MakeFeatures, make_config: MakeConfig):
    features = make_features()
    source = a_source(features, make_config())
    first = torch.tensor([3, 40])
    plain = source.take(first)
    moved = source.take(first, transposed=torch.tensor([1.0, -2.0]))
    torch.testing.assert_close(moved.x[0, ..., 1:], plain.x[0, ..., :-1], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved.y[1, ..., :-2], plain.y[1, ..., 2:], rtol=0, atol=1e-5)
    assert torch.equal(moved.f0[0, ..., 1:], plain.f0[0, ..., :-1])
    assert torch.equal(moved.f0[1, ..., :-2], plain.f0[1, ..., 2:])
    # A quarter of a bin does not reach the next bin, from a centre.
    assert torch.equal(source.take(first, transposed=torch.tensor([0.25, -0.25])).f0, plain.f0)
    assert torch.equal(moved.level, plain.level)
