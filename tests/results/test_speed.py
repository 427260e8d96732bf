"""Measurements of speed: ratios, what has become slower, and the page."""

from collections.abc import Callable
from typing import Any

import pytest

from tonedeaf.results import Record
from tonedeaf.results.speed import KIND, Measurement, from_pytest_benchmark, measurements, ratios, regressions
from tonedeaf.results.speed_text import speed_markdown

FOUND = [
    Measurement("ranking", "all columns", "tonedeaf", 0.5),
    Measurement("ranking", "all columns", "plain loop", 3.0),
    Measurement("peers", "CQT", "nnAudio", 0.2),
    Measurement("signals", "a song", "tonedeaf", 2.0),
    Measurement("throughput", "mss, house", "tonedeaf", 0.5, {"distance": "mss", "mode": "house mode", "trials": 64}),
    Measurement("distances", "mss, batch of 4", "forward", 0.01, {"distance": "mss", "batch": 4, "seconds": 0.5}),
    Measurement("distances", "mss, batch of 4", "backward", 0.02, {"distance": "mss", "batch": 4, "seconds": 0.5}),
    Measurement("training", "a step", "tonedeaf", 1.5),
]


def _record(make_record: Callable[..., Record]) -> Record:
    return make_record(kind=KIND, metrics={"measurements": [each.as_metric() for each in FOUND]})


def test_what_pytest_benchmark_writes_is_read():
    report: dict[str, Any] = {
        "benchmarks": [
            {
                "extra_info": {"table": "peers", "work": "CQT", "who": "nnAudio", "batch": 8},
                "stats": {"min": 0.25, "mean": 0.5},
            }
        ]
    }
    assert from_pytest_benchmark(report) == [Measurement("peers", "CQT", "nnAudio", 0.25, {"batch": 8})]


def test_ratios_are_the_others_time_over_ours():
    assert ratios(FOUND) == {"ranking: all columns: plain loop": 6.0}


def test_what_has_become_slower_is_named():
    stored = {"a": 6.0, "b": 2.0, "c": 1.0}
    assert regressions({"a": 4.3, "b": 2.0, "c": 1.0, "new": 0.1}, stored) == []
    assert regressions({"a": 4.1, "b": 2.0}, stored) == ["a: 4.10, was 6.00", "c: was not measured; its ratio was 1.00"]


def test_a_record_holds_the_measurements(make_record: Callable[..., Record]):
    assert measurements(_record(make_record)) == FOUND
    with pytest.raises(ValueError, match="a record of kind speed is needed, got ranking"):
        measurements(make_record(kind="ranking"))


def test_the_page_has_a_row_for_each_work(make_record: Callable[..., Record]):
    page = speed_markdown(_record(make_record))
    for row in (
        "| all columns | 500 ms | plain loop | 3 s | 6.00 |",
        "| CQT | – | nnAudio | 200 ms | – |",
        "| a song | 2 s | – | – | – |",
        "| `mss` | 128 |",
        "| `mss` | 0.5 | 2.5 | 5 |",
        "| a step | 1.5 s | – | – | – |",
    ):
        assert row in page.splitlines()
    assert page.count("\n## ") == 6
