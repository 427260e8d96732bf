"""A task's version names what it draws and renders (``tests/golden/regenerate_tasks.py``)."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from tonedeaf.benchmarks import TASKS

_SCRIPT = Path(__file__).parents[1] / "golden" / "regenerate_tasks.py"


@pytest.fixture(scope="module")
def golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regenerate_tasks", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_changes_is_another_version(name: str, golden: ModuleType):
    task = golden.golden_task(name)
    if task.unavailable:
        pytest.skip(task.unavailable)
    expected = json.loads(golden.GOLDEN.read_text(encoding="utf-8"))[name]
    found = golden.golden_of(task)
    if found["materials"] != expected["materials"]:
        pytest.skip("the golden numbers are of another sound font or renderer")
    # what the sums of twenty partials differ by between processors; a change of the task is far larger
    same = found["numbers"] == pytest.approx(expected["numbers"], rel=1e-6, abs=1e-7)
    assert (found["version"], same) == (expected["version"], True), (
        f"{name} draws or renders other signals: raise its version, then run tests/golden/regenerate_tasks.py"
    )
