"""The example without a gradient hears what it says it hears."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tonedeaf.losses.conformance import conformance

RATE = 16000
TRACKER: Any = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "pitch_tracker.py"))["PitchTracker"]


@pytest.mark.parametrize("partials", [(1.0,), (1.0, 0.5, 0.25), (0.2, 1.0, 0.8), (0.0, 1.0, 1.0)])
@pytest.mark.parametrize("hertz", [28.0, 41.2, 55.0, 110.0, 440.0])
@pytest.mark.parametrize("seconds", [0.08, 0.5])
def test_the_tracker_hears_the_pitch_of_a_tone(partials: tuple[float, ...], hertz: float, seconds: float):
    """To the nearest whole period, with a missing fundamental, too."""
    time = torch.arange(round(seconds * RATE)) / RATE
    tone = torch.stack([a * torch.sin(2 * torch.pi * h * hertz * time + h) for h, a in enumerate(partials, 1)]).sum(0)
    distance = TRACKER(sample_rate=RATE)
    heard = 2 ** (distance.represent(tone[None]) / 1200)
    assert RATE / heard == pytest.approx(RATE / hertz, abs=1 + 0.02 * RATE / hertz)


def test_the_tracker_keeps_the_contract():
    checks = list(conformance(TRACKER(sample_rate=RATE)))
    assert checks
    assert all(check.passed for check in checks), checks
