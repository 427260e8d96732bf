from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tonedeaf.bassnet import features as module
from tonedeaf.bassnet.additive_renderer import AdditiveRenderer
from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.dataset import Dataset
from tonedeaf.bassnet.features import FeatureSet, cache_folder, features, log_magnitude
from tonedeaf.bassnet.manifest import VERSION, Recipe
from tonedeaf.bassnet.rendering import render_dataset

CQT = CqtConfig(bins_per_octave=12)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    renderer = AdditiveRenderer()
    recipe = Recipe(
        version=VERSION, dataset="A1", seed=3, songs=3, seconds=3.0, sample_rate=16000, renderer=renderer.identity
    )
    with ThreadPoolExecutor(1) as executor:
        return render_dataset(tmp_path / "A1", recipe, renderer, executor)


@pytest.mark.parametrize("bins_per_octave", [12, 36])
@pytest.mark.parametrize("samples", [1, 159, 160, 7000])
def test_it_is_nnaudios_transform(bins_per_octave: int, samples: int):
    from nnAudio.features import CQT1992v2

    cqt = CqtConfig(bins_per_octave=bins_per_octave)
    reference = CQT1992v2(
        sr=16000,
        hop_length=160,
        fmin=27.5,
        n_bins=cqt.bins,
        bins_per_octave=bins_per_octave,
        pad_mode="constant",
        output_format="Complex",
        verbose=False,
    )
    audio = torch.rand(samples, generator=torch.Generator().manual_seed(0)) * 2 - 1
    transformed = reference(audio[None], normalization_type="wrap")[0]
    expected = torch.log1p(1000 * transformed.square().sum(-1).sqrt()).T
    found = log_magnitude(audio, cqt)
    assert found.shape == (samples // 160 + 1, cqt.bins) == expected.shape
    # What it leaves out is 1e-6 of the signal, and the logarithm has a slope of 1000 at silence.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("bin_", [20, 100, 263])
def test_a_sinusoid_on_a_bin_has_its_amplitude(bin_: int):
    frequency = 27.5 * 2 ** (bin_ / 36)
    time = torch.arange(4 * 16000, dtype=torch.float64) / 16000
    found = log_magnitude(0.3 * torch.cos(2 * torch.pi * frequency * time + 1), CqtConfig())[200]
    assert int(found.argmax()) == bin_
    assert (found[bin_].expm1() / 1000).item() == pytest.approx(0.3, rel=1e-3)


def test_the_lowest_bin_sees_1_87_seconds():
    """A click is heard through its Hann window, half as wide at half its height; nnAudio's kernel has zeros besides."""
    from nnAudio.features import CQT1992v2

    click = torch.zeros(4 * 16000)
    click[2 * 16000] = 1.0
    heard = log_magnitude(click, CqtConfig())[:, 0].expm1()
    assert 2 * 0.01 * (heard > heard.max() / 2).sum().item() == pytest.approx(1.87, abs=0.02)
    reference = CQT1992v2(sr=16000, hop_length=160, fmin=27.5, n_bins=264, bins_per_octave=36, verbose=False)
    assert reference.kernel_width == 32_768


def test_a_minute_of_a_track_takes_3_2_megabytes(dataset: Dataset):
    found = features(dataset, CqtConfig(), songs=[0])
    minutes = dataset.song(0).mix.size / 16000 / 60
    for track in (found.mix, found.bass):
        assert track.nbytes / minutes == pytest.approx(3.2e6, rel=0.1)


def test_features_are_those_of_the_songs_one_after_another(dataset: Dataset):
    found = features(dataset, CQT)
    lengths = [len(dataset.song(index).labels) for index in range(3)]
    assert found.songs == 3
    assert found.starts.diff().tolist() == lengths
    assert found.mix.dtype == found.bass.dtype == torch.float16
    for index in range(3):
        song, where = dataset.song(index), found.frames_of(index)
        expected = log_magnitude(torch.from_numpy(song.mix), CQT)
        # half precision: 11 bits
        torch.testing.assert_close(found.mix[where].float(), expected, rtol=2**-11, atol=1e-4)
        for name in ("f0", "level", "level_minmax", "onset", "pattern", "harmonics"):
            own = getattr(found, name)
            assert own is not None
            torch.testing.assert_close(own[where], torch.from_numpy(getattr(song.labels, name)), rtol=0, atol=0)


def equal(one: FeatureSet, other: FeatureSet) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("mix", "bass", "f0", "harmonics"))


def test_they_are_computed_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    done: list[int] = []
    first = features(dataset, CQT, progress=done.append)
    assert done == [1, 1, 1]
    assert len(list(cache_folder(dataset, CQT).iterdir())) == 3

    def fail(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(module, "log_magnitude", fail)
    assert equal(features(dataset, CQT), first)
    some = features(dataset, CQT, songs=[2, 0])
    assert torch.equal(some.mix[some.frames_of(1)], first.mix[first.frames_of(0)])
    with pytest.raises(AssertionError, match="computed again"):
        features(dataset, dataclasses.replace(CQT, log_gain=100.0))


@pytest.mark.parametrize("damage", [b"", b"half a file", None])
def test_a_damaged_file_is_computed_again(dataset: Dataset, damage: bytes | None):
    first = features(dataset, CQT)
    path = cache_folder(dataset, CQT) / "00001.safetensors"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert equal(features(dataset, CQT), first)
    assert path.stat().st_size > 1000


def test_no_song(dataset: Dataset):
    with pytest.raises(ValueError, match="has no song to compute features of"):
        features(dataset, CQT, songs=[])
    with pytest.raises(ValueError, match=r"song must be in 0\.\.2, got 3"):
        features(dataset, CQT, songs=[3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_features(dataset: Dataset):
    audio = torch.from_numpy(dataset.song(0).mix)
    # float32 sums in another order, and the logarithm's slope of 1000 at silence
    torch.testing.assert_close(log_magnitude(audio.cuda(), CQT).cpu(), log_magnitude(audio, CQT), rtol=0, atol=1e-2)
