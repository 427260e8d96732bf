"""The picture in docs/architecture.md is the code's: who imports whom, and how a file may look."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
PACKAGE = "tonedeaf"
MOST_LINES = 400
VAGUE_NAMES = {"common.py", "helpers.py", "misc.py", "util.py", "utils.py"}
# "package.module:Class" or ".module:Class", as in the registry, which imports by name.
IMPORT_BY_NAME = re.compile(rf"(\.+|{PACKAGE}\.)\w+(\.\w+)*(:\w+)?")


def read_arrows(text: str) -> dict[str, list[str]]:
    """The lines ``folder -> folder, folder.package`` (or ``-> nothing``) of the document's text blocks."""
    arrows: dict[str, list[str]] = {}
    for block in re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            start, arrow, ends = line.partition(" -> ")
            assert arrow, f"not an arrow: {line!r}"
            assert start not in arrows, f"two lines for {start}"
            arrows[start] = [] if ends == "nothing" else ends.split(", ")
    return arrows


def modules_on_disk() -> dict[str, Path]:
    """``losses.stft -> path`` for every module of the package; the root's own is the empty name."""
    found: dict[str, Path] = {"": ROOT / "__init__.py"}
    for first in sorted(ROOT.iterdir()):
        if first.name.startswith(".") or not (first / "__init__.py").is_file():
            continue
        for path in sorted(first.rglob("*.py")):
            if (path.parent / "__init__.py").is_file():
                parts = path.relative_to(ROOT).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules_on_disk()
ARROWS = read_arrows(DOCUMENT.read_text())


def resolve(name: str, level: int, package: list[str]) -> str | None:
    """The module ``losses.stft`` that ``..losses.stft`` or ``tonedeaf.losses.stft`` means; None if it is not ours."""
    parts = [part for part in name.split(".") if part]
    if level:
        return ".".join([*package[: len(package) - level + 1], *parts])
    return ".".join(parts[1:]) if parts[0] == PACKAGE else None


def imports_of(module: str, path: Path, source: str) -> Iterator[tuple[str, bool]]:
    """What a module imports of the package, as ``losses.stft``, and whether it does so by an absolute statement.

    Anywhere in the file: in functions, for the type checker only, and by name in a string.
    """
    package = module.split(".") if module else []
    if path.name != "__init__.py":
        package.pop()
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        found: list[str | None] = []
        match node:
            case ast.ImportFrom(module=name, names=aliases, level=level):
                found = [resolve(f"{name or ''}.{alias.name}", level, package) for alias in aliases]
            case ast.Import(names=aliases):
                found = [resolve(alias.name, 0, package) for alias in aliases]
            case ast.Constant(value=str(text)) if id(node) not in docstrings and IMPORT_BY_NAME.fullmatch(text):
                name = text.split(":")[0]
                named = resolve(name, len(name) - len(name.lstrip(".")), package)
                # A group of entry points is named like a module, too.
                found = [named] if named and (ROOT / named.split(".")[0]).is_dir() else []
            case _:
                pass
        absolute = isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0)
        yield from ((imported, absolute) for imported in found if imported is not None)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def crossings(module: str, path: Path, source: str) -> Iterator[tuple[str, str]]:
    """``(folder, imported module)`` for each import that leaves the folder; ``tonedeaf`` is the root itself."""
    start = module.split(".", maxsplit=1)[0] or PACKAGE
    for imported, _ in imports_of(module, path, source):
        end = imported if (ROOT / imported.split(".")[0]).is_dir() else PACKAGE
        if not within(end, start):
            yield start, end


ALL_CROSSINGS = sorted({pair for name, path in MODULES.items() for pair in crossings(name, path, path.read_text())})


def test_document_has_one_line_for_each_folder_on_disk():
    folders = {name.split(".")[0] or PACKAGE for name in MODULES}
    assert set(ARROWS) == folders


def test_no_import_without_an_arrow():
    assert [
        f"{start} imports {imported}"
        for start, imported in ALL_CROSSINGS
        if not any(within(imported, end) for end in ARROWS[start])
    ] == []


def test_no_arrow_without_an_import():
    assert [
        f"{start} -> {end}"
        for start, ends in ARROWS.items()
        for end in ends
        if not any(start == other and within(imported, end) for other, imported in ALL_CROSSINGS)
    ] == []


def test_arrows_point_one_way():
    def reachable(start: str) -> set[str]:
        ends = {end.split(".")[0] for end in ARROWS[start]}
        return ends.union(*(reachable(end) for end in ends - {start}))

    assert [start for start in ARROWS if start in reachable(start)] == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("losses.mel", "from .stft import Stft", []),
        ("losses.mel", "from . import stft", []),
        ("losses.mel", "from ..benchmarks.task import Task", [("losses", "benchmarks.task.Task")]),
        ("losses.mel", "from .. import results", [("losses", "results")]),
        ("losses.mel", "def f():\n    from ..results import table", [("losses", "results.table")]),
        ("losses.mel", "if TYPE_CHECKING:\n    from ..results import table", [("losses", "results.table")]),
        ("losses.mel", "import tonedeaf.results.table", [("losses", "results.table")]),
        ("losses.mel", "from tonedeaf import results", [("losses", "results")]),
        ("losses.mel", "from .. import __version__", [("losses", "tonedeaf")]),
        ("losses.mel", "rows = {'a': '.stft:Stft'}", []),
        ("losses.mel", "rows = {'a': '..results.table:Table'}", [("losses", "results.table")]),
        ("losses.mel", "import_module('tonedeaf.results')", [("losses", "results")]),
        ("losses.mel", "'''tonedeaf.results'''", []),
        ("losses.mel", "import torch\nfrom torch import nn", []),
        ("benchmarks.signals.sine", "from ..task import Task", []),
        ("benchmarks.signals.sine", "from ...losses import make", [("benchmarks", "losses.make")]),
    ],
)
def test_imports_are_found_wherever_they_stand(module: str, source: str, expected: list[tuple[str, str]]):
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    assert list(crossings(module, path, source)) == expected


def test_a_package_resolves_relative_imports_from_itself():
    assert list(
        crossings("losses", ROOT / "losses" / "__init__.py", "from .base import A\nfrom ..results import B")
    ) == [("losses", "results.B")]


def test_imports_within_the_package_are_relative():
    assert [
        f"{name or PACKAGE} imports {imported} absolutely"
        for name, path in MODULES.items()
        for imported, absolute in imports_of(name, path, path.read_text())
        if absolute
    ] == []


def python_files() -> list[Path]:
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    skipped = {"build", "dist", "runs"}
    return [path for folder in folders if folder.name not in skipped for path in folder.rglob("*.py")]


def test_no_file_is_too_long():
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in python_files()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_no_file_has_a_name_that_says_nothing():
    assert [str(path.relative_to(ROOT)) for path in python_files() if path.name in VAGUE_NAMES] == []
