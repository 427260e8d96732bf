"""The ladder's tables, on records made by hand."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tonedeaf.results import Proportion, Record, RecordStore
from tonedeaf.results.boards import Board
from tonedeaf.results.collection import collect
from tonedeaf.results.ladder_text import (
    absent_markdown,
    columns_markdown,
    leaderboard_markdown,
    minimum_markdown,
    tasks_markdown,
    times_markdown,
)
from tonedeaf.results.leaderboard import Cost, Difference, Lead, Standing
from tonedeaf.results.page_tables import tables
from tonedeaf.results.publication import Conventions, Mode, Publication

MakeRecord = Callable[..., Record]


def _metrics(**right: int) -> dict[str, object]:
    return {column: Proportion.of(count, 100).as_metric() for column, count in right.items()}


@pytest.fixture
def records(make_record: MakeRecord) -> list[Record]:
    sines = {"pitch_analytic": 90, "pitch_30_cents": 80, "pitch_600_cents": 100, "level_analytic": 70, "level_2_db": 60}
    tilt = {"pitch_analytic": 50, "tilt_analytic": 40, "tilt_1_db": 30}
    numeric = {"pitch_30_cents": 99, "pitch_600_cents": 98, "level_2_db": 97, "level_10_db": 96}
    return [
        make_record(distance="ours", task="sines", trials=100, metrics=_metrics(**sines)),
        make_record(distance="ours", task="tilt", trials=100, metrics=_metrics(**tilt)),
        make_record(distance="ours", task="bass_notes", trials=100, metrics=_metrics(**numeric)),
        make_record(distance="theirs", task="sines", trials=100, metrics=_metrics(**sines)),
        make_record(distance="theirs", task="tilt", trials=100, status="skipped"),
        make_record(distance="silent", task="sines", trials=100, status="unavailable"),
    ]


def test_tasks_show_the_worst_column_of_pitch_and_of_the_other_axis(records: list[Record]):
    head, _, ours, theirs = tasks_markdown(records).splitlines()
    assert head == "| distance | sines | tilt | bass_notes |"
    assert ours == "| `ours` | 0.80 · 0.60 | 0.50 · 0.30 | 0.98 · 0.96 |"
    assert theirs == "| `theirs` | 0.80 · 0.60 | skipped | – |"


def test_minima_are_shown_level_matched_and_unmatched(make_record: MakeRecord):
    metrics = _metrics(minimum_within_50_cents_level_matched=95, minimum_within_50_cents_level_unmatched=40)
    records = [make_record(distance="ours", task="sines", kind="minimum", trials=100, metrics=metrics)]
    assert minimum_markdown(records).splitlines()[2] == "| `ours` | 0.950 · 0.400 |"


def test_columns_go_from_analytic_to_coarse_with_their_intervals(records: list[Record]):
    lines = columns_markdown(records, "ours").splitlines()[2:]
    low, high = (f"{end:.3f}" for end in (Proportion.of(90, 100).low, Proportion.of(90, 100).high))
    assert lines[0].startswith(f"| `sines` | 0.900 ({low}–{high}) | 0.800 (")
    assert [cell.split()[0] for cell in lines[2].strip("| ").split(" | ")[1:]] == [
        "–",
        "0.990",
        "0.980",
        "–",
        "0.970",
        "0.960",
    ]


def test_the_leaderboard_says_by_how_much_and_at_what_cost():
    lead = Lead("b", Difference(0.1, 0.05, 0.15), Difference(-0.01, -0.02, 0.0))
    cell = ("sines", "pitch_analytic")
    first = Standing(
        "a", {cell: 0.9}, 0, False, {cell: (0.85, 0.93)}, (0.8, 0.95), lead=lead, cost=Cost(1.25, 2.0, 3.25)
    )
    last = Standing("b", {}, 1, False)
    lines = leaderboard_markdown([first, last]).splitlines()[2:]
    assert lines == [
        "| 1 | `a` | 0.900 (0.850–0.930) | sines, pitch_analytic | 0.900 (0.800–0.950) "
        "| +0.100 (+0.050 to +0.150) · -0.010 (-0.020 to +0.000) | 1.2 + 2.0 | 3.2 |"
    ]


def test_a_short_leaderboard_keeps_the_places_of_the_long_one():
    cell = ("sines", "pitch_analytic")
    standings = [Standing(name, {cell: value}, 0, name == "b") for name, value in (("a", 0.9), ("b", 0.8), ("c", 0.7))]
    lines = leaderboard_markdown(standings, {"a", "c"}).splitlines()
    assert [line.split("|")[1:3] for line in lines[2:]] == [[" 1 ", " `a` "], [" 3 ", " `c` "]], "and no note on b"
    assert "\\*" in leaderboard_markdown(standings)


def test_the_short_leaderboard_has_the_first_and_the_known(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    for place, name in enumerate([*"abcdefghij", "mss"]):
        right = 99 - place
        trials = pl.DataFrame({"trial": range(100), "pitch_analytic": [1.0] * right + [-1.0] * (100 - right)})
        store.write(make_record(distance=name, trials=100, metrics=_metrics(pitch_analytic=right)), trials)
    published = Publication(collect([tmp_path]), Conventions(("sines",), Mode({}, {}), Mode({}, {})))
    lines = tables(published)["leaderboard-short"]().splitlines()
    assert [line.split("|")[1].strip() for line in lines if "`" in line] == [*"12345678", "11"]
    assert lines[-1].startswith("9 of 11 distances: the first 8, and those of Table 1")


def test_times_of_two_distances_are_compared_where_both_were_measured(make_record: MakeRecord):
    def cost(name: str, forward: float) -> Record:
        return make_record(distance=name, kind="cost", metrics={"forward_ms": forward, "backward_ms": 1.0})

    def board(rate: float, *costs: Record) -> Board:
        return Board(0, rate, "shared", 100, 0.5, (), costs)

    boards = [board(44100, cost("ours", 2.0), cost("mss", 5.0)), board(16000, cost("ours", 2.0))]
    assert times_markdown(boards, "ours", "mss") == "- 44.1 kHz, 0.5 s: 0.5 times (3.0 and 6.0 ms a pair)\n"


def test_who_is_not_on_the_leaderboard_is_listed_with_the_reason(make_record: MakeRecord):
    records = [
        make_record(distance="whole", task="sines"),
        make_record(distance="whole", task="tilt"),
        make_record(distance="half", task="sines"),
        make_record(distance="broken", task="sines", status="failed"),
    ]
    standings = [
        Standing("whole", {("sines", "pitch_analytic"): 1.0}, 0, False),
        Standing("half", {}, 6, False),
        Standing("broken", {}, 12, False),
    ]
    not_here = {"vggish": "needs weights: fetch vggish", "half": "cannot run", "yamnet": "needs weights: fetch yamnet"}
    assert absent_markdown(records, standings, not_here).splitlines() == [
        "- an answer on 1 of 2 tasks: `half`",
        "- failed: out of memory: `broken`",
        "- unavailable: needs weights: `vggish`, `yamnet`",
    ]
    assert "every cell" in absent_markdown(records[:2], standings[:1], {})


def test_other_boards_with_all_tasks_have_a_ladder_of_their_own(make_record: MakeRecord, tmp_path: Path):
    store, trials = (
        RecordStore(tmp_path),
        pl.DataFrame({"trial": range(100), "pitch_analytic": [1.0] * 90 + [-1.0] * 10}),
    )
    for seed, tasks in ((0, ("sines", "tilt")), (1, ("sines", "tilt")), (2, ("sines",))):
        for task in tasks:
            metrics = _metrics(pitch_analytic=90)
            store.write(make_record(distance="ours", task=task, seed=seed, trials=100, metrics=metrics), trials)
    published = Publication(collect([tmp_path]), Conventions(("sines", "tilt"), Mode({}, {}), Mode({}, {})))
    title, _, head, _, ours = tables(published)["other-ladders"]().splitlines()
    assert "seed 1" in title
    assert head == "| distance | sines | tilt |"
    assert ours == "| `ours` | 0.90 · – | 0.90 · – |"


def test_a_suite_has_a_table_of_its_own_in_its_order_and_no_ladder(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    for seed, names in ((0, ("ours", "a", "b")), (1, ("ours", "ours[x=1]", "ours[x=4]"))):
        for name in names:
            right = 80 if "[x=1]" in name else 90
            trials = pl.DataFrame({"trial": range(100), "pitch_analytic": [1.0] * right + [-1.0] * (100 - right)})
            metrics = _metrics(pitch_analytic=right)
            store.write(make_record(distance=name, task="sines", seed=seed, trials=100, metrics=metrics), trials)
    conventions = Conventions(
        ("sines",), Mode({}, {}), Mode({}, {}), sensitivity=("ours", "ours[x=4]", "ours[x=1]", "ours[y=2]")
    )
    found = tables(Publication(collect([tmp_path]), conventions))
    title, _, _, _, *lines = found["sensitivity"]().splitlines()
    assert "seed 1" in title
    assert [line.split("|")[1].strip() for line in lines] == ["`ours`", "`ours[x=4]`", "`ours[x=1]`"]
    assert [line.split("|")[2].split()[0] for line in lines] == ["0.900", "0.900", "0.800"]
    assert "sines, pitch_analytic" in lines[0]
    assert "No record" in found["other-ladders"]()
    assert "seed 1" not in found["boards"]()


def test_an_ablation_at_several_durations_has_a_table_for_each(make_record: MakeRecord, tmp_path: Path):
    store, parts = RecordStore(tmp_path), ("ours", "ours[x=0]", "ours[y=0]", "ours[z=0]")
    trials = pl.DataFrame({"trial": range(100), "pitch_analytic": [1.0] * 90 + [-1.0] * 10})
    for seed, seconds, names in ((0, 0.2, ("ours", "others", "mss")), (1, 0.2, parts), (1, 0.5, parts[:3])):
        for name in names:
            metrics, params = _metrics(pitch_analytic=90), {"duration": seconds}
            one = make_record(distance=name, seed=seed, trials=100, metrics=metrics, task_params=params)
            store.write(one, trials)
    conventions = Conventions(("sines",), Mode({}, {}), Mode({}, {}), ablation=parts)
    found = tables(Publication(collect([tmp_path]), conventions))
    lines = found["ablation"]().splitlines()
    assert [line.split(",")[1].strip() for line in lines if line.startswith("**")] == ["0.2 s", "0.5 s"]
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == [*parts, *parts[:3]]
    assert "0.5 s" not in found["boards"]()


def test_minima_of_other_settings_follow_under_their_own_titles(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    for rate, names in ((16000.0, ("ours", "mss")), (44100.0, ("ours",))):
        for name in names:
            metrics = _metrics(minimum_within_50_cents_level_matched=95, minimum_within_50_cents_level_unmatched=40)
            params = {"sample_rate": rate, "duration": 0.5}
            store.write(make_record(distance=name, kind="minimum", trials=100, metrics=metrics, task_params=params))
    published = Publication(collect([tmp_path]), Conventions(("sines",), Mode({}, {}), Mode({}, {})))
    lines = [line for line in tables(published)["minimum"]().splitlines() if line[:1].isdigit() or line[:3] == "| `"]
    assert [line.split(",")[0].split(" · ")[0] for line in lines] == [
        "16 kHz",
        "| `mss` | 0.950",
        "| `ours` | 0.950",
        "44.1 kHz",
        "| `ours` | 0.950",
    ]


def test_who_was_given_longer_signals_is_marked(records: list[Record]):
    cells = {("sines", "pitch_analytic"): 0.9}
    usual, longer = Standing("usual", cells, 0, False), Standing("longer", cells, 0, True)
    text = leaderboard_markdown([usual, longer])
    assert "| `usual` |" in text
    assert "| `longer` * |" in text
    assert text.endswith(
        "\n\n\\* Needs longer signals than the others, and was given them; other trials, so no lead (–).\n"
    )
    assert "\\*" not in leaderboard_markdown([usual])
    told = absent_markdown(records, [usual], {"vggish": "needs weights: x"}, ["usual", "vggish", "dc"])
    assert "- not asked: `dc`\n" in told
