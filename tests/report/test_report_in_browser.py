"""The report as a reader has it: opened from disk in a browser, read back and compared with the records."""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonedeaf.results import Proportion, Record

from .conftest import SCREENSHOTS, Report

SECTIONS = ("leaderboard", "cost", "published", "pair", "listen", "training", "records")


@dataclass
class Opened:
    """A page, and what went wrong or went out while it was open."""

    page: Any
    problems: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])


def _open(browser: Any, report: Report, *, width: int = 1280, scheme: str = "light") -> Opened:
    opened = Opened(browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme))
    opened.page.set_default_timeout(120_000)  # on a busy machine a click may wait for half a minute
    opened.page.on("console", lambda message: opened.problems.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(report.path.as_uri())
    opened.page.wait_for_function("document.querySelectorAll('#listen canvas[data-drawn]').length === 6")
    return opened


@pytest.fixture(scope="module")
def opened(browser: Any, published: Report) -> Generator[Opened]:
    found = _open(browser, published)
    yield found
    found.page.close()


@pytest.fixture
def page(opened: Opened) -> Generator[Any]:
    """The page; every control of the leaderboard is back where it was for the next test."""
    yield opened.page
    opened.page.evaluate("""() => {
        for (const form of document.querySelectorAll("form")) form.reset();
        Object.assign(boardState, { sort: "minimum", descending: true, open: new Set() });
        drawBoard();
        drawRecords();
    }""")


def _ranking(report: Report, distance: str, task: str) -> Record:
    (found,) = [one for one in report.publication.boards[0].of_distance(distance) if one.task.name == task]
    return found


def _accuracy(report: Report, distance: str, task: str, column: str) -> Proportion:
    return Proportion.from_metric(_ranking(report, distance, task).metrics[column])


def _column(page: Any, key: str) -> list[float | None]:
    """The values in one column of the leaderboard, from top to bottom."""
    place = page.locator("#board thead th").evaluate_all(
        "(all, key) => all.findIndex((th) => th.dataset.key === key)", key
    )
    assert place > 0
    cells = page.locator(f"#board tbody tr[data-distance] > :nth-child({place + 1})")
    return [None if text == "–" else float(text.split()[0]) for text in cells.all_inner_texts()]


def _names(page: Any) -> list[str]:
    return page.locator("#board tbody tr[data-distance]").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.distance)"
    )


def test_it_opens_from_disk_without_errors_and_without_the_network(opened: Opened, published: Report):
    assert opened.problems == []
    assert {re.split("[:,;]", url)[0] for url in opened.requests} <= {"file", "data", "blob"}
    assert [url for url in opened.requests if url.startswith("file:")] == [published.path.as_uri()]


def test_the_leaderboard_shows_the_records(page: Any, published: Report):
    standings = [one for one in published.publication.standings[0] if one.complete]
    assert _names(page) == [one.distance for one in standings]
    assert _column(page, "minimum") == [round(one.minimum, 3) for one in standings]
    assert _column(page, "mean") == [round(one.mean, 3) for one in standings]
    for standing, shown in zip(standings, _column(page, "task:tilt"), strict=True):
        metrics = _ranking(published, standing.distance, "tilt").metrics
        assert shown == round(min(metric["value"] for metric in metrics.values()), 3)


def test_numbers_are_printed_as_in_the_other_pages(page: Any):
    values = [0.0, 0.0625, 0.1875, 0.8125, 0.9375, 1.0, 0.0005, 0.7055, 0.70549, *(k / 400 for k in range(401))]
    assert page.evaluate("(all) => all.map(share)", values) == [f"{value:.3f}" for value in values]


def test_sorting_reorders_by_the_values(page: Any, published: Report):
    header = page.locator('#board th[data-key="task:sines"]')
    header.locator("button").click()
    falling = _column(page, "task:sines")
    assert falling == sorted(falling, key=lambda value: -(value or 0))
    assert header.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")  # the button keeps the focus
    assert _column(page, "task:sines") == falling[::-1]
    assert header.get_attribute("aria-sort") == "ascending"
    page.locator('#board th[data-key="distance"] button').click()
    assert _names(page) == sorted(_names(page))


