"""Descent's tables, on records made by hand."""

from collections.abc import Callable

from tonedeaf.results import Proportion, Record
from tonedeaf.results.descent_correlation import Correlation
from tonedeaf.results.descent_text import correlation_markdown, descent_markdown

MakeRecord = Callable[..., Record]


def _metrics(reached: int, steps: float | None) -> dict[str, object]:
    return {
        "reached": Proportion.of(reached, 20).as_metric(),
        "median_steps": steps,
        "median_cents": 12.3,
        "median_db": 0.26,
    }


def test_the_most_successful_stands_first(make_record: MakeRecord):
    records = [
        make_record(distance="lost", kind="descent", trials=20, metrics=_metrics(0, None)),
        make_record(distance="found", kind="descent", trials=20, metrics=_metrics(20, 61.5)),
        make_record(distance="broken", kind="descent", trials=20, status="failed"),
    ]
    first, last = descent_markdown(records).splitlines()[2:]
    assert first == "| `found` | 1.00 (0.84–1.00) | 62 | 12 cents, 0.3 dB |"
    assert last == "| `lost` | 0.00 (0.00–0.16) | – | 12 cents, 0.3 dB |"


def test_a_correlation_that_does_not_exist_is_a_dash():
    lines = correlation_markdown(
        [Correlation("mean", 0.25, -0.1, 0.5), Correlation("x", None, None, None)]
    ).splitlines()
    assert lines[2:] == ["| mean | +0.25 | -0.10 to +0.50 |", "| x | – | – to – |"]
