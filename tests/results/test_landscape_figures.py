# pyright: reportUnknownMemberType=false
"""Curves, maps and fields: drawn from a record alone, legibly, and the same file every time."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from matplotlib.text import Text

from tonedeaf.results import Record, RecordStore
from tonedeaf.results.figure_curve import figure_curve, wrong_way
from tonedeaf.results.figure_field import figure_field
from tonedeaf.results.figure_map import figure_map
from tonedeaf.results.landscape import Landscape, read_landscape
from tonedeaf.results.style import accuracy_map, colour, distance_map, save_figure, shades, styled

MakeRecord = Callable[..., Record]
TARGETS = [(130.0, -12.5), (346.0, -12.5), (922.0, -12.5)]
DRAW: dict[str, Callable[[Sequence[Landscape]], Figure]] = {
    "curve": figure_curve,
    "map": figure_map,
    "field": figure_field,
}


def _landscape(
    make_record: MakeRecord, kind: str, distance: str = "mss", *, seed: int = 0, duration: float = 0.5
) -> Landscape:
    """A valley whose foot is each target: |octaves| + |dB| / 10."""
    targets = [{"pitch_hz": hertz, "level_db": level, "trial": 0} for hertz, level in TARGETS]
    params = {"duration": duration, "sample_rate": 44100, "fmin": 30.0, "targets": targets, "cell": {"cents": 106.0}}
    record = make_record(kind=kind, distance=distance, task_params=params, metrics={}, seed=seed)
    frames: list[pl.DataFrame] = []
    for number, (hertz, level) in enumerate(TARGETS):
        if kind == "field":
            pitch, levels = np.log2(hertz) + np.arange(-5, 6) * 340 / 1200, level + np.arange(-5.0, 6.0)
        else:
            pitch = np.linspace(np.log2(30), np.log2(4000), 41)
            levels = np.array([level]) if kind == "curve" else np.linspace(-25, 0, 21)
        rows, columns = (grid.ravel() for grid in np.meshgrid(levels, pitch, indexing="ij"))
        octaves = columns - np.log2(hertz)
        table: dict[str, Any] = {
            "target": np.full(rows.size, number, dtype=np.int32),
            "pitch_hz": 2**columns,
            "level_db": rows,
            "distance": np.abs(octaves) + np.abs(rows - level) / 10,
        }
        if kind == "curve":
            table["gradient_per_octave"] = np.sign(octaves)
        if kind == "field":
            table |= {"pitch_gradient": np.sign(octaves.round(6)) * 340 / 1200}
            table |= {"level_gradient": np.sign(rows - level) / 10}
        frames.append(pl.DataFrame(table))
    return Landscape(record, pl.concat(frames).sample(fraction=1, shuffle=True, seed=0))


def test_paths_are_drawn_over_the_map_of_their_distance_and_target(make_record: MakeRecord):
    maps = [_landscape(make_record, "map"), _landscape(make_record, "map", "mel")]
    table = pl.DataFrame(
        {
            "target": [0, 0, 1],
            "end": ["reached", "elsewhere", "reached"],
            "path_pitch_hz": [[100.0, 200.0], [1000.0, 900.0], [50.0, 60.0]],
            "path_level_db": [[-20.0, -10.0], [-5.0, -6.0], [-1.0, -2.0]],
        }
    )
    figure = figure_map(maps, 0, {"mel": table})
    plain, drawn = ([np.asarray(line.get_xydata()).tolist() for line in panel.lines] for panel in figure.axes[:2])
    for hertz, level in (((100.0, 200.0), (-20.0, -10.0)), ((1000.0, 900.0), (-5.0, -6.0))):
        assert np.stack([np.log2(hertz), level], axis=1).tolist() in drawn
    crosses = [np.asarray(line.get_xydata()).tolist() for line in figure.axes[1].lines if line.get_marker() == "X"]
    assert crosses == [[[np.log2(900.0), -6.0]]]
    assert all(len(line) == 1 for line in plain), "the target alone"
    assert "Paths:" in " ".join(text.get_text() for text in figure.findobj(Text))
    assert "Paths:" not in " ".join(text.get_text() for text in figure_map(maps).findobj(Text))


@pytest.mark.parametrize("kind", DRAW)
def test_the_same_records_give_the_same_bytes(kind: str, make_record: MakeRecord, tmp_path: Path):
    def drawn() -> Figure:
        return DRAW[kind]([_landscape(make_record, kind, name) for name in ("mss", "log_spectral_transport")])

    one = save_figure(drawn(), tmp_path / "one")
    with mpl.rc_context({"font.size": 30.0, "image.cmap": "jet", "axes.facecolor": "red"}):
        other = save_figure(drawn(), tmp_path / "other")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not re.search(r"<dc:date>|20\d\d-\d\d-\d\dT", one[1].read_text())


@pytest.mark.parametrize("kind", DRAW)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_captions_say_what_was_measured_and_no_text_overlaps(kind: str, count: int, make_record: MakeRecord):
    names = ["log2_spectral_centroid", "mss", "log_spectral_transport", "mel", "mfcc"][:count]
    figure = DRAW[kind]([_landscape(make_record, kind, name) for name in names])
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    caption = " ".join(text.get_text() for text in reversed(figure.texts))
    for said in ("sines (version 1)", "0.5 s at 44100 Hz", "seed 0", "trial 0", "padding valid", "fmin 30", "−12.5 dB"):
        assert said in caption, said
    assert all(name in words for name in names)
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        hidden = {id(label) for axes in figure.axes for label in _labels_out_of_view(axes)}
        texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts if id(text) not in hidden
        ]
    shown = [(text, box) for text, box in boxes if text != "■"]
    for text, box in shown:
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for (one, box), (other, other_box) in combinations(shown, 2):
        assert not box.overlaps(other_box), (one, other)


def _labels_out_of_view(axes: Axes) -> Iterator[Text]:
    """Labels of ticks beyond the ends of an axis: they exist, and are not drawn."""
    if not axes.axison:
        yield from axes.findobj(Text)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                yield from (tick.label1, tick.label2)


def test_a_panel_that_lasts_longer_says_so(make_record: MakeRecord):
    landscapes = [_landscape(make_record, "map"), _landscape(make_record, "map", "mel", duration=0.75)]
    words = [text.get_text() for text in figure_map(landscapes).findobj(Text)]
    assert {"mss (0.5 s)", "mel (0.75 s)"} <= set(words)


def test_curves_have_the_distances_colour(make_record: MakeRecord):
    figure = figure_curve([_landscape(make_record, "curve")])
    inks = [str(line.get_color()) for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) > 1]
    assert inks == shades("mss", 3)
    assert inks[1] != inks[0]
    assert [str(line.get_color()) for line in figure.axes[1].lines][-1] == colour("mss")
    assert "right at 100 % of pitches" in figure.axes[1].get_title(loc="left")


def test_shades_differ_in_grey():
    def luminance(rgb: str) -> float:
        return sum(weight * int(rgb[i : i + 2], 16) for weight, i in ((0.2126, 1), (0.7152, 3), (0.0722, 5)))

    for name in ("mss", "mel", "my_loss", "log_spectrogram"):
        levels = [luminance(shade) for shade in shades(name, 3)]
        assert min(np.diff(levels)) > 20, name
    assert shades("mss", 1) == [colour("mss")]


def test_the_map_of_distances_is_uniform_in_grey():
    """Luminance grows with the distance, and by about the same amount everywhere."""
    colours = distance_map()(np.linspace(0, 1, 64))[:, :3]
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 3 * steps.mean()
    assert distance_map().name != accuracy_map().name, "a distance is no accuracy"


def test_a_gradient_of_zero_or_towards_the_target_is_wrong(make_record: MakeRecord):
    landscape = _landscape(make_record, "curve")
    gradient = landscape.grid(1, "gradient_per_octave")
    assert not wrong_way(gradient, landscape.targets[1]).any()
    values = gradient.values.copy()
    values[0, :3] = (0.0, 1.0, -1.0)
    assert wrong_way(replace(gradient, values=values), landscape.targets[1])[:3].tolist() == [True, True, False]


def test_arrows_point_downhill(make_record: MakeRecord):
    figure = figure_field([_landscape(make_record, "field")], 1)
    (arrows,) = (one for one in figure.axes[0].collections if isinstance(one, Quiver))
    place = np.asarray(arrows.XY)
    right, up = np.asarray(arrows.U), np.asarray(arrows.V)
    towards = np.log2(346) - place[:, 0], -12.5 - place[:, 1]
    np.testing.assert_array_equal(np.sign(right), np.sign(towards[0].round(6)))
    np.testing.assert_array_equal(np.sign(up), np.sign(towards[1]))
    assert np.abs(right).max() <= 340 / 1200, "an arrow stays in its cell"


def test_landscapes_come_back_from_a_store(make_record: MakeRecord, tmp_path: Path):
    written, store = _landscape(make_record, "map"), RecordStore(tmp_path)
    record = store.write(written.record, written.table)
    again = read_landscape(store, record)
    np.testing.assert_array_equal(again.grid(2).values, written.grid(2).values)
    assert [str(target) for target in again.targets] == [
        "130 Hz, −12.5 dB",
        "346 Hz, −12.5 dB",
        "922 Hz, −12.5 dB",
    ]
    ranking = make_record()
    with pytest.raises(ValueError, match="the ranking record of log_mss names no targets"):
        read_landscape(store, ranking)


def test_landscapes_that_do_not_belong_together_are_refused(make_record: MakeRecord):
    one = _landscape(make_record, "map")
    with pytest.raises(ValueError, match="a figure needs at least one map"):
        figure_map([])
    with pytest.raises(ValueError, match="a map was expected, got the curve of mel"):
        figure_map([one, _landscape(make_record, "curve", "mel")])
    with pytest.raises(ValueError, match="mss and mel differ in task, seed or targets"):
        figure_map([one, _landscape(make_record, "map", "mel", seed=1)])
    with pytest.raises(ValueError, match="has no distance of target 3"):
        one.grid(3)
    with pytest.raises(ValueError, match="not a whole grid"):
        Landscape(one.record, one.table[1:]).grid(one.table["target"][0])
