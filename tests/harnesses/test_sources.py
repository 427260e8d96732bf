"""The digest of a number's sources: what changes it, and what does not."""

import inspect
from pathlib import Path

import pytest

from tonedeaf.bassnet.audio_term import AudioTerm
from tonedeaf.bassnet.paths import PATHS
from tonedeaf.bassnet.trainer import Trainer
from tonedeaf.benchmarks.sines import Sines
from tonedeaf.harnesses.sources import package_versions, source_digest, source_modules
from tonedeaf.losses.mel import Mel
from tonedeaf.losses.plugins import load_class
from tonedeaf.losses.spectrogram import MultiScaleSpectrogram

_PLUGIN = "from tonedeaf.losses.mel import Mel\nclass Mine(Mel):\n    factor = {}\n"


def test_the_modules_are_those_that_decide_the_numbers():
    names = {module.__name__ for module in source_modules([MultiScaleSpectrogram, Sines])}
    assert {
        "tonedeaf.losses.base",
        "tonedeaf.losses.spectrogram",
        "tonedeaf.losses.stft",
        "tonedeaf.losses.norms",
        "tonedeaf.benchmarks.sines",
        "tonedeaf.benchmarks.task",
        "tonedeaf.benchmarks.signals.oscillator",
    } <= names
    assert not names & {"tonedeaf.losses.mel", "tonedeaf.losses.registry", "tonedeaf.harnesses.ranking"}


@pytest.mark.parametrize("path", ["entropic", "given", "bank"])
def test_a_training_depends_on_its_path(path: str):
    names = {module.__name__ for module in source_modules([Trainer, AudioTerm, PATHS[path]])}
    own = {
        "entropic": ("many_pitches_paths", "candidates", "spectral_envelope", "perplexity"),
        "given": ("one_pitch_paths",),
    }
    assert {f"tonedeaf.bassnet.{name}" for name in ("path", "synthesis", *own.get(path, (path,)))} <= names


def test_a_plugin_depends_on_its_file_and_on_what_it_subclasses(tmp_path: Path):
    (tmp_path / "first.py").write_text(_PLUGIN.format(1), encoding="utf-8")
    (tmp_path / "second.py").write_text(_PLUGIN.format(2), encoding="utf-8")
    first, second = (load_class(f"{tmp_path}/{name}.py:Mine") for name in ("first", "second"))
    assert "tonedeaf.losses.mel" in {module.__name__ for module in source_modules([first])}
    assert source_digest([first]) != source_digest([second])


def test_a_changed_line_changes_the_digest(monkeypatch: pytest.MonkeyPatch):
    before = source_digest([Mel])
    assert source_digest([Mel]) == before
    original = inspect.getsource

    def changed(module: object) -> str:
        source = original(module)  # pyright: ignore[reportArgumentType]
        return source.replace("0.75", "0.5") if "stft" in getattr(module, "__name__", "") else source

    monkeypatch.setattr(inspect, "getsource", changed)
    assert source_digest([Mel]) != before


def test_line_endings_do_not_change_the_digest(monkeypatch: pytest.MonkeyPatch):
    before = source_digest([Mel])
    original = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda module: original(module).replace("\n", "\r\n"))
    assert source_digest([Mel]) == before


def test_the_versions_are_of_the_packages_used():
    versions = package_versions([Mel])
    assert {"torch", "numpy", "scipy"} <= set(versions)
    assert "tonedeaf" not in versions
