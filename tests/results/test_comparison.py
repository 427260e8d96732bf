"""Two folders compared: pairs, intervals and tests against numbers that others published or computed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, ttest_rel

from tonedeaf.results import Proportion, Record, RecordStore
from tonedeaf.results.collection import collect
from tonedeaf.results.comparison import Comparison, compare, paired_interval
from tonedeaf.results.outcomes import right

MakeRecord = Callable[..., Record]
PUBLISHED = Path(__file__).parents[2] / "results" / "published"


def write(folder: Path, make_record: MakeRecord, distance: str, outcomes: Sequence[bool], **more: Any) -> Record:
    """A ranking with one column."""
    margins = [1.0 if each else -1.0 for each in outcomes]
    metrics = {"pitch_analytic": Proportion.of(sum(outcomes), len(outcomes)).as_metric()}
    record = make_record(distance=distance, trials=len(outcomes), metrics=metrics, **more)
    return RecordStore(folder).write(record, pl.DataFrame({"trial": range(len(margins)), "pitch_analytic": margins}))


def compared(tmp_path: Path) -> Comparison:
    return compare(collect([tmp_path / "a"]), collect([tmp_path / "b"]))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [  # Newcombe 1998, the examples of method 10: both right, only the first, only the second, neither
        ((36, 12, 2, 0), (0.0569, 0.3404)),
        ((20, 12, 2, 16), (0.0562, 0.3292)),
    ],
)
def test_the_paired_interval_is_newcombes(counts: tuple[int, int, int, int], expected: tuple[float, float]):
    both, only_first, only_second, _ = counts
    found = paired_interval(only_first, only_second, both, sum(counts))
    assert found == pytest.approx(expected, abs=5e-5)
    swapped = paired_interval(only_second, only_first, both, sum(counts))
    assert swapped == pytest.approx((-found[1], -found[0]), abs=1e-12)


def test_the_paired_interval_covers_as_often_as_it_says():
    """95 % of 2000 samples of 60 pairs; the standard error of a coverage is .005."""
    generator = np.random.default_rng(0)
    chances = np.array([0.5, 0.25, 0.1, 0.15])  # both, only after, only before, neither
    covered = 0
    for both, gained, lost, _ in generator.multinomial(60, chances, size=2000):
        low, high = paired_interval(int(gained), int(lost), int(both), 60)
        covered += low <= 0.15 <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


def test_identical_records_are_the_same(make_record: MakeRecord, tmp_path: Path):
    for folder in ("a", "b"):
        write(tmp_path / folder, make_record, "mss", [True, False, True])
    found = compared(tmp_path)
    (change,) = found.changes
    assert (change.difference, change.p, change.judgement) == (0.0, 1.0, "same")
    assert (found.pairs, found.same_key, found.identical, found.regressions) == (1, 1, 1, 0)


def test_worse_beyond_noise_is_a_regression(make_record: MakeRecord, tmp_path: Path):
    write(tmp_path / "a", make_record, "mss", [True] * 60 + [False] * 40)
    write(tmp_path / "b", make_record, "mss", [True] * 40 + [False] * 60)
    write(tmp_path / "a", make_record, "mel", [True] * 60 + [False] * 40)
    write(tmp_path / "b", make_record, "mel", [True] * 59 + [False] * 41)
    found = compared(tmp_path)
    worse, same = found.changes
    assert (worse.distance, worse.judgement, worse.n) == ("mss", "worse", 100)
    assert (worse.before, worse.after) == (0.6, 0.4)
    assert worse.p == pytest.approx(2 * binomtest(0, 20).pvalue)  # Holm: the smaller of two
    assert worse.low is not None
    assert worse.high is not None
    assert worse.low < -0.2 < worse.high < 0
    assert (same.distance, same.judgement) == ("mel", "same")
    assert found.regressions == 1


def test_a_difference_that_many_tests_produce_by_chance_is_none(make_record: MakeRecord, tmp_path: Path):
    """One trial in 100 flips in each of 40 distances, and six in one of them: p = .03 alone, nothing among 40."""
    for number in range(40):
        before = [True] * 100
        after = [index >= (6 if number == 0 else 1) for index in range(100)]
        write(tmp_path / "a", make_record, f"d{number}", before)
        write(tmp_path / "b", make_record, f"d{number}", after)
    found = compared(tmp_path)
    assert len(found.changes) == 40
    assert found.regressions == 0


def test_trials_are_paired_however_many_there_are(make_record: MakeRecord, tmp_path: Path):
    """The later run has the first 50 of the earlier one's trials."""
    outcomes = [bool(index % 3) for index in range(100)]
    write(tmp_path / "a", make_record, "mss", outcomes)
    write(tmp_path / "b", make_record, "mss", outcomes[:50])
    (change,) = compared(tmp_path).changes
    assert (change.n, change.difference) == (50, 0.0)


