"""What an earlier implementation gave, beside ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tonedeaf.results import Proportion, Record
from tonedeaf.results.collection import collect
from tonedeaf.results.prototype_anchors import PROTOTYPE, TOLERANCE, anchors_markdown

MakeRecord = Callable[..., Record]
LADDER = Path(__file__).parents[2] / "results" / "published" / "ladder"
COLUMNS = ("pitch_analytic", "pitch_30_cents", "pitch_600_cents")


def test_what_lies_further_apart_is_bold(make_record: MakeRecord):
    metrics = {
        name: Proportion.of(count, 1000).as_metric()
        for name, count in zip((*COLUMNS, "level_analytic"), (581, 720, 900, 500), strict=True)
    }
    records = [
        make_record(distance="log_mss", task="harmonic_timbre", trials=1000, metrics=metrics),
        make_record(distance="mss", task="harmonic_timbre", trials=1000, metrics=metrics),
    ]
    prototype, ours = anchors_markdown(records).splitlines()[2:]
    assert prototype == "| harmonic_timbre | `log_mss` | prototype | 0.54 | 0.76 | 0.995 | – | |"
    cells = [cell.strip() for cell in ours.strip("| ").split(" | ")]
    assert [cell.startswith("**") for cell in cells[1:5]] == [True, False, True, False]  # .041, .040, .095, not asked
    assert cells[4].startswith("0.500 (")


@pytest.mark.parametrize("distance", ["log_spectral_transport", "log_mss"])
def test_the_published_ladder_has_the_prototypes_accuracies(distance: str):
    """All but one cell: log MSS at 600 cents, 0.948 beside 0.995, which no setting that was tried explains."""
    (record,) = (
        one
        for one in collect([LADDER]).of_kind("ranking")
        if (one.distance.name, one.task.name) == (distance, "harmonic_timbre")
    )
    theirs = dict(zip(COLUMNS, PROTOTYPE["harmonic_timbre", distance], strict=True))
    away = {
        column: abs(Proportion.from_metric(record.metrics[column]).value - value) for column, value in theirs.items()
    }
    missed = {column for column, difference in away.items() if difference > TOLERANCE + 1e-9}
    assert missed == ({"pitch_600_cents"} if distance == "log_mss" else set())
