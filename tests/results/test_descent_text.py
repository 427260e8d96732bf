"""Descent's tables, on records made by hand."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from tonedeaf.results import Proportion, Record, RecordStore
from tonedeaf.results.collection import collect
from tonedeaf.results.descent_correlation import Correlation
from tonedeaf.results.descent_text import correlation_markdown, descent_markdown, descents_of_tasks_markdown
from tonedeaf.results.publication import Conventions, Mode, Publication

MakeRecord = Callable[..., Record]


def _metrics(reached: int, steps: float | None) -> dict[str, object]:
    return {
        "reached": Proportion.of(reached, 20).as_metric(),
        "median_steps": steps,
        "learning_rate": 0.1,
        "ends": {"reached": reached, "level": 0, "octave": 0, "elsewhere": 20 - reached},
        "median_cents": 12.3,
        "median_db": 0.26,
    }


def test_the_most_successful_stands_first(make_record: MakeRecord):
    records = [
        make_record(distance="lost", kind="descent", trials=20, metrics=_metrics(0, None)),
        make_record(distance="found", kind="descent", trials=20, metrics=_metrics(20, 61.5)),
        make_record(distance="broken", kind="descent", trials=20, status="failed"),
    ]
    signs = {
        name: Proportion.of(count, 100).as_metric() for name, count in (("pitch_analytic", 80), ("level_2_db", 90))
    }
    ranking = make_record(distance="found", trials=100, metrics=signs)
    first, last = descent_markdown(records, {"found": ranking}).splitlines()[2:]
    assert first == "| `found` | 1.00 (0.84–1.00) | 62 | 0.1 | 12 cents, 0.3 dB | 0.80 · 0.85 |"
    assert last == "| `lost` | 0.00 (0.00–0.16) | – | 0.1 | 12 cents, 0.3 dB | – |"
    longer = make_record(distance="found", trials=100, metrics=signs, task_params={"duration": 2.0})
    assert descent_markdown(records, {"found": longer}).splitlines()[2].endswith("| 0.80 · 0.85 (of 2 s) |")


def test_one_distance_on_many_tasks_has_a_line_for_each(make_record: MakeRecord):
    records = [
        make_record(distance="ours", task="sines", kind="descent", trials=20, metrics=_metrics(20, 61.5)),
        make_record(distance="ours", task="tilt", kind="descent", trials=20, metrics=_metrics(17, 61.5)),
        make_record(distance="ours", task="in_mix", kind="descent", trials=20, status="skipped"),
    ]
    assert descents_of_tasks_markdown(records).splitlines()[2:] == [
        "| `ours` | sines | 1.00 (0.84–1.00) | 62 | 0.1 | 12 cents, 0.3 dB | – |",
        "| `ours` | tilt | 0.85 (0.64–0.95) | 62 | 0.1 | 12 cents, 0.3 dB | 3 elsewhere |",
        "| `ours` | in_mix | skipped | – | – | – | – |",
    ]


def test_longer_signals_are_marked(make_record: MakeRecord):
    records = [
        make_record(
            distance=name, kind="descent", trials=20, task_params={"duration": seconds}, metrics=_metrics(20, 61.5)
        )
        for name, seconds in (("short", 0.2), ("long", 0.4))
    ]
    lines = descent_markdown(records, {}).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:4]] == ["`long` *", "`short`"]
    assert lines[-1].startswith("\\* Needs longer signals")
    assert "*" not in descent_markdown(records[:1], {})


def test_distances_are_compared_where_there_are_most_of_them_however_many_tasks_one_has(
    make_record: MakeRecord, tmp_path: Path
):
    def descent(distance: str, task: str, rate: float) -> None:
        params = {"sample_rate": rate, "duration": 0.2}
        RecordStore(tmp_path).write(
            make_record(
                distance=distance, task=task, kind="descent", trials=20, task_params=params, metrics=_metrics(20, 61.5)
            )
        )

    for task in ("sines", "harmonic", "tilt"):
        descent("ours", task, 16000.0)
    for distance in ("ours", "mss"):
        descent(distance, "sines", 44100.0)
    found = Publication(collect([tmp_path]), Conventions(("sines", "harmonic", "tilt"), Mode({}, {}), Mode({}, {})))
    assert found.descents is not None
    assert sorted(record.distance.name for record in found.descents.records) == ["mss", "ours"]
    (other,) = found.other_descents
    assert (other.sample_rate, other.tasks) == (16000.0, ("sines", "harmonic", "tilt"))


def test_a_correlation_that_does_not_exist_is_a_dash():
    lines = correlation_markdown(
        [Correlation("mean", 0.25, -0.1, 0.5), Correlation("x", None, None, None)]
    ).splitlines()
    assert lines[2:] == ["| mean | +0.25 | -0.10 to +0.50 |", "| x | – | – to – |"]


def test_a_variant_and_longer_signals_have_a_row_but_no_vote(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    outcomes = {
        "ranking": pl.DataFrame({"trial": range(20), "pitch_analytic": [1.0] * 10 + [-1.0] * 10}),
        "descent": pl.DataFrame({"trial": range(20), "end": ["reached"] * 20}),
    }
    for name in ("a", "b", "c", "a[x=1]", "long"):
        params = {"sample_rate": 44100.0, "duration": 0.4 if name == "long" else 0.2}
        for kind, metrics in (
            ("descent", _metrics(20, 61.5)),
            ("ranking", {"pitch_analytic": Proportion.of(10, 20).as_metric()}),
        ):
            one = make_record(distance=name, kind=kind, trials=20, task_params=params, metrics=metrics)
            store.write(one, outcomes[kind])
    found = Publication(collect([tmp_path]), Conventions(("sines",), Mode({}, {}), Mode({}, {})))
    names = ["a", "a[x=1]", "b", "c", "long"]
    assert [ranking.distance.name for ranking, _ in found.ranked_descents["sines"]] == names
    assert list(found.signs_beside_descents("sines")) == names
    assert found.correlations["sines"][0] == 3
