"""A small publication, and the browser in which its report is opened."""

import hashlib
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from tonedeaf.harnesses import publish_run
from tonedeaf.harnesses.listening import render
from tonedeaf.losses import Description
from tonedeaf.results import Record, RecordStore
from tonedeaf.results.collection import collect
from tonedeaf.results.publication import Publication
from tonedeaf.results.record import Artefact
from tonedeaf.results.report_listening import choose
from tonedeaf.results.report_page import report

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "published"
SCREENSHOTS = ROOT / "build" / "report-screenshots"
SAMPLE_RATE = 16000
CLIMBERS = ("tonedeaf", "log_spectral_transport", "log_mss", "mss", "harmonic_comb_transport")
"""Distances that are asked every task of the report under test."""
DESCRIBED = [
    Description("tonedeaf", True, "", True, True, None, 4410, "tonedeaf; after Hermes 1988"),
    Description("vggish", False, "needs weights that are not here", None, None, None, None, "vggish"),
]


@dataclass(frozen=True)
class Report:
    """A published report, and what it was made from."""

    path: Path
    publication: Publication


def copy_records(folder: Path, *patterns: str, task: str | None = None) -> None:
    """Copy published records whose documents match, with their outcomes; those of one task, if it is named."""
    store = RecordStore(folder)
    store.check_writable()
    for pattern in patterns:
        found = sorted(PUBLISHED.glob(pattern))
        assert found, f"nothing published matches {pattern}"
        for path in found:
            record = RecordStore(path.parent).read(path)
            if task not in (None, record.task.name):
                continue
            has_trials = any(artefact.name == "trials" for artefact in record.artefacts)
            store.write(record, RecordStore(path.parent).trials(record) if has_trials else None)


def write_evaluations(folder: Path, make_evaluation: Callable[..., Record]) -> None:
    """Records of trained models, with sounds: a bass that is further off with each worse loss."""
    store = RecordStore(folder)
    store.check_writable()
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    pitches = {"paper": 0.9, "none": 0.2, "tonedeaf": 0.85, "log_spectral_transport": 0.7, "mss": 0.4}
    for loss, pitch in pitches.items():
        for seed in range(3):
            record = make_evaluation(loss, seed, pitch=pitch + 0.02 * seed)
            sounds = {"mix": 220.0, "bass": 55.0, "prediction": 55.0 / pitch} if seed == 0 else {}
            artefacts: list[Artefact] = []
            for name, hertz in sounds.items():
                path = f"artefacts/{record.key[:16]}-{name}.wav"
                soundfile.write(folder / path, 0.5 * np.sin(2 * np.pi * hertz * time), SAMPLE_RATE)
                digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()
                artefacts.append(Artefact(name=name, path=path, sha256=digest))
            store.write(msgspec.structs.replace(record, artefacts=tuple(artefacts)))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, make_evaluation: Callable[..., Record]) -> Report:
    """Three tasks of the ladder, landscapes, descents and minima as published; trained models; a damaged record."""
    folder = tmp_path_factory.mktemp("records with a space")
    copy_records(folder / "ladder", *(f"ladder/cost-{name}-*.json" for name in CLIMBERS))
    copy_records(folder / "ladder", *(f"ladder/*-{key}.json" for key in _keys("sines", "tilt")))
    copy_records(folder / "ladder", *(f"ladder/*-{key}.json" for key in _keys("bass_notes")))
    copy_records(folder / "house", "table1/*.json")
    copy_records(folder / "house", "ladder/ranking-gammatone-*.json", task="sines")
    copy_records(folder / "landscapes", "landscapes/*.json")
    copy_records(folder / "descent", "descent/descent-*.json")
    copy_records(folder / "minimum", "minimum/*.json")
    write_evaluations(folder / "bassnet", make_evaluation)
    (folder / "ladder" / "ranking-damaged-0123456789abcdef.json").write_text('{"schema": 1')
    publication = publish_run.publication_of([folder], DESCRIBED)
    path = folder / "report.html"
    path.write_bytes(report(publication, render(choose(publication)), folder))
    return Report(path, publication)


def _keys(*tasks: str) -> list[str]:
    records = collect([PUBLISHED / "ladder"]).of_kind("ranking")
    return [one.key[:16] for one in records if one.task.name in tasks and one.distance.name in CLIMBERS]


@pytest.fixture(scope="session")
def browser() -> Generator[Any]:
    """Chromium without a window; sounds may play without a click."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--autoplay-policy=no-user-gesture-required", "--no-sandbox"]
        )
        yield started
        started.close()
