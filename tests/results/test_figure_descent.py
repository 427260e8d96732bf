"""The figure of descents: what is drawn, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tonedeaf.results import Proportion, Record
from tonedeaf.results.figure_descent import figure_descent
from tonedeaf.results.style import save_figure

MakeRecord = Callable[..., Record]


def _descent(make_record: MakeRecord, name: str, **more: Any) -> Record:
    metrics = {"reached": Proportion.of(1, 2).as_metric()}
    params = {"duration": 0.2, "sample_rate": 44100, "descent": {"steps": 2}}
    return make_record(
        **{"distance": name, "kind": "descent", "trials": 2, "metrics": metrics, "task_params": params, **more}
    )


def _outcomes(_record: Record) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "end": ["reached", "edge"],
            "path_cents": [[1200.0, 600.0, 0.0], [-600.0, -600.0, -1200.0]],
            "path_db": [[3.0, 1.0, 0.0], [0.0, -4.0, -8.0]],
        }
    )


def _paths(axes: Axes) -> list[Line2D]:
    """The lines of three points."""
    return [line for line in axes.lines if np.asarray(line.get_xdata()).size == 3]


def test_each_distance_has_a_panel_with_the_paths(make_record: MakeRecord, tmp_path: Path):
    names = ["mss", "mel", "mfcc", "log_mss", "spectrogram"]
    figure = figure_descent([_descent(make_record, name) for name in names], _outcomes)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == 5
    for axes in shown:
        solid, dashed = _paths(axes)
        assert np.asarray(solid.get_xdata()).tolist() == [1.0, 0.5, 0.0]  # octaves
        assert np.asarray(dashed.get_ydata()).tolist() == [0.0, -4.0, -8.0]
        assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
        assert axes.get_xlim() == shown[0].get_xlim()
    for path in save_figure(figure, tmp_path / "descent"):
        assert path.stat().st_size > 1000


def test_fewer_trials_can_be_drawn(make_record: MakeRecord):
    figure = figure_descent([_descent(make_record, "mss")], _outcomes, trials=1)
    assert len(_paths(figure.axes[0])) == 1


def test_what_is_not_one_figure_is_refused(make_record: MakeRecord):
    with pytest.raises(ValueError, match="at least one descent"):
        figure_descent([], _outcomes)
    with pytest.raises(ValueError, match=r"got ranking \(ok\) of log_mss"):
        figure_descent([make_record()], _outcomes)
    with pytest.raises(ValueError, match="differ in task or seed"):
        figure_descent([_descent(make_record, "mss"), _descent(make_record, "mel", seed=1)], _outcomes)
