from pathlib import Path

import pytest

from tonedeaf.bassnet.dataset import Dataset
from tonedeaf.bassnet.manifest import VERSION, Manifest, RendererIdentity
from tonedeaf.bassnet.split import check_apart, split_songs


def test_a_tenth_goes_to_validation_and_nothing_is_lost():
    split = split_songs(range(1000), share=0.1, seed=0)
    assert (len(split.training), len(split.validation)) == (900, 100)
    assert sorted(split.training + split.validation) == list(range(1000))
    assert split == split_songs(range(1000), share=0.1, seed=0)
    assert split != split_songs(range(1000), share=0.1, seed=1)


def test_songs_of_a_group_stay_together():
    groups = [0, 0, 0, 1, 1, 2, 3, 3, 4, 4]
    for seed in range(20):
        split = split_songs(groups, share=0.3, seed=seed)
        assert not {groups[song] for song in split.training} & {groups[song] for song in split.validation}
        assert split.training
        assert len(split.validation) >= 3


def test_both_sides_have_a_song():
    split = split_songs([0, 1], share=0.1, seed=0)
    assert (len(split.training), len(split.validation)) == (1, 1)
    assert len(split_songs([0, 1], share=0.9, seed=0).training) == 1


@pytest.mark.parametrize("groups", [[], [0], [3, 3, 3]])
def test_too_few_to_split(groups: list[int]):
    with pytest.raises(ValueError, match=r"cannot be split into training and validation: at least 2"):
        split_songs(groups, share=0.1, seed=0)


def a_dataset(name: str, *songs: str, **sources: str) -> Dataset:
    manifest = Manifest(
        version=VERSION,
        dataset="stems",
        seed=0,
        songs=len(songs),
        seconds=None,
        sample_rate=16000,
        renderer=RendererIdentity(name="stems", version="1", licence=""),
        sources=sources,
        digest="",
        complete=True,
        song_sha256=songs,
    )
    return Dataset(Path(name), manifest)


def test_songs_that_were_learnt_from_may_not_judge_nor_other_mixes_of_their_recordings():
    learnt = a_dataset("learnt", "a", "b", one="1", two="2")
    message = "^judging holds songs that are in learnt, too: render others, by another seed of tonedeaf data"
    for judging in (a_dataset("judging", "c", "b"), a_dataset("judging", "c", renamed="2")):
        with pytest.raises(ValueError, match=message):
            check_apart(judging, learnt)
    check_apart(a_dataset("judging", "c", one="3"), learnt)
