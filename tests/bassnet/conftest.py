"""A configuration that trains in milliseconds, and features without sound."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from tonedeaf.bassnet.checkpoint import BEST, CONFIG, LAST, read_state
from tonedeaf.bassnet.config import (
    F_MIN,
    BassNetConfig,
    CqtConfig,
    ModelConfig,
    ObjectiveConfig,
    TrainingConfig,
)
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.history import read_history
from tonedeaf.bassnet.run import Run
from tonedeaf.bassnet.training import train

MakeFeatures = Callable[..., FeatureSet]
MakeConfig = Callable[..., BassNetConfig]
TrainIn = Callable[..., Run]
Contents = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def make_config() -> MakeConfig:
    """A very small configuration, with other values of the named fields."""

    def make(**changes: object) -> BassNetConfig:
        config = BassNetConfig(
            cqt=CqtConfig(bins_per_octave=12),
            model=ModelConfig(window=4, expanded=8, maps=3, blocks=2, head_octaves=1, head_maps=2, head_steps=3),
            objective=ObjectiveConfig(kl_weight=0.01, cross_kl_weight=0.01),
            training=TrainingConfig(
                batch=4, learning_rate=1e-2, mini_epoch=12, max_steps=9, patience=100, validation_windows=12
            ),
        )
        for part in dataclasses.fields(config):
            own = {field.name for field in dataclasses.fields(getattr(config, part.name))}
            chosen = {name: value for name, value in changes.items() if name in own}
            config = dataclasses.replace(
                config, **{part.name: dataclasses.replace(getattr(config, part.name), **chosen)}
            )
        return config

    return make


@pytest.fixture
def make_features() -> MakeFeatures:
    """Songs of random spectra, with a bass note that rises by a semitone every 10 frames and rests for 2."""

    def make(lengths: Sequence[int] = (60, 50), *, bins: int = 88, seed: int = 0, device: str = "cpu") -> FeatureSet:
        generator = torch.Generator().manual_seed(seed)
        frames = sum(lengths)
        place = torch.arange(frames)
        sounding = place % 10 < 8
        note = 15 + (place // 10) % 12
        f0 = torch.where(sounding, F_MIN * 2 ** (note / 12), 0.0).float()
        return FeatureSet(
            mix=(torch.rand(frames, bins, generator=generator) * 5).half().to(device),
            bass=(torch.rand(frames, bins, generator=generator) * 5).half().to(device),
            f0=f0.to(device),
            level=torch.where(sounding, 0.8, 0.1).to(device),
            level_minmax=torch.where(sounding, 1.0, 0.0).to(device),
            onset=(place % 10 == 0).float().to(device),
            pattern=((place // 20) % 3).to(device),
            harmonics=None,
            starts=torch.tensor([0, *lengths]).cumsum(0).to(device),
        )

    return make


@pytest.fixture
def train_in(tmp_path: Path, make_features: MakeFeatures, make_config: MakeConfig) -> TrainIn:
    """Train in a folder of this name; fields of the configuration and arguments of ``train`` may be named."""

    def train_it(name: str = "run", *, config: BassNetConfig | None = None, **arguments: object) -> Run:
        arguments = {"checkpoint_seconds": 0.0, **arguments}
        features, others = make_features(), make_features((40,), seed=1)
        return train(config or make_config(), features, others, tmp_path / name, **arguments)  # pyright: ignore[reportArgumentType]

    return train_it


@pytest.fixture(scope="session")
def contents() -> Contents:
    """What must be the same to the bit in a run's folder: all but the clocks."""

    def of(folder: Path) -> dict[str, bytes]:
        found = {name: (folder / name).read_bytes() for name in (CONFIG, BEST)}
        last = read_state(folder / LAST)
        assert last is not None
        tensors = {name: tensor.numpy().tobytes() for name, tensor in last.tensors.items()}
        facts = json.dumps({**last.facts, "seconds": None}).encode()
        history = repr([entry._replace(seconds=0) for entry in read_history(folder)]).encode()
        return found | tensors | {"facts": facts, "history": history}

    return of
