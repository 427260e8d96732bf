"""`make .venv` installs once, recovers from an interruption, and says what is missing.

Tried with a stand-in for Python, which installs nothing.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Writes what it is asked to do to a log. As a virtual environment's Python it fails while a file `broken` exists.
STAND_IN = """#!/bin/sh
echo "$*" >>"{log}"
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"pip install"*) ! [ -e broken ] ;;
    *{missing}*) exit 1 ;;
esac
"""
CREATE = "-m venv .venv"
INSTALL = "--no-build-isolation -e .[dev]"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make: apt-get install make")


class Checkout:
    """A copy of what `make .venv` reads, in a folder with a space, and a Python that installs nothing."""

    def __init__(self, folder: Path):
        self.folder = folder / "a checkout"
        self.log = folder / "log"
        self.python = folder / "python"
        self.folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.folder)
        self.use_python_without("nothing")

    def use_python_without(self, missing: str) -> None:
        self.python.write_text(STAND_IN.format(log=self.log, missing=missing))
        self.python.chmod(0o755)

    def make(self, target: str = ".venv") -> tuple[int, str, str]:
        """The exit status, what Python was asked (only steps that change something), and the errors."""
        self.log.write_text("")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        command = ["make", target, f"PYTHON={self.python}"]
        finished = subprocess.run(
            command, cwd=self.folder, env=inherited, capture_output=True, text=True, timeout=60, check=False
        )
        steps = [line for line in self.log.read_text().splitlines() if not line.startswith("-c ")]
        return finished.returncode, "\n".join(steps), finished.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_second_call_installs_nothing(checkout: Checkout):
    status, steps, errors = checkout.make()
    assert status == 0, errors
    assert steps.startswith(CREATE)
    assert steps.endswith(INSTALL)
    assert checkout.make() == (0, "", "")


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_change_installs_again_into_the_same_environment(checkout: Checkout, changed: str):
    checkout.make()
    stamp = (checkout.folder / ".venv" / "installed").stat().st_mtime
    os.utime(checkout.folder / changed, (stamp + 1, stamp + 1))
    _, steps, _ = checkout.make()
    assert steps.endswith(INSTALL)
    assert CREATE not in steps


def test_interrupted_installation_starts_anew(checkout: Checkout):
    (checkout.folder / "broken").touch()
    status, _, _ = checkout.make()
    assert status != 0
    (checkout.folder / ".venv" / "half-installed").touch()
    (checkout.folder / "broken").unlink()
    status, steps, _ = checkout.make()
    assert status == 0
    assert steps.startswith(CREATE)
    assert not (checkout.folder / ".venv" / "half-installed").exists()


def test_failed_reinstallation_starts_anew(checkout: Checkout):
    checkout.make()
    (checkout.folder / "broken").touch()
    stamp = (checkout.folder / ".venv" / "installed").stat().st_mtime
    os.utime(checkout.folder / "pyproject.toml", (stamp + 1, stamp + 1))
    assert checkout.make()[0] != 0
    (checkout.folder / "broken").unlink()
    status, steps, _ = checkout.make()
    assert status == 0
    assert steps.startswith(CREATE)


def test_moved_checkout_is_installed_anew(checkout: Checkout):
    checkout.make()
    checkout.folder = checkout.folder.rename(checkout.folder.parent / "elsewhere")
    status, steps, _ = checkout.make()
    assert status == 0
    assert steps.startswith(CREATE)
    assert checkout.make() == (0, "", "")


@pytest.mark.parametrize(
    ("missing", "advice"),
    [("ensurepip", "on Debian: apt-get install python3-venv"), ("version_info", "make PYTHON=python3.12")],
)
def test_what_is_missing_is_said_in_one_line(checkout: Checkout, missing: str, advice: str):
    checkout.use_python_without(missing)
    status, steps, errors = checkout.make()
    assert status != 0
    assert steps == ""
    said = [line for line in errors.splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1
    assert advice in said[0]
    assert not (checkout.folder / ".venv").exists()


def test_link_for_the_type_checker_leads_to_the_checkout(checkout: Checkout):
    checkout.make()
    assert (checkout.folder / ".venv" / "typing" / "tonedeaf").resolve() == checkout.folder.resolve()


def run_continuous_integration(folder: Path, **stand_ins: str) -> tuple[str, str]:
    """Output and errors of `.ci/run` where the named commands are replaced."""
    commands = folder / "bin"
    commands.mkdir()
    for name, body in {"make": 'echo "make $*, CI=$CI"', **stand_ins}.items():
        path = commands / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
    command = [ROOT / ".ci" / "run"]
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return finished.stdout, finished.stderr


def test_continuous_integration_calls_make_test(tmp_path: Path):
    assert run_continuous_integration(tmp_path, id="echo 1000") == ("make test, CI=true\n", "")


def test_continuous_integration_installs_only_what_is_missing(tmp_path: Path):
    output, _ = run_continuous_integration(
        tmp_path,
        id="echo 0",
        dpkg_query='case "$*" in *python3-venv*) exit 1 ;; *) echo installed ;; esac',
        apt_get='echo "apt-get $*"',
    )
    assert output.splitlines() == [
        "apt-get -qq update",
        "apt-get -qq install --yes --no-install-recommends python3-venv",
        "make test, CI=true",
    ]


def test_continuous_integration_goes_on_without_a_mirror(tmp_path: Path):
    output, errors = run_continuous_integration(tmp_path, id="echo 0", dpkg_query="exit 1", apt_get="exit 100")
    assert output == "make test, CI=true\n"
    packages = "make python3-venv fluidsynth fluid-soundfont-gm chromium"
    assert errors == f"warning: could not install {packages}; going on without\n"
