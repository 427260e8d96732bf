"""Table 1 sets the right numbers beside one another and counts what agrees."""

import io
import re
from collections.abc import Callable

import msgspec
import pytest
from rich.console import Console

from tonedeaf.results import Record, Table1, agrees, table1_from_records
from tonedeaf.results.published_values import RANKING_COLUMNS, SPECTRAL_DISTANCES, table1
from tonedeaf.results.table1 import ROWS
from tonedeaf.results.table1_text import TICK, accuracy_text, markdown, rich_table, summary

MakeRecord = Callable[..., Record]
Values = tuple[float, ...]


def published(distance: str) -> Values:
    return tuple(value for value in table1().rows[distance] if value is not None)


def moved(distance: str, by: float) -> Values:
    """The published accuracies, moved towards the middle, so that they stay between 0 and 1."""
    return tuple(value + by if value < 0.5 else value - by for value in published(distance))


def mode(make_record: MakeRecord, rows: dict[str, Values], setting: str) -> list[Record]:
    return [make_record(distance=name, accuracies=row, task_params={"phase": setting}) for name, row in rows.items()]


@pytest.fixture
def table(make_record: MakeRecord) -> Table1:
    paper = {distance: published(distance) for distance in SPECTRAL_DISTANCES}
    paper["mel"] = (*published("mel")[:4], 0.9, 0.1)  # two cells off
    paper["mfcc"] = moved("mfcc", 0.2)  # all six off
    house = {distance: moved(distance, 0.2) for distance in SPECTRAL_DISTANCES}
    house["log2_spectral_centroid"] = (0.2, 1.0, 1.0, 0.2, 0.2, 0.2)  # two cells agree
    house["log_spectral_transport"] = (1.0,) * 6
    return table1_from_records(mode(make_record, paper, "new"), mode(make_record, house, "shared"))


def test_agreeing_cells_are_counted(table: Table1) -> None:
    assert table.published_cells == 42
    assert table.agreeing_cells == 42 - 2 - 6
    assert table.house_agreeing_cells == 2
    assert summary(table) == ("Of 42 published cells, 34 agree in the paper's mode and 2 in the house mode.")


def test_rows_and_columns_are_the_papers_and_one_more(table: Table1) -> None:
    assert tuple(row.distance for row in table.rows) == ROWS == (*SPECTRAL_DISTANCES, "log_spectral_transport")
    for row in table.rows:
        assert tuple(cell.column for cell in row.cells) == RANKING_COLUMNS


def test_each_cell_has_its_own_numbers(table: Table1) -> None:
    mel = {cell.column: cell for cell in next(row for row in table.rows if row.distance == "mel").cells}
    cell = mel["level_2_db"]
    assert cell.paper is not None
    assert cell.house is not None
    assert (cell.paper.value, cell.published, cell.house.value) == (0.9, 0.544, 0.344)
    assert (cell.paper_agrees, cell.house_agrees) == (False, False)
    assert mel["level_analytic"].paper_agrees is True
    transport = table.rows[-1].cells[0]
    assert (transport.published, transport.paper, transport.paper_agrees, transport.house_agrees) == (None,) * 4
    assert transport.house is not None


