"""The README does what it says: its tables are the records', its example runs."""

import re
import runpy
from pathlib import Path

import pytest
import torch

import tonedeaf
from tonedeaf.harnesses.cli import run_command
from tonedeaf.harnesses.readme import PAGES, PUBLISHED, insert
from tonedeaf.results.store import RecordStore

README = Path(__file__).parents[2] / "README.md"


def _block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_tables_are_what_registry_and_records_say(page: Path):
    text = page.read_text(encoding="utf-8")
    assert insert(text, PAGES[page]()) == text, "run make readme"


def test_a_table_without_a_place_is_an_error():
    with pytest.raises(ValueError, match="no place for the table x"):
        insert("nothing here", {"x": "1"})


def test_the_published_records_are_whole():
    store = RecordStore(PUBLISHED / "table1")
    records = store.read_all()
    assert len(records) == 16
    for record in records:
        assert record.status == "ok"
        assert (record.seed, record.trials) == (0, 1000)
        assert store.trials(record).height == 1000


def test_the_examples_loss_is_the_readmes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    plugin = tmp_path / "my_loss.py"
    plugin.write_text(_block("python", "class MyLoss"), encoding="utf-8")
    assert run_command(["check", f"{plugin}:MyLoss"]) == 0
    quick = ["--trials", "8", "--duration", "0.1", "--out", str(tmp_path / "runs")]
    (command,) = re.findall(
        r"^tonedeaf rank \./my_loss\.py:MyLoss (.*)$", _block("console", "my_loss.py:MyLoss"), re.MULTILINE
    )
    name, _, total = command.partition(" ")
    assert run_command(["rank", f"{plugin}:MyLoss", name, total.strip('"'), *quick]) == 0
    assert "MyLoss" in capsys.readouterr().out
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
