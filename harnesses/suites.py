"""Suites: lists of distances, and the settings in which they are ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..losses.plugins import unknown

TABLE1 = ("spectrogram", "log_spectrogram", "mel", "mfcc", "mss", "log_mss", "log2_spectral_centroid")
"""The spectral distances of Table 1 of Turian & Henry 2020, in its order."""


@dataclass(frozen=True)
class Suite:
    """A list of distances with task and distance parameters.

    Attributes:
        name: on the command line.
        summary: one line.
        distances: their texts; names given on the command line replace them.
        task: parameters of the task.
        distance: parameters of every distance that has them.
    """

    name: str
    summary: str
    distances: tuple[str, ...]
    task: Mapping[str, Any] = field(default_factory=dict[str, Any])
    distance: Mapping[str, Any] = field(default_factory=dict[str, Any])


PAPERS_MODE = Suite(
    name="table1",
    summary="the paper's mode, the best single guess: mirrored edges, 2 s, a new phase for each perturbed sine",
    distances=(*TABLE1, "log_spectral_transport"),
    task={"duration": 2.0, "perturbed_phase": "new"},
    distance={"padding": "reflect"},
)
HOUSE_MODE = Suite(
    name="table1-valid",
    summary="the house mode: frames that fit, 0.5 s, the perturbed sine keeps its phase",
    distances=(*TABLE1, "log_spectral_transport"),
    task={"duration": 0.5, "perturbed_phase": "shared"},
    distance={"padding": "valid"},
)
CHOICES = Suite(
    name="table1-choices",
    summary="what the paper leaves open: every combination, and the one that fits its Table 1 best",
    distances=TABLE1,
)
ABLATION = Suite(
    name="ablation",
    summary="the suite's own distance without each of its ingredients in turn, or with a well, beside what it is of",
    distances=(
        "tonedeaf",
        *(
            f"tonedeaf[{without}]"
            for without in (
                "half_teeth=0",  # energy between harmonics does not count against a multiple of f0
                "single=0",  # f0 itself counts as one resolved harmonic among others
                "first_tooth=1",
                "harmonics=1",  # no comb
                "resolved=0;resolved_half=0",  # no gates
                "compression=1",
                "floor=1e-8",
                "sharpness=1",
                "window_seconds=0.093",
                "zero_padding=1",
                "sigma_bins=0",
                "level_on_harmonics=false",
                "level_weight=0",
                "tilt_weight=0",
                "pitch_weight=0",
                "weigh_frames=false",
                "pitch_knee=0;level_knee=0;tilt_knee=0",
                "well=1",  # none is taken away: what this adds, sign accuracies hardly see
            )
        ),
        "harmonic_comb_transport",
        "log_spectral_transport",
    ),
    task=HOUSE_MODE.task,
    distance=HOUSE_MODE.distance,
)
SENSITIVITY = Suite(
    name="sensitivity",
    summary="the suite's own distance with each of its settings halved and doubled",
    distances=(
        "tonedeaf",
        *(
            f"tonedeaf[{moved}]"
            for moved in (
                "window_seconds=0.093",
                "window_seconds=0.372",
                "bands_per_octave=36",
                "bands_per_octave=144",
                "sigma_octaves=0.0125",
                "sigma_octaves=0.05",
                "compression=0.1",
                "compression=0.4",
                "harmonics=5",
                "harmonics=22",
                "half_teeth=0.35",
                "half_teeth=1.4",
                "single=0.25",
                "single=1",
                "resolved=1.8;resolved_half=2.75",
                "resolved=7.2;resolved_half=11",
                "sharpness=16",
                "sharpness=64",
                "mask_octaves=0.03",
                "mask_octaves=0.12",
                "level_weight=0.005",
                "level_weight=0.02",
                "tilt_weight=0.25",
                "tilt_weight=1",
            )
        ),
    ),
    task=HOUSE_MODE.task,
    distance=HOUSE_MODE.distance,
)
SUITES = {suite.name: suite for suite in (PAPERS_MODE, HOUSE_MODE, CHOICES, ABLATION, SENSITIVITY)}


def suite(name: str) -> Suite:
    """The suite of a name.

    Raises:
        ValueError: if there is none; it says which are near.
    """
    if name not in SUITES:
        raise unknown("suite", name, SUITES)
    return SUITES[name]
