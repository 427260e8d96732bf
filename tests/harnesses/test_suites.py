"""Every variant of the suite's own distance is another distance."""

import math

import pytest
import torch

from tonedeaf.harnesses.suites import ABLATION, SENSITIVITY, Suite
from tonedeaf.losses import make


@pytest.mark.parametrize("suite", [ABLATION, SENSITIVITY], ids=lambda suite: suite.name)
def test_every_variant_says_something_else(suite: Suite):
    """Of two tones in noise that differ in pitch, level, tilt and course."""
    time = torch.arange(8000, dtype=torch.float64) / 16000
    noise = 0.05 * torch.randn(2, 8000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target, prediction = (
        sum(h**-tilt * torch.cos(2 * math.pi * h * f0 * time + h) for h in range(1, 9)) * gain * time.mul(-fall).exp()
        for f0, tilt, gain, fall in ((110, 1.0, 0.3, 0.0), (113, 0.5, 0.2, 3.0))
    )
    said = {
        text: make(text, sample_rate=16000)(prediction + noise[:1], target + noise[1:]).item()
        for text in suite.distances
    }
    assert len({f"{value:.9g}" for value in said.values()}) == len(suite.distances)
