"""Write ``training.json``: the losses of the first five steps of the tiny preset, on features that are drawn.

Run as ``python tests/golden/regenerate_training.py`` after the model, the objective or the order of what is drawn was
changed on purpose; the difference in the file is then part of the change.
"""

import json
from dataclasses import replace
from pathlib import Path

import torch

from tonedeaf.bassnet.config import F_MIN, BassNetConfig, preset
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.processes import alone
from tonedeaf.bassnet.trainer import Trainer
from tonedeaf.bassnet.windows import WindowSource

GOLDEN = Path(__file__).with_name("training.json")
STEPS = 5


def golden_features(bins: int) -> FeatureSet:
    """One song of 200 frames: a bass of one harmonic a note, under noise; the mix is noise."""
    generator = torch.Generator().manual_seed(0)
    place = torch.arange(200)
    sounding = place % 20 < 18
    note = 20 + (place // 20) % 7
    bass = torch.rand(200, bins, generator=generator)
    bass[place, note * bins // 88] += 4.0 * sounding
    return FeatureSet(
        mix=(5 * torch.rand(200, bins, generator=generator)).half(),
        bass=bass.half(),
        f0=torch.where(sounding, F_MIN * 2 ** (note / 12), 0.0).float(),
        level=torch.where(sounding, 0.8, 0.1),
        level_minmax=torch.where(sounding, 1.0, 0.0),
        onset=(place % 20 == 0).float(),
        pattern=(place // 40) % 3,
        harmonics=None,
        starts=torch.tensor([0, 200]),
    )


def golden_config() -> BassNetConfig:
    """The tiny preset in single precision, for what processors make of bfloat16 differs, and in smaller steps.

    Adam makes a step of the sign of a gradient near 0, so that rounding shows in proportion to the learning rate.
    """
    config = preset("tiny")
    return replace(config, training=replace(config.training, precision="fp32", learning_rate=1e-3))


def golden_curve(config: BassNetConfig) -> list[dict[str, float]]:
    """Every term at every step."""
    source = WindowSource(golden_features(config.cqt.bins), config.model, config.cqt)
    trainer = Trainer(config, source, audio_term=None, initial=None, processes=alone(torch.device("cpu")))
    return [trainer.advance(1, lambda: None) for _ in range(STEPS)]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden_curve(golden_config()), indent=1) + "\n", encoding="utf-8")
