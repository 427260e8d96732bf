# pyright: reportUnknownMemberType=false
"""Figures of BassNet's evaluations: from records alone, legible, and the same file every time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.stats import multivariate_normal

from tonedeaf.results import Record, RecordStore
from tonedeaf.results.bassnet_evaluation import Evaluation, QuadraticClassifier, read_evaluation
from tonedeaf.results.bassnet_relative_pitch import RelativePitch, read_relative_pitch
from tonedeaf.results.collection import collect
from tonedeaf.results.figure_latent import figure_latent
from tonedeaf.results.figure_relative_pitch import figure_relative_pitch
from tonedeaf.results.figure_trajectory import figure_trajectory
from tonedeaf.results.page_tables import tables
from tonedeaf.results.pattern_style import pattern_colours, pattern_marker, region_colour
from tonedeaf.results.publication import Conventions, Mode, Publication
from tonedeaf.results.published_figures import figures
from tonedeaf.results.style import save_figure, styled

MakeRecord = Callable[..., Record]
Draw = Callable[[Sequence[Evaluation]], Figure]
DRAW: dict[str, Draw] = {"latent": figure_latent, "trajectory": figure_trajectory}
INTERVALS = np.arange(-24, 13)


def parameters(dataset: str = "A1", *, cross_reconstruction: bool = True, trained_on: str = "a") -> dict[str, Any]:
    return {
        "dataset": dataset,
        "digest": "a" * 64,
        "renderer": "additive",
        "songs": 2,
        "split": "validation",
        "trained_on": {"dataset": dataset, "digest": trained_on * 64},
        "config": {
            "model": {"window": 10, "expanded": 20, "maps": 16, "latent": 2},
            "objective": {
                "cross_reconstruction": cross_reconstruction,
                "level": "absolute",
                "kl_weight": 0.003,
                "f0_weight": 1.0,
            },
            "cqt": {"bins_per_octave": 12},
        },
    }


def an_evaluation(
    make_record: MakeRecord, patterns: int = 3, *, steps: int | None = None, songs: int | None = None, **options: Any
) -> Evaluation:
    """Two songs whose latent is at a corner for each pattern."""
    generator = np.random.default_rng(patterns)
    corners = 1.6 * np.stack([np.cos(2 * np.pi * np.arange(5) / 5), np.sin(2 * np.pi * np.arange(5) / 5)], axis=1)
    frames: list[pl.DataFrame] = []
    for song in (4, 7):
        pattern = np.repeat(generator.integers(patterns, size=10) if patterns else np.full(10, -1), 30)
        z = (corners[pattern] if patterns else 0.0) + 0.3 * generator.normal(size=(300, 2))
        columns = {"song": song, "seconds": 0.05 + 0.1 * np.arange(300), "z1": z[:, 0], "z2": z[:, 1]}
        frames.append(pl.DataFrame({**columns, "pattern": pattern}))
    classifier = {
        "patterns": list(range(patterns)),
        "priors": [1 / patterns] * patterns if patterns else [],
        "means": corners[:patterns].tolist(),
        "covariances": [[[0.09, 0.0], [0.0, 0.09]]] * patterns,
    }
    accuracy = {"value": 0.987, "low": 0.98, "high": 0.99, "n": 600, "songs": 2}
    metrics: dict[str, Any] = {"quadratic_classifier": classifier if patterns > 1 else None, "qda_accuracy": accuracy}
    if steps is not None:
        metrics["steps"] = steps
    return Evaluation(
        make_record(
            kind="evaluation", distance="paper", task="bassnet", task_params=parameters(**options), metrics=metrics
        ),
        pl.concat(frames).sample(fraction=1, shuffle=True, seed=0),
        songs,
    )


def a_grid(make_record: MakeRecord) -> RelativePitch:
    generator = np.random.default_rng(0)
    data = np.where(np.isin(INTERVALS, [-12, -8, -5]), 1 / 3, 0.0)
    shares = generator.dirichlet(np.full(INTERVALS.size, 0.1), size=(5, 5))
    told = {"reference": "the root of the chord", "seconds": 60.0, "songs": [4, 7]}
    record = make_record(
        kind="relative_pitch", distance="paper", task="bassnet", task_params=parameters(), metrics=told
    )
    return RelativePitch(record, np.linspace(-2, 2, 5), np.linspace(-1.5, 1.5, 5), INTERVALS, shares, data)


def a_table(found: RelativePitch) -> pl.DataFrame:
    z2, z1, interval = (each.ravel() for each in np.meshgrid(found.z2, found.z1, found.intervals, indexing="ij"))
    data = np.tile(found.data_shares, found.z1.size * found.z2.size)
    columns = {"z1": z1, "z2": z2, "interval": interval, "share": found.shares.ravel(), "data_share": data}
    return pl.DataFrame(columns).sample(fraction=1, shuffle=True, seed=1)


@pytest.mark.parametrize("kind", DRAW)
def test_the_same_records_give_the_same_bytes(kind: str, make_record: MakeRecord, tmp_path: Path):
    def drawn() -> Figure:
        return DRAW[kind]([an_evaluation(make_record), an_evaluation(make_record, cross_reconstruction=False)])

    one = save_figure(drawn(), tmp_path / "one")
    with mpl.rc_context({"font.size": 30.0, "image.cmap": "jet", "axes.facecolor": "red"}):
        other = save_figure(drawn(), tmp_path / "other")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not re.search(r"<dc:date>|20\d\d-\d\d-\d\dT", one[1].read_text())


def check_texts(figure: Figure) -> None:
    """No text leaves the figure, none covers another."""
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        hidden = {id(label) for axes in figure.axes for label in labels_out_of_view(axes)}
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


def labels_out_of_view(axes: Axes) -> Iterator[Text]:
    if not axes.axison:
        yield from axes.findobj(Text)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                yield from (tick.label1, tick.label2)


@pytest.mark.parametrize("kind", DRAW)
@pytest.mark.parametrize("patterns", [(3,), (3, 5), (2, 3, 5, 0)])
def test_captions_say_what_was_measured_and_no_text_overlaps(
    kind: str, patterns: tuple[int, ...], make_record: MakeRecord
):
    figure = DRAW[kind]([an_evaluation(make_record, each) for each in patterns])
    check_texts(figure)
    caption = " ".join(text.get_text() for text in reversed(figure.texts))
    for said in ("Dataset A1", "rendered by additive", "2 (validation)", "window 10/20", "feature maps 16", "seed 0"):
        assert said in caption, said


def test_the_grid_is_legible_and_says_how_it_differs_from_the_papers(make_record: MakeRecord):
    figure = figure_relative_pitch(a_grid(make_record))
    check_texts(figure)
    caption = " ".join(text.get_text() for text in reversed(figure.texts))
    for said in ("the root of the chord", "relative to the f0 of the mix", "10/80", "60 s", "10/20 model of A1"):
        assert said in caption, said
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "(−2.00, 1.50)", "z2 grows upwards"
    assert titles[-1] == "(2.00, −1.50)"


def test_bars_are_the_difference_to_the_data(make_record: MakeRecord):
    found = a_grid(make_record)
    figure = figure_relative_pitch(found)
    first = figure.axes[0]  # lowest z1, highest z2
    heights = [patch.get_height() for patch in first.patches if patch.get_width() == pytest.approx(0.85)]  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(heights, found.shares[4, 0] - found.data_shares)


@pytest.mark.parametrize("kind", DRAW)
def test_headings_tell_evaluations_apart(kind: str, make_record: MakeRecord):
    evaluations = [
        an_evaluation(make_record),
        an_evaluation(make_record, dataset="A2", cross_reconstruction=False),
        an_evaluation(make_record, dataset="A4", trained_on="b", steps=5000, songs=86),
    ]
    figure = DRAW[kind](evaluations)
    words = {text.get_text() for text in figure.findobj(Text)}
    assert {"A1, 10/20", "A2, 10/20, no cross-reconstruction", "A4, 10/20"} <= words
    assert {"seed 0, KL weight 0.003", "seed 0, 5000 steps, 86 songs, KL weight 0.003"} <= words
    assert ("accuracy 0.987" in words) == (kind == "latent")


def test_a_pattern_has_one_colour_whichever_others_are_there(make_record: MakeRecord):
    """Pattern 3 of A1, among three and alone; of a dataset that is not known, as many as there are."""
    whole, other = an_evaluation(make_record), an_evaluation(make_record, dataset="my own")
    lone = Evaluation(make_record(kind="evaluation", metrics={}, task_params=parameters()), only(whole, 2))
    colours = [
        [{line.get_label(): line.get_markerfacecolor() for line in axes.lines}["pattern 3"] for axes in figure.axes]
        for figure in (figure_latent([whole, lone]), figure_latent([other]))
    ]
    assert colours == [[pattern_colours(3)[2]] * 2, [pattern_colours(3)[2]]]
    figure = figure_trajectory([Evaluation(lone.record, only(an_evaluation(make_record, 3), 1))])
    assert figure.axes[0].patches[0].get_facecolor()[:3] == pytest.approx(to_rgb(region_colour(pattern_colours(3)[1])))


def only(evaluation: Evaluation, pattern: int) -> pl.DataFrame:
    """The windows of one pattern."""
    return evaluation.windows.filter(pl.col("pattern") == pattern)


def test_regions_are_the_classifiers(make_record: MakeRecord):
    """The record's Gaussians by scipy, and the shares that they give."""
    drawn = an_evaluation(make_record).classifier
    assert drawn is not None
    spreads = np.array([0.5, 1.0, 3.0])[:, None, None] * np.array([[1.0, 0.4], [0.4, 1.0]])
    classifier = QuadraticClassifier(drawn.patterns, np.array([0.7, 0.2, 0.1]), drawn.means, spreads)
    points = np.random.default_rng(0).normal(size=(50, 4, 2))
    densities = [
        prior * multivariate_normal(mean, covariance).pdf(points)
        for prior, mean, covariance in zip(classifier.priors, classifier.means, classifier.covariances, strict=True)
    ]
    expected = np.stack(densities, axis=-1)
    np.testing.assert_allclose(classifier.posterior(points), expected / expected.sum(-1, keepdims=True), rtol=1e-6)
    far = QuadraticClassifier(classifier.patterns, classifier.priors, classifier.means, classifier.covariances * 1e-6)
    assert np.isfinite(far.posterior([[1e3, 1e3]])).all(), "far from every pattern it still decides"


