"""The hierarchical bootstrap: values that can be checked by hand, and intervals that cover."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tonedeaf.bassnet.evaluation_intervals import SEGMENT_FRAMES, SongBootstrap


def everywhere(frames: list[int]) -> dict[str, np.ndarray]:
    """The song and the frame of every frame of some songs."""
    return {
        "song": np.repeat(np.arange(len(frames)), frames),
        "frame": np.concatenate([np.arange(count) for count in frames]),
    }


def test_values_are_those_of_numpy():
    frames = [1200, 499, 2001]
    where, bootstrap = everywhere(frames), SongBootstrap(frames)
    values = np.random.default_rng(1).gamma(2.0, size=sum(frames))
    weights = np.random.default_rng(2).random(sum(frames))
    assert bootstrap.mean(values, **where)["value"] == pytest.approx(values.mean(), rel=1e-12)
    ratio = bootstrap.ratio(values, weights, **where)
    assert ratio["value"] == pytest.approx(values.sum() / weights.sum(), rel=1e-12)
    for share in (0.5, 0.9):
        found = bootstrap.quantile(values, share, **where)
        assert found["value"] == np.quantile(values, share, method="inverted_cdf")
    assert (ratio["n"], ratio["songs"]) == (sum(frames), 3)


def test_equal_values_leave_no_doubt():
    where, bootstrap = everywhere([600, 600]), SongBootstrap([600, 600])
    values = np.full(1200, 0.25)
    for found in (bootstrap.mean(values, **where), bootstrap.quantile(values, 0.9, **where)):
        assert (found["low"], found["value"], found["high"]) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("values", "share", "quantile"),
    [([1.0, 3.0], 0.5, 1.0), ([1.0, 2.0, 3.0, 4.0], 0.25, 1.0), (np.arange(1, 2501), 0.9, 2250.0)],
)
def test_a_quantile_of_one_segment_is_its_own_interval(values: ArrayLike, share: float, quantile: float):
    """Every replicate is the segment itself."""
    frames = np.zeros(np.size(values), dtype=np.int64)
    found = SongBootstrap([SEGMENT_FRAMES]).quantile(values, share, song=frames, frame=frames)
    assert (found["low"], found["value"], found["high"]) == (quantile, quantile, quantile)


def test_nothing_gives_none_and_no_nan():
    bootstrap = SongBootstrap([600])
    nothing = {"value": None, "low": None, "high": None, "n": 0, "songs": 0}
    assert bootstrap.mean([], song=[], frame=[]) == {**nothing, "of_songs": [[0.0, 0.0]]}
    assert bootstrap.quantile([], 0.5, song=[], frame=[]) == nothing
    assert bootstrap.ratio([1.0], [0.0], song=[0], frame=[3]) == {**nothing, "of_songs": [[1.0, 0.0]]}


def test_a_ratio_has_the_parts_of_each_song():
    """Songs of one, three and no segments that are measured: their totals give the ratio."""
    bootstrap = SongBootstrap([400, 1200, 700])
    found = bootstrap.ratio([1, 2, 3, 4], [2, 4, 8, 8], song=[0, 1, 1, 1], frame=[0, 499, 500, 1199])
    assert found["of_songs"] == [[1.0, 2.0], [9.0, 20.0], [0.0, 0.0]]
    assert found["value"] == pytest.approx(10 / 22)


def test_the_interval_is_as_wide_as_the_spread_of_songs_asks():
    """40 songs, each with a mean of its own and no spread within: the standard error is that of 40 numbers."""
    songs, frames = 40, SEGMENT_FRAMES * 2
    means = np.random.default_rng(3).normal(size=songs)
    found = SongBootstrap([frames] * songs).mean(np.repeat(means, frames), **everywhere([frames] * songs))
    half_width = 1.96 * means.std() / np.sqrt(songs)
    # 2000 replicates: the ends are themselves uncertain by a few percent of the width.
    assert found["low"] == pytest.approx(means.mean() - half_width, abs=0.15 * half_width)
    assert found["high"] == pytest.approx(means.mean() + half_width, abs=0.15 * half_width)


def test_segments_of_one_song_still_differ():
    """With one song the interval shows the spread between its segments; with equal segments it has no width."""
    frames = SEGMENT_FRAMES * 20
    where, bootstrap = everywhere([frames]), SongBootstrap([frames])
    means = np.random.default_rng(4).normal(size=20)
    found = bootstrap.mean(np.repeat(means, SEGMENT_FRAMES), **where)
    half_width = 1.96 * means.std() / np.sqrt(20)
    assert found["high"] - found["low"] == pytest.approx(2 * half_width, rel=0.15)


def test_quantile_intervals_agree_with_resampled_quantiles():
    """An oracle that draws songs and segments one by one."""
    frames, generator = [SEGMENT_FRAMES * 4] * 6, np.random.default_rng(5)
    where = everywhere(frames)
    values = np.abs(generator.normal(size=sum(frames))) * (1 + where["song"] % 3)
    found = SongBootstrap(frames, seed=1).quantile(values, 0.9, **where)
    blocks = values.reshape(6, 4, SEGMENT_FRAMES)
    drawn: list[float] = []
    for _ in range(600):
        rows = generator.integers(6, size=6)
        parts = [blocks[row, generator.integers(4, size=4)] for row in rows]
        drawn.append(float(np.quantile(np.concatenate(parts), 0.9)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found["low"] == pytest.approx(low, rel=0.05)
    assert found["high"] == pytest.approx(high, rel=0.05)


def test_draws_depend_on_the_seed_alone():
    frames = [700, 900, 2300, 4000, 1500]
    values = np.random.default_rng(6).random(sum(frames))
    one, again, other = (SongBootstrap(frames, seed=seed).mean(values, **everywhere(frames)) for seed in (0, 0, 1))
    assert one == again
    assert one["value"] == other["value"]
    assert one["low"] != other["low"]


@pytest.mark.parametrize("frames", [[], [0], [100, -1]])
def test_songs_without_frames_are_refused(frames: list[int]):
    with pytest.raises(ValueError, match="songs of at least one frame"):
        SongBootstrap(frames)