def test_filtering_hides_what_does_not_match(page: Any, published: Report):
    page.fill("#board-filter", "mss")
    assert sorted(_names(page)) == ["log_mss", "mss"]
    page.fill("#board-filter", "Hermes")  # the source of tonedeaf
    assert _names(page) == ["tonedeaf"]
    page.fill("#board-filter", "no such distance")
    assert _names(page) == []
    assert page.inner_text("#board-status").startswith("0 of ")
    page.fill("#board-filter", "")
    page.uncheck("#board-complete")
    incomplete = {one.distance for one in published.publication.standings[0] if not one.complete}
    assert incomplete
    assert incomplete <= set(_names(page))
    assert len(_names(page)) == len(published.publication.standings[0])


def test_a_task_shows_its_columns(page: Any, published: Report):
    page.select_option("#board-task", "tilt")
    for name, shown in zip(_names(page), _column(page, "tilt_6_db"), strict=True):
        assert shown == round(_accuracy(published, name, "tilt", "tilt_6_db").value, 3)
    assert _column(page, "pitch_analytic")


def test_another_board_shows_its_own_records(page: Any, published: Report):
    titles = page.locator("#board-choice option").all_inner_texts()
    assert titles == [board.title for board in published.publication.boards]
    page.select_option("#board-choice", label=titles[1])
    assert _names(page) == [one.distance for one in published.publication.standings[1] if one.complete]


def test_a_distance_opens_into_every_cell_with_its_record(page: Any, published: Report):
    page.locator('#board tr[data-distance="mss"] button').click()
    text = page.locator("#board tr.detail").inner_text()
    found = _accuracy(published, "mss", "tilt", "tilt_1_db")
    assert f"tilt ±1 dB {found.value:.3f}\n{found.low:.3f}–{found.high:.3f}" in text
    links = page.locator("#board tr.detail a").evaluate_all("(all) => all.map((a) => a.href)")
    records = {record.key[:16] for record in published.publication.boards[0].of_distance("mss")}
    cost = next(one for one in published.publication.boards[0].costs if one.distance.name == "mss")
    assert {link.rpartition("-")[2].removesuffix(".json") for link in links} == {*records, cost.key[:16]}
    for link in links:
        assert Path(re.sub("%20", " ", link.removeprefix("file://"))).is_file()


def test_who_is_missing_is_listed_with_the_reason(page: Any):
    absent = page.locator("#board-absent").inner_text() or page.locator("#board-absent ul").text_content()
    page.locator("#board-absent summary").click()
    absent = page.locator("#board-absent").inner_text()
    assert "vggish: unavailable: needs weights that are not here" in absent
    assert "gammatone: 6 of " in absent


def test_cost_shows_a_point_for_each_measured_distance(page: Any, published: Report):
    measured = [one for one in published.publication.standings[0] if one.complete and one.cost]
    chart = page.locator("#cost-chart svg[aria-label^='Sign accuracy']")
    assert f"for {len(measured)} distances" in chart.get_attribute("aria-label")
    before = chart.locator("circle").evaluate_all(
        "(all) => all.map((c) => c.getAttribute('cy') + c.getAttribute('transform'))"
    )
    page.check("#cost-controls input[value=mean]")
    after = chart.locator("circle").evaluate_all(
        "(all) => all.map((c) => c.getAttribute('cy') + c.getAttribute('transform'))"
    )
    assert len(before) == len(after) == len(measured)
    assert before != after


