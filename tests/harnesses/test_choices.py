"""The search over what the paper leaves open: its grid, and what it concludes."""

import json
import math
from pathlib import Path

import msgspec
import pytest

from tonedeaf.harnesses.choices import SEEDS, choices_of, combinations_of
from tonedeaf.harnesses.cli import run_command
from tonedeaf.results.intervals import Proportion
from tonedeaf.results.published_values import RANKING_COLUMNS, table1
from tonedeaf.results.record import Record
from tonedeaf.results.store import RecordStore


def test_the_grids_hold_every_open_choice():
    assert len(combinations_of("spectrogram")) == 2 * 2 * 2 * 2  # power, padding, duration, phase
    assert len(combinations_of("mss")) == 2 * 16  # and mean or sum
    assert len(combinations_of("log_mss")) == 4 * 16  # and ℓ2 or its square
    assert len(combinations_of("log2_spectral_centroid")) == 8  # its power is published
    assert 0 not in SEEDS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("choices")
    arguments = ["rank", "log2_spectral_centroid", "--suite", "table1-choices", "--trials", "4", "--out", str(out)]
    assert run_command(arguments) == 0
    return out


def test_every_combination_is_ranked_on_every_seed_and_reported(folder: Path):
    records = RecordStore(folder).read_all()
    assert len(records) == 8 * len(SEEDS)
    assert {record.seed for record in records} == set(SEEDS)
    (row,) = json.loads((folder / "table1-choices.json").read_text(encoding="utf-8"))
    assert row["distance"] == "log2_spectral_centroid"
    assert len(row["combinations"]) == 8
    assert row["best"]["rms"] == min(each["rms"] for each in row["combinations"])


def test_the_best_combination_is_the_nearest_to_the_published_row(folder: Path):
    published = table1()

    def with_values(record: Record, values: dict[str, float]) -> Record:
        metrics = {column: Proportion.of(round(value * 1000), 1000).as_metric() for column, value in values.items()}
        return msgspec.structs.replace(record, metrics=metrics)

    record = RecordStore(folder).read_all()[0]
    exact = {column: published.value("mss", column) or 0.0 for column in RANKING_COLUMNS}
    off = {column: max(0.0, value - 0.2) for column, value in exact.items()}
    near = exact | {"pitch_analytic": exact["pitch_analytic"] - 0.1}
    found = choices_of("mss", [({"a": 1}, {}, [with_values(record, off)]), ({"a": 2}, {}, [with_values(record, near)])])
    assert found.best.distance == {"a": 2}
    assert found.best.rms == pytest.approx(math.sqrt(0.1**2 / 6), abs=1e-3)
    assert found.best.agreeing == RANKING_COLUMNS[1:]
    assert found.unreached == ("pitch_analytic",)
