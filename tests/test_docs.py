"""The documentation's site builds without a warning, and its pages show what they should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocstrings", reason="needs the extra docs: pip install 'tonedeaf[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("api/losses.html", "tonedeaf.losses.base.AudioDistance"),
        ("api/results.html", "tonedeaf.results.record.record_key"),
        ("api/benchmarks.html", "tonedeaf.benchmarks.task.Task"),
        ("api/bassnet.html", "tonedeaf.bassnet.config.TrainingConfig"),
        ("which-loss.html", "<td>right signs: pitch alone</td>"),
        ("report.html", "<h1>Is your loss tone-deaf?</h1>"),
    ],
)
def test_pages_show_what_they_should(site: Path, page: str, shown: str):
    assert shown in (site / page).read_text(encoding="utf-8")


def test_docstrings_are_shown_without_the_marks_of_other_tools(site: Path):
    pages = [path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html")]
    assert len(pages) == 4
    assert not [mark for page in pages for mark in (":func:", ":class:", ":mod:", "&gt;&gt;&gt; ]") if mark in page]


def test_nothing_is_loaded_from_elsewhere(site: Path):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "fonts.googleapis.com" not in text
        assert 'src="http' not in text