@pytest.mark.parametrize("mode", ["paper", "house"])
def test_table_1_shows_ours_beside_the_published(page: Any, published: Report, mode: str):
    page.check(f"#published-controls input[value={mode}]")
    rows = page.locator("#table1 tbody tr")
    table = published.publication.table1
    assert table is not None
    assert rows.count() == len(table.rows)
    for row, shown in zip(table.rows, rows.all(), strict=True):
        for cell, text in zip(row.cells, shown.locator("td").all_inner_texts(), strict=True):
            ours = cell.paper if mode == "paper" else cell.house
            agrees = cell.paper_agrees if mode == "paper" else cell.house_agrees
            assert ours is not None
            value, tick, published_value = re.fullmatch(r"([\d.]+)( ✓)?\s+published (.+)", text).groups()  # type: ignore[union-attr]
            assert float(value) == round(ours.value, 3)
            assert (tick is not None) == (agrees is True)
            assert published_value == ("–" if cell.published is None else f"{cell.published:.3f}")


def test_a_pair_shows_both_and_who_alone_was_right(page: Any, published: Report):
    page.select_option("#pair-first", "log_spectral_transport")
    page.select_option("#pair-second", "mss")
    assert page.inner_text("#pair-left h3") == "log_spectral_transport"
    for side in ("#pair-left", "#pair-right"):
        assert page.locator(f"{side} svg").count() == 3, "map, curve, descent"
    trials = published.publication.collection.trials
    for task, column in (("sines", "pitch_30_cents"), ("tilt", "tilt_analytic"), ("bass_notes", "level_2_db")):
        names = ("log_spectral_transport", "mss")
        records = [_ranking(published, name, task) for name in names]
        ours, theirs = (trials(record).sort("trial")[column].to_numpy() > 0 for record in records)
        cells = page.locator(f"tr[data-cell='{task}/{column}'] td").all_inner_texts()
        values = [_accuracy(published, name, task, column).value for name in names]
        assert [float(text) for text in cells[1:3]] == [round(value, 3) for value in values]
        assert float(cells[3].replace("−", "-")) == pytest.approx(values[0] - values[1], abs=1e-3)
        assert [int(text) for text in cells[4:6]] == [int((ours & ~theirs).sum()), int((~ours & theirs).sum())]
    page.click("#pair-swap")
    assert page.inner_text("#pair-left h3") == "mss"


def test_a_pair_says_what_is_not_published(page: Any):
    page.select_option("#pair-second", "gammatone")
    missing = page.locator("#pair-right .note").all_inner_texts()
    assert missing == ["No map of it is published.", "No curve of it is published."]


def test_sounds_decode_and_play(page: Any, published: Report):
    players = page.locator("#listen audio")
    assert players.count() == 6
    seconds = players.evaluate_all("""async (all) => Promise.all(all.map(async (audio) => {
        if (audio.readyState < 1) await new Promise((done) => audio.addEventListener("loadedmetadata", done));
        return audio.duration;
    }))""")
    assert seconds == pytest.approx([0.5] * 6, abs=0.06)  # MP3 has frames of 26 ms
    played = players.first.evaluate("""async (audio) => {
        await audio.play();
        await new Promise((done) => audio.addEventListener("ended", done));
        return audio.currentTime;
    }""")
    assert played == pytest.approx(seconds[0], abs=0.01)


def test_a_point_says_its_numbers_under_the_pointer(page: Any, published: Report):
    for accuracy in ("mean", "worst"):  # whatever an earlier test left chosen
        page.check(f"#cost-controls input[value={accuracy}]")
    chart = page.locator("#cost-chart svg[role=img]")
    chart.locator("circle").first.hover()
    (cheapest,) = [one for one in published.publication.standings[0] if one.distance == "log_spectral_transport"]
    tip = chart.locator("g[pointer-events=none] text").last.text_content()
    assert "log_spectral_transport" in tip
    assert f"{cheapest.minimum:.3f}" in tip
    assert chart.locator("[aria-label]").count() == 0


