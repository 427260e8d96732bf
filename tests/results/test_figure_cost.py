# pyright: reportUnknownMemberType=false
"""Cost against accuracy: which points are efficient, what is drawn, and a picture to compare with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from tonedeaf.results import Record
from tonedeaf.results.boards import Board, boards
from tonedeaf.results.figure_cost import by_mean, by_worst_cell, cost_points, figure_cost
from tonedeaf.results.leaderboard import Cost, Standing
from tonedeaf.results.style import FAINT_INK, colour, save_figure, styled

MakeRecord = Callable[..., Record]
GOLDEN = Path(__file__).parents[1] / "golden" / "figure_cost.png"
CELL = ("sines", "pitch_analytic")


def standing(name: str, worst: float, mean: float, ms: float | None, *, missing: int = 0) -> Standing:
    cells = {CELL: worst, ("sines", "level_analytic"): 2 * mean - worst}
    cost = None if ms is None else Cost(ms / 4, ms * 3 / 4, 1.0)
    ends = {cell: (value - 0.05, min(1.0, value + 0.05)) for cell, value in cells.items()}
    return Standing(name, cells, missing, False, ends, (mean - 0.02, mean + 0.02), cost=cost)


STANDINGS = [
    standing("tonedeaf", 0.95, 0.97, 8.0),
    standing("log_spectral_transport", 0.7, 0.8, 1.0),
    standing("mss", 0.5, 0.9, 4.0),
    standing("log_mss", 0.6, 0.65, 10.0),
    standing("partial", 0.99, 0.99, 0.1, missing=1),
    standing("unmeasured", 0.99, 0.99, None),
]


@pytest.fixture
def board(make_record: MakeRecord) -> Board:
    params = {"sample_rate": 44100.0, "duration": 0.5}
    numbers = {"forward_ms": 1.0, "backward_ms": 1.0, "kept_mib": 1.0}
    ranking = make_record(distance="mss", task_params=params)
    cost = make_record(distance="mss", kind="cost", task_params=params, metrics=numbers)
    (found,), _ = boards([ranking], [cost])
    return found


def test_efficient_is_what_nothing_beats_in_both():
    worst = {point.distance: point for point in cost_points(STANDINGS, by_worst_cell)}
    assert list(worst) == ["log_spectral_transport", "mss", "tonedeaf", "log_mss"], "complete, measured, cheapest first"
    assert {name for name, point in worst.items() if point.efficient} == {"log_spectral_transport", "tonedeaf"}
    mean = {point.distance: point for point in cost_points(STANDINGS, by_mean)}
    assert {name for name, point in mean.items() if point.efficient} == {"log_spectral_transport", "mss", "tonedeaf"}
    assert (worst["mss"].milliseconds, worst["mss"].accuracy) == (4.0, 0.5)
    assert (worst["mss"].low, worst["mss"].high) == pytest.approx((0.45, 0.55))
    assert (mean["mss"].low, mean["mss"].high) == pytest.approx((0.88, 0.92))


def test_equal_points_are_both_efficient():
    twins = [standing("a", 0.5, 0.5, 1.0), standing("b", 0.5, 0.5, 1.0)]
    assert all(point.efficient for point in cost_points(twins, by_mean))


def test_each_point_is_where_its_numbers_are(board: Board):
    figure = figure_cost(board, STANDINGS)
    for axes, by in zip(figure.axes, (by_worst_cell, by_mean), strict=True):
        drawn = {
            line.get_markeredgecolor(): (float(np.asarray(line.get_xdata())[0]), float(np.asarray(line.get_ydata())[0]))
            for line in axes.lines
            if line.get_marker() == "o"
        }
        points = cost_points(STANDINGS, by)
        assert drawn == {colour(point.distance): (point.milliseconds, point.accuracy) for point in points}
        names = {text.get_text() for text in axes.texts}
        assert names == {point.distance for point in points}
    caption = " ".join(text.get_text() for text in figure.texts)
    for stated in ("44.1 kHz", "seed 0", "n = 1000", "4 distances", "cpu"):
        assert stated in caption


def test_among_many_the_efficient_the_landmarks_and_the_best_have_names(board: Board):
    others = [standing(f"other_{n:02}", 0.6 + n / 100, 0.6 + n / 100, 20.0 + n) for n in range(20)]
    efficient, landmark = standing("quick", 0.3, 0.3, 0.1), standing("mel", 0.2, 0.2, 50.0)
    figure = figure_cost(board, [*STANDINGS, *others, efficient, landmark])
    always = {"tonedeaf", "log_spectral_transport", "mss", "log_mss", "quick", "mel"}
    for axes, best in zip(figure.axes, ({15, 16, 17, 18, 19}, {17, 18, 19}), strict=True):
        assert {text.get_text() for text in axes.texts} == always | {f"other_{n}" for n in best}
        inks = [line.get_markeredgecolor() for line in axes.lines if line.get_marker() == "o"]
        assert len(inks) == 26, "every point is drawn"
        assert inks.count(FAINT_INK) == 26 - len(always) - len(best)
    assert "without a name" in " ".join(text.get_text() for text in figure.texts)


def test_nothing_measured_is_an_error(board: Board):
    with pytest.raises(ValueError, match="no distance of the board"):
        figure_cost(board, STANDINGS[-1:])


def test_the_picture_is_the_one_that_was_looked_at(board: Board, tmp_path: Path):
    """Text may be rendered a little otherwise elsewhere: on average by less than one of 255 levels, nowhere missing.

    After a change that was meant: ``cp`` the file that the message names over the golden one, and look at it.
    """
    figure = figure_cost(board, STANDINGS)
    with styled():
        figure.set_dpi(70)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.int16)
    Image.fromarray(drawn.astype(np.uint8)).save(tmp_path / "figure_cost.png", optimize=True)
    golden = np.asarray(Image.open(GOLDEN).convert("RGB")).astype(np.int16)
    assert drawn.shape == golden.shape, tmp_path
    assert np.abs(drawn - golden).mean() < 1.0, f"{tmp_path}/figure_cost.png"


def test_equal_figures_are_equal_files(board: Board, tmp_path: Path):
    first = save_figure(figure_cost(board, STANDINGS), tmp_path / "a")
    second = save_figure(figure_cost(board, STANDINGS), tmp_path / "b")
    for ours, theirs in zip(first, second, strict=True):
        assert ours.read_bytes() == theirs.read_bytes()