@pytest.mark.parametrize("trials", [100, 1000])
def test_agreement_is_newcombes_with_both_numbers_of_trials(make_record: MakeRecord, trials: int) -> None:
    for k in range(0, trials + 1, trials // 50):
        record = make_record(distance="spectrogram", accuracies=(k / trials,) * 6, trials=trials)
        cell = table1_from_records([record], []).rows[0].cells[0]
        assert cell.paper_agrees is agrees(k, trials, 617, 1000)


def test_a_record_that_failed_leaves_cells_empty_and_says_why(make_record: MakeRecord) -> None:
    paper = [make_record(distance="mss", status="failed"), make_record(distance="mel", accuracies=published("mel"))]
    table = table1_from_records(paper, [])
    assert table.missing == ("mss (paper's mode): failed: out of memory",)
    assert (table.agreeing_cells, table.house_agreeing_cells, table.published_cells) == (6, 0, 42)
    assert table.house_settings == "no records"
    assert "mss (paper's mode): failed: out of memory" in markdown(table)


def test_a_metric_that_is_missing_leaves_one_cell_empty(make_record: MakeRecord) -> None:
    record = make_record(distance="mel", accuracies=published("mel"))
    metrics = {**record.metrics, "pitch_analytic": None}
    cells = table1_from_records([msgspec.structs.replace(record, metrics=metrics)], []).rows[2].cells
    assert [cell.paper is None for cell in cells] == [True] + [False] * 5
    with pytest.raises(ValueError, match=rf"record {record.key[:16]} of mel has no proportion in pitch_analytic"):
        table1_from_records([msgspec.structs.replace(record, metrics={"pitch_analytic": 0.5})], [])


def test_records_of_something_else_are_passed_over(make_record: MakeRecord) -> None:
    others = [
        make_record(distance="mel", task="harmonic"),
        make_record(distance="mel", kind="descent"),
        make_record(distance="my_loss"),
    ]
    assert table1_from_records(others, others) == table1_from_records([], [])


def test_two_records_of_one_distance_are_refused(make_record: MakeRecord) -> None:
    with pytest.raises(ValueError, match="two records of mel in the house mode"):
        table1_from_records([], [make_record(distance="mel"), make_record(distance="mel", seed=1)])


def test_settings_are_stated_where_they_differ(make_record: MakeRecord, table: Table1) -> None:
    assert table.paper_settings == "n = 1000, seed 0, phase=new"
    assert table.house_settings == "n = 1000, seed 0, phase=shared"
    mixed = [make_record(distance="mel", trials=100), make_record(distance="mss", trials=300, seed=3)]
    assert table1_from_records(mixed, []).paper.text == "n = 100-300, seeds 0, 3"


def test_only_what_all_records_share_is_a_setting(make_record: MakeRecord) -> None:
    params = {"mel": {"phase": "new", "hop": 2}, "mss": {"phase": "new", "hop": 2.5}, "mfcc": {"phase": "new", "x": 1}}
    records = [make_record(distance=distance, task_params=task) for distance, task in params.items()]
    assert table1_from_records(records, []).paper.params == {**records[0].distance.params, "phase": "new"}


@pytest.mark.parametrize(("value", "text"), [(0.617, ".617"), (1.0, "1.000"), (0.0, ".000"), (None, "–")])
def test_accuracies_are_printed_as_in_the_paper(value: float | None, text: str) -> None:
    assert accuracy_text(value) == text


def test_markdown_has_every_number_and_a_tick_for_each_agreement(table: Table1) -> None:
    lines = [line for line in markdown(table).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    assert {line.count("|") for line in lines} == {9}
    assert len(lines) == 2 + 3 * len(ROWS)
    body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    for row, position in zip(table.rows, range(0, len(body), 3), strict=True):
        paper, printed, house = body[position : position + 3]
        assert paper[0] == f"`{row.distance}`"
        assert printed[2:] == [accuracy_text(cell.published) for cell in row.cells]
        assert [cell.removesuffix(f" {TICK}") for cell in paper[2:]] == [accuracy_text(c.paper) for c in row.cells]
        assert [cell.endswith(TICK) for cell in paper[2:]] == [c.paper_agrees is True for c in row.cells]
        assert [cell.removesuffix(f" {TICK}") for cell in house[2:]] == [accuracy_text(c.house) for c in row.cells]
        assert [cell.endswith(TICK) for cell in house[2:]] == [c.house_agrees is True for c in row.cells]
    assert summary(table) in markdown(table)


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("colour", [True, False])
def test_the_terminal_shows_everything(table: Table1, width: int, colour: bool) -> None:
    file = io.StringIO()
    system = "truecolor" if colour else None
    Console(file=file, width=width, color_system=system, force_terminal=colour, legacy_windows=False).print(
        rich_table(table)
    )
    text = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    assert (text != file.getvalue()) is colour
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert all(word in text for word in ("pitch", "level", "analytic", "±30", "±600", "cents", "±2", "±10", "dB"))
    numbers = re.findall(rf"(?<![\d.])(?:\.\d{{3}}|1\.000)(?: {TICK})?", text)
    expected = [
        accuracy_text(accuracy) + (f" {TICK}" if ticked else "")
        for row in table.rows
        for line in (
            [(cell.paper, cell.paper_agrees) for cell in row.cells],
            [(cell.published, None) for cell in row.cells],
            [(cell.house, cell.house_agrees) for cell in row.cells],
        )
        for accuracy, ticked in line
        if accuracy is not None
    ]
    assert numbers == expected
    assert all(distance in text for distance in ROWS)