def test_a_spectrogram_shows_the_pitch(page: Any, published: Report):
    heard = page.evaluate("data.listening[0].prediction.hz")
    row = (
        page.locator("#listen canvas")
        .nth(1)
        .evaluate("""(canvas) => {
        const { width, height } = canvas;
        const middle = canvas.getContext("2d").getImageData(width / 2, 0, 1, height).data;
        const bright = Array.from({ length: height }, (_, y) => middle[4 * y] + middle[4 * y + 1] + middle[4 * y + 2]);
        return height - 1 - bright.indexOf(Math.max(...bright));
    }""")
    )
    low, high, rows = 30.0, 10000.0, 64
    octaves = abs(np.log2(low * (high / low) ** ((row + 0.5) / rows) / heard))
    assert octaves < 0.3, "a row is an eighth of an octave, a bin of the transform 21.5 Hz"


def test_verdicts_are_the_records_margins(page: Any, published: Report):
    page.select_option("#listen-task", label="tilt")
    heard = int(re.search(r"trial (\d+)", page.inner_text("#listen-note")).group(1))  # type: ignore[union-attr]
    columns = page.locator("#verdicts thead th").all_inner_texts()
    for name in ("tonedeaf", "mss", "log_mss"):
        row = page.locator(f"#verdicts tr[data-distance='{name}'] > *").all_inner_texts()
        trial = published.publication.collection.trials(_ranking(published, name, "tilt")).row(heard, named=True)
        for column, label in (("tilt_1_db", "tilt ±1 dB"), ("pitch_analytic", "pitch analytic")):
            expected = "further ✓" if trial[column] > 0 else "nearer ✗" if trial[column] < 0 else "no change ="
            assert row[columns.index(label)] == expected
    page.click("#listen-next")
    assert "tilt" not in page.inner_text("#listen-note")


def test_training_shows_arms_seeds_and_sounds(page: Any, published: Report):
    (study,) = published.publication.studies
    rows = page.locator("#arms tbody tr")
    assert rows.locator("th").all_inner_texts() == ["paper", "none", "tonedeaf", "log_spectral_transport", "mss"]
    for arm, row in zip(study.arms, rows.all(), strict=True):
        mean = arm.metrics["raw_pitch_accuracy"]
        assert row.locator("td").first.inner_text().split()[0] == f"{mean.value:.3f}"
    page.select_option("#training-metric", "median_cents")
    assert page.locator("#training-chart svg[aria-label='median pitch error (cents) of 5 arms']").count() == 1
    assert page.locator("#foretold svg").count() == 2
    titles = page.locator("#arm-sounds .sound h3").all_inner_texts()
    assert titles == ["Mix", "True bass", "paper", "none", "tonedeaf", "log_spectral_transport", "mss"]


def test_every_record_is_listed_with_where_it_ran(page: Any, published: Report):
    records = published.publication.collection.records
    assert page.inner_text("#records-status") == f"40 of {len(records)} shown"
    page.fill("#records-filter", records[7].key[:16])
    row = page.locator("#records-table tbody tr").inner_text()
    assert records[7].distance.name in row
    assert str(records[7].revision.commit)[:12] in row
    assert f"torch {records[7].environment.torch}" in page.inner_text("#records-environments")
    page.locator("#records-aside summary").click()
    assert "ranking-damaged-0123456789abcdef.json: damaged or truncated" in page.inner_text("#records-aside")


def test_a_keyboard_is_enough(page: Any):
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.locator('#board tr[data-distance="tonedeaf"] button').focus()
    page.keyboard.press("Enter")
    assert page.locator("#board tr.detail").count() == 1
    assert page.evaluate("document.activeElement.textContent") == "tonedeaf"
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


@pytest.mark.parametrize(
    ("width", "scheme", "checked"),
    [(1280, "light", True), (1280, "dark", False), (360, "light", False), (360, "dark", True)],
)
def test_it_is_accessible_in_every_view(opened: Opened, page: Any, width: int, scheme: str, checked: bool):
    """Every view is photographed; axe, which takes seconds, sees both widths and both schemes, but not each pair."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.locator('#board tr[data-distance="tonedeaf"] button').click()
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for section in SECTIONS:
        page.locator(f"#{section}").screenshot(path=SCREENSHOTS / f"{section}-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "it scrolls sideways"
    found = axe.Axe().run(page).response["violations"] if checked else []
    assert [f"{one['impact']}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
    assert opened.problems == []
