"""The environment is this one; the revision is the package's own or none."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tonedeaf.results import Revision
from tonedeaf.results import environment as module
from tonedeaf.results.environment import environment, peak_memory_mib, revision

NONE = Revision(commit=None, dirty=False)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "check out"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("1")
    (folder / "inner" / "file").write_text("1")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--no-verify", "-m", "one")
    return folder


def test_the_environment_is_this_one() -> None:
    found = environment("cpu")
    assert found.python == platform.python_version()
    assert (found.torch, found.threads) == (torch.__version__, torch.get_num_threads())
    assert type(found.torch) is str
    assert found.device == "cpu"
    assert found.platform.startswith(f"{platform.system()}-{platform.machine()}")
    if platform.system() == "Linux":
        assert platform.release() not in found.platform


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'toaster'"):
        environment("toaster")


@needs_git
def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert revision(checkout) == Revision(commit=commit, dirty=False)
    (checkout / "ignored").write_text("")
    assert revision(checkout) == Revision(commit=commit, dirty=False)


@needs_git
@pytest.mark.parametrize("change", ["changed", "untracked", "staged", "removed"])
def test_a_checkout_that_differs_is_dirty(checkout: Path, change: str) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    if change == "removed":
        (checkout / "file").unlink()
    else:
        (checkout / ("new" if change == "untracked" else "file")).write_text("2")
    if change == "staged":
        git(checkout, "add", ".")
    assert revision(checkout) == Revision(commit=commit, dirty=True)


@needs_git
def test_somebody_elses_repository_is_not_ours(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert revision(checkout / "inner") == NONE
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))  # as in a hook
    monkeypatch.setenv("GIT_WORK_TREE", str(checkout.parent))
    assert revision(checkout.parent) == NONE
    assert revision(checkout).commit is not None


@needs_git
def test_a_checkout_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert revision(tmp_path) == NONE


def test_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision() == NONE


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path) -> None:
    assert revision(tmp_path) == NONE
    assert revision(tmp_path / "missing") == NONE


def test_peak_memory_counts_a_large_allocation_and_not_the_parents_memory() -> None:
    mine = b"x" * (150 * 2**20)  # what a child's getrusage would start from
    script = (
        "import json; from tonedeaf.results.environment import peak_memory_mib as peak\n"
        "before = peak(); block = b'x' * (100 * 2**20); del block; print(json.dumps([before, peak()]))"
    )
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    before, after = json.loads(printed)
    if sys.platform == "linux":
        assert after - before == pytest.approx(100, abs=10)
    assert after >= 100
    assert len(mine) == 150 * 2**20


def test_getrusage_says_the_same_in_the_systems_unit() -> None:
    kib = module._peak_of_getrusage_mib("linux")  # pyright: ignore[reportPrivateUsage]
    bytes_ = module._peak_of_getrusage_mib("darwin")  # pyright: ignore[reportPrivateUsage]
    assert kib is not None
    assert bytes_ == pytest.approx(kib / 1024, rel=0.05)
    ours = bytes_ if sys.platform == "darwin" else kib
    peak = peak_memory_mib()
    assert peak is not None
    assert ours is not None
    assert 0.9 * peak <= ours <= 100 * peak  # on Linux it may be a larger parent's
