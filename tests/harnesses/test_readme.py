"""The README does what it says: its tables are the records', its example runs."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import tonedeaf
from tonedeaf.harnesses.catalogue import catalogue
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.publish_run import page_tables, publication_of
from tonedeaf.losses import Description
from tonedeaf.results.page_tables import insert
from tonedeaf.results.store import RecordStore

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PUBLISHED = ROOT / "results" / "published"
PAGES = (README, PUBLISHED / "README.md", ROOT / "docs" / "which-loss.md", ROOT / "docs" / "bassnet.md")


def _block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return found


@pytest.fixture(scope="module")
def made() -> dict[str, Callable[[], str]]:
    described = [row for row in catalogue("distances") if isinstance(row, Description)]
    return page_tables(publication_of([PUBLISHED], described), described)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: "/".join(page.parts[-2:]))
def test_the_tables_are_what_registry_and_records_say(page: Path, made: dict[str, Callable[[], str]]):
    text = page.read_text(encoding="utf-8")
    assert insert(text, made) == text, "run make readme"


def test_make_readme_fills_every_page_that_has_tables():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    (command,) = re.findall(r"tonedeaf (publish .*)", makefile)
    filled = {
        ROOT / "results" / "published" / "README.md",
        *(ROOT / page for page in re.findall(r"--page (\S+)", command)),
    }
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *PUBLISHED.glob("*.md")]
    assert {page for page in pages if "<!-- table: " in page.read_text(encoding="utf-8")} == filled == set(PAGES)


def test_the_published_records_are_whole():
    store = RecordStore(PUBLISHED / "table1")
    records = store.read_all()
    assert len(records) == 16
    for record in records:
        assert record.status == "ok"
        assert (record.seed, record.trials) == (0, 1000)
        assert store.trials(record).height == 1000


def test_the_examples_loss_is_the_readmes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "500")
    folder = tmp_path / "a folder whose name makes the plug-in's so long that a table of the usual width would fold it"
    folder.mkdir()
    plugin = folder / "my_loss.py"
    plugin.write_text(_block("python", "class MyLoss"), encoding="utf-8")
    assert run_command(["check", f"{plugin}:MyLoss"]) == 0
    quick = ["--trials", "8", "--duration", "0.1", "--out", str(tmp_path / "runs")]
    (command,) = re.findall(
        r"^tonedeaf rank \./my_loss\.py:MyLoss (.*)$",
        _block("console", "tonedeaf check ./my_loss.py:MyLoss"),
        re.MULTILINE,
    )
    name, _, total = command.partition(" ")
    assert run_command(["rank", f"{plugin}:MyLoss", name, total.strip('"'), *quick]) == 0
    assert f"{plugin}:MyLoss " in capsys.readouterr().out, "COLUMNS widens a piped table"
    example = runpy.run_path(str(README.parent / "examples" / "my_loss.py"))["MyLoss"]()
    ours = runpy.run_path(str(plugin))["MyLoss"]()
    signals = torch.randn(2, 3, 100, generator=torch.Generator().manual_seed(0))
    assert torch.equal(example(*signals), ours(*signals))


def test_the_library_works_in_a_training_loop():
    code = _block("python", "import tonedeaf")
    prediction = torch.randn(2, 4096, requires_grad=True)
    exec(code, {"prediction": prediction, "target": torch.randn(2, 4096)})
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert prediction.grad.any()
    assert "AudioDistance" in dir(tonedeaf)
