"""The package that a user installs: what is in it, and that it works away from the checkout."""

import ast
import email
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import tonedeaf

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LISTED: list[str] = PYPROJECT["tool"]["setuptools"]["packages"]
NOT_SHIPPED = {"benchmarks/reliability", "benchmarks/speed", "build", "dist", "docs", "examples", "runs", "tests"}


def shipped_folders() -> list[Path]:
    """The checkout's folders, relative to it, without hidden ones and those that no wheel may hold."""
    found: list[Path] = []
    for folder, names, _ in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        names[:] = [
            name
            for name in names
            if (here / name).as_posix() not in NOT_SHIPPED
            and not name.startswith((".", "__"))
            and not name.endswith(".egg-info")
        ]
        found.append(here)
    return found


def package_name(folder: Path) -> str:
    return ".".join(("tonedeaf", *folder.parts))


def test_listed_packages_are_the_packages_on_disk():
    on_disk = [package_name(folder) for folder in shipped_folders() if (ROOT / folder / "__init__.py").is_file()]
    assert sorted(LISTED) == sorted(on_disk)


def test_no_module_lies_outside_a_listed_package():
    left_out = [
        str(folder)
        for folder in shipped_folders()
        if package_name(folder) not in LISTED and any((ROOT / folder).glob("*.py"))
    ]
    assert left_out == []
    assert [module.name for module in ROOT.glob("*.py")] == ["__init__.py"]


def test_only_floors_in_pyproject_and_only_pins_in_constraints():
    requirements = [*PYPROJECT["project"]["dependencies"]]
    for extra in PYPROJECT["project"]["optional-dependencies"].values():
        requirements += extra
    assert [text for text in requirements if re.search(r"==|<|~=|!=", text)] == []
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    extras = PYPROJECT["project"]["optional-dependencies"]
    own = next(text for text in extras["dev"] if text.startswith("tonedeaf["))  # the other extras, by their names
    taken = [text for extra in own[len("tonedeaf[") : -1].split(",") for text in extras[extra]]
    tested = [*PYPROJECT["project"]["dependencies"], *extras["dev"], *taken]
    assert names(tested) - {canonical(pin.split("==")[0]) for pin in pins} == {"tonedeaf"}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def names(requirements: list[str]) -> set[str]:
    """The distributions that requirements like ``dask[distributed]>=2025.1`` name."""
    return {canonical(re.split(r"[\[>;]", text)[0]) for text in requirements}


def imported_modules(source: str) -> set[str]:
    """The top-level modules that a file imports absolutely, also in functions and by ``import_module("name")``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                found |= {alias.name.split(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(name), level=0):
                found.add(name.split(".")[0])
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                found.add(name.split(".")[0])
            case _:
                pass
    return found


def test_what_the_package_imports_is_what_it_requires():
    extras = PYPROJECT["project"]["optional-dependencies"]
    optional = names([text for extra in set(extras) - {"dev"} for text in extras[extra]])
    required = names(PYPROJECT["project"]["dependencies"])
    distributions = packages_distributions()
    imported: set[str] = set()
    for package in LISTED:
        for path in ROOT.joinpath(*package.split(".")[1:]).glob("*.py"):
            imported |= imported_modules(path.read_text()) - sys.stdlib_module_names
    imported = {canonical(distributions.get(module, [module])[0]) for module in imported}
    assert imported - required - optional == set()
    assert required - imported == set()


def test_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE) is not None
    assert f"\nversion: {tonedeaf.__version__}\n" in citation


def run_python(code: str, *arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run code as a user would: modules of the current folder come first, and nothing of the tests' environment."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONSAFEPATH", "PYTHONPATH"}}
    environment |= {"NO_COLOR": "1", "COLUMNS": "200"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_importing_the_package_does_not_import_torch(tmp_path: Path):
    code = "import sys, tonedeaf; print('torch' in sys.modules); tonedeaf.AudioDistance; print('torch' in sys.modules)"
    finished = run_python(code, cwd=tmp_path)
    assert finished.stdout.split() == ["False", "True"], finished.stderr


def test_help_does_not_import_torch(tmp_path: Path):
    code = """
import sys
from tonedeaf.harnesses.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("torch was imported:", "torch" in sys.modules)
"""
    finished = run_python(code, "--help", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "rank" in finished.stdout
    assert finished.stdout.endswith("torch was imported: False\n")


def test_public_names_are_those_of_losses():
    from tonedeaf import losses

    assert dir(tonedeaf) == sorted(tonedeaf.__all__)
    for name in set(tonedeaf.__all__) - {"__version__"}:
        assert getattr(tonedeaf, name) is getattr(losses, name)
    with pytest.raises(AttributeError, match="'tonedeaf' has no attribute 'makes'"):
        getattr(tonedeaf, "makes")  # noqa: B009 - a type checker would refuse tonedeaf.makes, as it should


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of the checkout that also holds what a wheel must not."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "published")
    shutil.copytree(ROOT, source, ignore=ignored)
    for planted in ("results/published/planted.json", "tests/planted.py", "benchmarks/speed/planted.py"):
        (source / planted).parent.mkdir(parents=True, exist_ok=True)
        (source / planted).touch()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_wheel_holds_the_listed_packages_and_their_data_and_nothing_else(unpacked: Path):
    expected = {Path("tonedeaf/py.typed")}
    expected |= {Path("tonedeaf") / path.relative_to(ROOT) for path in (ROOT / "results" / "reference").glob("*.json")}
    parts = [path for path in (ROOT / "results" / "report").rglob("*") if path.is_file()]
    assert parts, "no parts of the report on disk"
    expected |= {Path("tonedeaf") / path.relative_to(ROOT) for path in parts}
    assert len(expected) > 1, "no reference data on disk"
    for package in LISTED:
        folder = Path(*package.split("."))
        expected |= {folder / module.name for module in (ROOT / Path(*folder.parts[1:])).glob("*.py")}
    (information,) = unpacked.glob("*.dist-info")
    inside = {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    assert {path for path in inside if path.parts[0] != information.name} == expected


def test_wheel_describes_itself(unpacked: Path):
    (information,) = unpacked.glob("*.dist-info")
    metadata = email.message_from_string((information / "METADATA").read_text())
    assert metadata["Name"] == "tonedeaf"
    assert metadata["Version"] == tonedeaf.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert (information / "licenses" / "LICENSE").is_file()
    scripts = ConfigParser()
    scripts.read(information / "entry_points.txt")
    assert dict(scripts["console_scripts"]) == {"tonedeaf": "tonedeaf.harnesses.cli:main"}


def test_unpacked_wheel_lists_its_distances_beside_a_users_own_losses(unpacked: Path, tmp_path: Path):
    for name in ("losses", "benchmarks", "harnesses", "results"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the user's own {name} was imported')\n")
    code = "import tonedeaf; print(tonedeaf.__file__); from tonedeaf.harnesses.cli import main; main()"
    finished = run_python(code, "list", cwd=tmp_path, path=unpacked)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    first, *rest = finished.stdout.splitlines()
    assert Path(first) == unpacked / "tonedeaf" / "__init__.py"
    assert "log_mss" in "\n".join(rest)