def test_a_lost_answer_is_a_regression(make_record: MakeRecord, tmp_path: Path):
    write(tmp_path / "a", make_record, "mss", [True])
    write(tmp_path / "a", make_record, "mel", [True])
    write(tmp_path / "b", make_record, "mel", [True])
    RecordStore(tmp_path / "b").write(make_record(distance="mss", trials=1, status="failed"))
    found = compared(tmp_path)
    assert [one.reason for one in found.lost] == ["failed: out of memory"]
    assert found.regressions == 1


def test_versions_of_a_task_are_never_compared(make_record: MakeRecord, tmp_path: Path):
    def newer(**named: Any) -> Record:
        record = make_record(**named)
        return msgspec.structs.replace(record, task=msgspec.structs.replace(record.task, version=2))

    write(tmp_path / "a", make_record, "mss", [True] * 9)
    write(tmp_path / "b", newer, "mss", [False] * 9)
    with pytest.raises(ValueError, match="sines is version 1 in the first and version 2 in the second"):
        compared(tmp_path)
    for folder in ("a", "b"):
        write(tmp_path / folder, make_record, "mel", [True] * 9)
    found = compared(tmp_path)
    assert [one.reason for one in found.missing] == [
        "version 1 of the task, 2 in the second",
        "version 2 of the task, 1 in the first",
    ]


def test_nothing_in_common_is_an_error(make_record: MakeRecord, tmp_path: Path):
    write(tmp_path / "a", make_record, "mss", [True])
    write(tmp_path / "b", make_record, "mel", [True])
    with pytest.raises(ValueError, match="no question in common: 1 questions in the first, 1 in the second"):
        compared(tmp_path)


def test_models_are_paired_by_seed(make_evaluation: MakeRecord, tmp_path: Path):
    before, after = (0.5, 0.55, 0.6), (0.4, 0.46, 0.49)
    for folder, pitches in (("a", before), ("b", after)):
        for seed, pitch in enumerate(pitches):
            RecordStore(tmp_path / folder).write(make_evaluation("mss", seed, pitch=pitch))
    changes = {one.what: one for one in compared(tmp_path).changes}
    pitch = changes["raw_pitch_accuracy"]
    expected = ttest_rel(after, before)
    assert (pitch.n, pitch.judgement) == (3, "worse")
    assert pitch.p == pytest.approx(5 * expected.pvalue)  # of five metrics that move together
    interval = expected.confidence_interval()
    assert (pitch.low, pitch.high) == pytest.approx((interval.low, interval.high))
    assert changes["median_cents"].judgement == "worse", "more cents are worse"


def test_two_seeds_are_too_few_to_judge(make_evaluation: MakeRecord, tmp_path: Path):
    for folder, pitch in (("a", 0.9), ("b", 0.1)):
        for seed in range(2):
            RecordStore(tmp_path / folder).write(make_evaluation("mss", seed, pitch=pitch))
    assert {(one.p, one.judgement) for one in compared(tmp_path).changes} == {(None, "same")}


@pytest.mark.parametrize("pattern", ["ladder/ranking-mss-*", "minimum/*", "descent/descent-*"])
def test_outcomes_are_those_that_the_metrics_count(pattern: str):
    for path in sorted(PUBLISHED.glob(f"{pattern}.json"))[:4]:
        store = RecordStore(path.parent)
        record = store.read(path)
        found = right(record, store.trials(record))
        shares = {name: record.metrics[name]["value"] for name in found}
        assert {name: float(values.mean()) for name, values in found.items()} == pytest.approx(shares, abs=1e-12)


def test_a_kind_without_right_and_wrong_is_refused(make_record: MakeRecord):
    with pytest.raises(ValueError, match="kind cost has no right and wrong"):
        right(make_record(kind="cost", metrics={}), pl.DataFrame())
