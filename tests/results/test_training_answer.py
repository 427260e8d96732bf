"""The answer in sentences: which losses come near supervision, and what is said when there is nothing to say."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tonedeaf.results import Record, RecordStore
from tonedeaf.results.collection import collect
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.publication import Conventions, Mode, Publication
from tonedeaf.results.studies import studies
from tonedeaf.results.training_answer import answer_markdown

MakeRecord = Callable[..., Record]


def publication(folder: Path) -> Publication:
    return Publication(collect([folder]), Conventions(("sines",), Mode({}, {}), Mode({}, {})))


def test_losses_are_told_by_how_near_they_come_to_supervision(make_evaluation: MakeRecord, tmp_path: Path):
    for loss, pitch in (("paper", 0.9), ("none", 0.1), ("mss", 0.85), ("mel", 0.6), ("snr", 0.2)):
        for seed in range(3):
            RecordStore(tmp_path).write(make_evaluation(loss, seed, pitch=pitch))
    said = answer_markdown(publication(tmp_path)).splitlines()
    assert said[0].endswith("; 3 seeds**")
    assert "- Raw pitch accuracy with BassNet's own objective is 0.900 (0.900 to 0.900), with neither 0.100" in said[2]
    assert said[3:6] == [
        "- 1 of 3 losses reach at least 90 % of that: `mss` (0.850).",
        "- 1 of 3 losses reach less, but at least half of it: `mel` (0.600).",
        "- 1 of 3 losses reach less than half of it: `snr` (0.200).",
    ]
    assert "named in advance" not in "".join(said)  # nothing was ranked


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("marginal", "- The pair that was named in advance: Spearman's ρ = +1.00, p = 0.33, 3 distances."),
        (
            "soft",
            "- Exploratory, the same pair in this study: Spearman's ρ = +1.00, p = 0.33, 3 distances; corrected for "
            "all pairs of a ranking's and this training's figures (Holm), p = 1.",
        ),
    ],
)
def test_only_one_path_s_pair_was_named_in_advance(make_evaluation: MakeRecord, path: str, said: str):
    pitches = {"paper": 0.9, "mss": 0.3, "mel": 0.2, "tonedeaf": 0.8}
    (study,), _ = studies([make_evaluation(loss, 0, pitch=pitch, path=path) for loss, pitch in pitches.items()])
    cells = {name: {("sines", "pitch_analytic"): pitch} for name, pitch in pitches.items()}
    standings = [
        Standing(name, cell, 0, False, {where: (value, value) for where, value in cell.items()})
        for name, cell in cells.items()
    ]
    found = SimpleNamespace(studies=[study], ranking_of=lambda _study: (None, standings))
    assert answer_markdown(cast(Publication, found)).splitlines()[2].startswith(said)


def test_without_a_comparison_there_is_no_answer(make_evaluation: MakeRecord, tmp_path: Path):
    for seed in range(3):
        RecordStore(tmp_path).write(make_evaluation("paper", seed))
    assert answer_markdown(publication(tmp_path)) == "No comparison of losses is published yet.\n"