def test_patterns_differ_in_grey_and_in_shape():
    def lightness(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 116 * float(np.cbrt(np.dot(linear, [0.2126, 0.7152, 0.0722]))) - 16

    for patterns in (2, 3, 5):
        colours = pattern_colours(patterns)
        assert min(np.diff([lightness(colour) for colour in colours])) > 12, patterns
        assert len({pattern_marker(pattern) for pattern in range(patterns)}) == patterns
        assert all(lightness(region_colour(colour)) > 70 for colour in colours), "marks stand out on their region"


def test_the_song_that_changes_most_is_shown(make_record: MakeRecord):
    evaluation = an_evaluation(make_record)
    calm = evaluation.windows.with_columns(
        pl.when(pl.col("song") == 4).then(0).otherwise(pl.col("pattern")).alias("pattern"),
        pl.when(pl.col("song") == 4).then(99.0).otherwise(pl.col("z1")).alias("z1"),
    )
    figure = figure_trajectory([Evaluation(evaluation.record, calm)])
    (line,) = figure.axes[0].lines
    assert np.asarray(line.get_ydata()).max() < 10
    assert len(np.asarray(line.get_xdata())) == 300


def test_trajectories_stand_three_side_by_side_each_dimension_below_the_other(make_record: MakeRecord):
    figure = figure_trajectory([an_evaluation(make_record)] * 4)
    shown = [one for one in figure.axes if one.axison]
    assert [one.get_ylabel() for one in shown] == ["$z_1$", "$z_2$"] * 4
    places = [one.get_position() for one in shown]
    left = [round(place.x0, 6) for place in places]
    assert left[0::2] == left[1::2]
    assert left[0] == left[6] < left[2] < left[4]
    assert all(lower.y1 < upper.y0 for upper, lower in zip(places[0::2], places[1::2], strict=True))


def test_a_latent_that_collapsed_and_one_window_can_be_drawn(make_record: MakeRecord):
    evaluation = an_evaluation(make_record)
    flat = evaluation.windows.with_columns(pl.lit(0.25).alias("z1"), pl.lit(0.0).alias("z2"))
    for draw in DRAW.values():
        check_texts(draw([Evaluation(evaluation.record, flat)]))
        check_texts(draw([Evaluation(evaluation.record, flat.head(1))]))


def test_evaluations_come_back_from_a_store(make_record: MakeRecord, tmp_path: Path):
    written, store = an_evaluation(make_record), RecordStore(tmp_path)
    record = store.write(written.record, written.windows)
    assert read_evaluation(store, record).windows.equals(written.windows)
    grid = a_grid(make_record)
    again = read_relative_pitch(store.write(grid.record, a_table(grid)), store.trials)
    np.testing.assert_array_equal(again.shares, grid.shares)
    np.testing.assert_array_equal(again.z2, grid.z2)
    np.testing.assert_array_equal(again.data_shares, grid.data_shares)
    assert (again.reference, again.seconds) == ("the root of the chord", 60.0)


def test_the_songs_of_a_training_get_from_its_record_into_what_is_published(make_record: MakeRecord, tmp_path: Path):
    store, evaluation = RecordStore(tmp_path), an_evaluation(make_record)
    store.write(evaluation.record, evaluation.windows)
    told = {"kind": "training", "distance": "paper", "task": "bassnet", "task_params": parameters()}
    store.write(make_record(**told, metrics={"training_songs": 22}))
    mode = Mode({}, {})
    publication = Publication(collect([tmp_path]), Conventions(tasks=(), paper=mode, house=mode))
    assert tables(publication)["bassnet"]().count("| 22 songs | 2 songs |") == 2
    for kind in DRAW:
        words = {text.get_text() for text in figures(publication)[kind]().findobj(Text)}
        assert "seed 0, 22 songs, KL weight 0.003" in words


def test_what_is_no_evaluation_is_refused(make_record: MakeRecord, tmp_path: Path):
    store = RecordStore(tmp_path)
    with pytest.raises(ValueError, match="a figure needs at least one evaluation"):
        figure_latent([])
    with pytest.raises(ValueError, match=r"an evaluation with an answer was expected, got ranking \(ok\)"):
        read_evaluation(store, make_record())
    bare = store.write(make_record(kind="evaluation", metrics={}), pl.DataFrame({"song": [1]}))
    with pytest.raises(ValueError, match="lacks seconds, z1, z2, pattern in its table"):
        read_evaluation(store, bare)
    with pytest.raises(ValueError, match="a relative_pitch with an answer was expected"):
        read_relative_pitch(bare, store.trials)
    grid = a_grid(make_record)
    torn = store.write(grid.record, a_table(grid)[1:])
    with pytest.raises(ValueError, match="is not a whole grid: 924 rows"):
        read_relative_pitch(torn, store.trials)
