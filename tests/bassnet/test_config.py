import json
from typing import Any

import pytest

from tonedeaf.bassnet.config import (
    PRESETS,
    BassNetConfig,
    CqtConfig,
    ModelConfig,
    ObjectiveConfig,
    TrainingConfig,
    preset,
)


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_goes_to_json_and_back(name: str):
    config = preset(name)
    assert BassNetConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_the_paper_preset_is_the_papers():
    config = preset("paper")
    assert config.cqt.bins == 264
    assert (config.model.window, config.model.expanded, config.model.maps, config.model.blocks) == (20, 20, 128, 5)
    assert config.model.latent == 2
    training = config.training
    assert (training.batch, training.learning_rate, training.mini_epoch, training.patience) == (20, 1e-4, 1000, 1000)
    assert (training.neighbourhood, training.validation_share) == (5.0, 0.1)
    assert training.steps_per_mini_epoch * training.patience == 50_000
    assert training.max_steps is None


def test_divergences_weigh_1_as_in_the_paper_and_less_in_the_presets():
    assert ObjectiveConfig() == ObjectiveConfig(
        kl_weight=1.0,
        cross_kl_weight=1.0,
        spectral_weight=1.0,
        f0_weight=1.0,
        level_weight=1.0,
        onset_weight=1.0,
        kl_warmup_steps=0,
    )
    weights = {name: preset(name).objective for name in PRESETS}
    assert {name: (one.kl_weight, one.cross_kl_weight, one.kl_warmup_steps) for name, one in weights.items()} == {
        "tiny": (0.003, 0.003, 0),
        "small": (0.003, 0.003, 0),
        "paper": (0.01, 0.01, 2000),
    }


@pytest.mark.parametrize(
    ("window", "expanded", "channels"), [(10, 10, 1), (4, 16, 3), (2, 16, 4), (8, 16, 2), (10, 640, 7), (40, 640, 5)]
)
def test_channels_are_those_of_the_papers_examples(window: int, expanded: int, channels: int):
    assert ModelConfig(window=window, expanded=expanded).channels == channels


def test_bins_cover_88_semitones():
    assert [CqtConfig(bins_per_octave=bins).bins for bins in (12, 24, 36)] == [88, 176, 264]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"cqt": {"octaves": 7}}, "unknown field config.cqt.octaves; there are bins_per_octave, log_gain"),
        ({"extra": 1}, "unknown field config.extra"),
        ({"model": {"maps": "many"}}, "config.model.maps cannot be 'many'"),
        ({"training": {"max_steps": 1.5}}, "config.training.max_steps cannot be 1.5"),
        ({"objective": []}, "config.objective must be a JSON object"),
        (None, "config must be a JSON object"),
        ({"model": {"bottleneck": "max"}}, "config.model.bottleneck cannot be 'max'"),
    ],
)
def test_a_document_is_read_strictly(document: Any, message: str):
    with pytest.raises(ValueError, match=message):
        BassNetConfig.from_json(document)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CqtConfig(bins_per_octave=20), "multiple of 12, got 20"),
        (lambda: ModelConfig(window=20, expanded=60), "window 20 and expanded 60"),
        (lambda: ModelConfig(window=5, expanded=10), "window must be even"),
        (lambda: ModelConfig(window=5, expanded=5), "expanded must be even"),
        (lambda: ModelConfig(kernel=4), "kernel must be odd"),
        (lambda: ModelConfig(kernel=1), "kernel must be at least 3"),
        (lambda: ModelConfig(maps=0), "maps must be positive"),
        (lambda: ObjectiveConfig(kl_weight=-1), "kl_weight must be finite and not negative"),
        (lambda: ObjectiveConfig(f0_weight=float("inf")), "f0_weight must be finite"),
        (lambda: TrainingConfig(batch=5), "batch must be even"),
        (lambda: TrainingConfig(learning_rate=0), "learning_rate must be positive"),
        (lambda: TrainingConfig(max_steps=0), "max_steps must be positive"),
        (lambda: TrainingConfig(validation_share=1), "validation_share must be in"),
        (lambda: TrainingConfig(seed=-1), "seed must be in"),
        (lambda: TrainingConfig(learning_rate_decay="cosine"), "needs max_steps"),
        (lambda: preset("huge"), "unknown preset 'huge'; there are tiny, small, paper"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str):
    with pytest.raises(ValueError, match=message):
        make()
