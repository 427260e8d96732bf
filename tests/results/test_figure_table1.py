# pyright: reportUnknownMemberType=false
"""The figure shows every number, legibly, and is the same file every time."""

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from tonedeaf.results import Record, Table1, table1_from_records
from tonedeaf.results.figure_table1 import figure_table1
from tonedeaf.results.published_values import SPECTRAL_DISTANCES
from tonedeaf.results.style import RESOLUTION, accuracy_colour, colour, ink_on, new_figure, save_figure, styled
from tonedeaf.results.table1 import ROWS
from tonedeaf.results.table1_text import accuracy_text

MakeRecord = Callable[..., Record]


@pytest.fixture(scope="module")
def table(make_record: MakeRecord) -> Table1:
    paper = [make_record(distance=distance, task_params={"phase": "new"}) for distance in ROWS[:-1]]
    house = [
        make_record(distance=distance, task_params={"phase": "shared", "duration": 0.5, "note": "a long one " * 9})
        for distance in ROWS
        if distance != "mel"
    ]
    failed = make_record(distance="mel", status="failed")
    return table1_from_records(paper, [*house, failed])


@pytest.fixture(scope="module")
def figure(table: Table1) -> Figure:
    return figure_table1(table)


def test_the_same_records_give_the_same_bytes(tmp_path: Path, table: Table1) -> None:
    one = save_figure(figure_table1(table), tmp_path / "new" / "one")
    with mpl.rc_context({"font.size": 30.0, "svg.hashsalt": "other", "ytick.color": "red"}):
        other = save_figure(figure_table1(table), tmp_path / "other.v2")
    assert [path.name for path in (*one, *other)] == ["one.png", "one.svg", "other.v2.png", "other.v2.svg"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    svg = one[1].read_text()
    assert not re.search(r"<dc:date>|20\d\d-\d\d-\d\dT", svg)
    assert "<text" not in svg, "text depends on the reader's fonts"
    height, width, _ = imread(one[0]).shape
    inches = figure_table1(table).get_size_inches()
    assert RESOLUTION >= 200
    assert (width, height) == pytest.approx(tuple(inches * RESOLUTION), abs=1)


def test_every_number_is_printed(figure: Figure, table: Table1) -> None:
    printed = [[text.get_text() for text in axes.texts] for axes in figure.axes[:3]]
    cells = [cell for row in table.rows for cell in row.cells]
    assert printed[0][:48] == [accuracy_text(cell.paper) for cell in cells]
    assert printed[1][:48] == [accuracy_text(cell.published) for cell in cells]
    assert printed[2][:48] == [accuracy_text(cell.house) for cell in cells]
    for texts in printed:
        assert {"±30\ncents", "±600\ncents", "analytic", "±2\ndB", "±10\ndB", "pitch", "level"} <= set(texts)
    assert set(ROWS) <= set(printed[0])
    words = " ".join(text for texts in printed for text in texts)
    assert "n = 1000, seed 0, phase=new" in words
    notes = " ".join(text.get_text() for text in figure.texts)
    assert f"{table.agreeing_cells} of 42 cells" in notes
    assert "mel (house mode): failed: out of memory" in notes


def test_agreeing_cells_and_no_others_are_framed(figure: Figure, table: Table1) -> None:
    for axes, agreeing in zip(figure.axes[:3], (table.agreeing_cells, 0, table.house_agreeing_cells), strict=True):
        frames = [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.get_fill()]
        bold = [text for text in axes.texts[:48] if text.get_fontweight() == "bold"]
        assert len(frames) == len(bold) == agreeing
    assert table.agreeing_cells > 0


def test_no_text_overlaps_another_or_leaves_the_figure(figure: Figure) -> None:
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts if text.get_visible()
        ]
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for (one, box), (other, other_box) in combinations(boxes, 2):
        assert not box.padded(1).overlaps(other_box), (one, other)


def luminance(rgb: str) -> float:
    channels = [int(rgb[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("percent", range(0, 101, 5))
def test_numbers_are_legible_on_every_colour(percent: int) -> None:
    background = accuracy_colour(percent / 100)
    light, dark = sorted((luminance(background), luminance(ink_on(background))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, level AA


def test_more_is_lighter_in_greyscale() -> None:
    levels = [luminance(accuracy_colour(percent / 100)) for percent in range(101)]
    assert levels == sorted(levels)


def test_a_colour_depends_on_the_name_only_and_nothing_needs_pyplot() -> None:
    colours = [colour(distance) for distance in ROWS]
    assert len(set(colours)) == len(ROWS)
    assert colour("my_loss") not in colours
    script = (
        "import sys; from tonedeaf.results.style import colour; import tonedeaf.results.figure_table1\n"
        "print(colour('my_loss'), colour('mel'), 'matplotlib.pyplot' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert printed.split() == [colour("my_loss"), colour("mel"), "False"]
    assert all(re.fullmatch("#[0-9a-f]{6}", colour(name)) for name in (*SPECTRAL_DISTANCES, "a", "", "ü"))


def test_drawing_leaves_no_global_state() -> None:
    with mpl.rc_context({"font.size": 3.0, "ytick.color": "red"}):
        before = dict(mpl.rcParams)
        with styled():
            assert mpl.rcParams["svg.hashsalt"] == "tonedeaf"
            new_figure(1, 1)
        assert dict(mpl.rcParams) == before


def test_reading_records_needs_neither_matplotlib_nor_torch() -> None:
    script = "import sys, tonedeaf.results; print([name for name in ('matplotlib', 'torch') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "[]\n"
