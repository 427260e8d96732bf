"""Every registered distance still says what it said (``tests/golden/regenerate.py``)."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from tonedeaf.losses import names

_SCRIPT = Path(__file__).parents[1] / "golden" / "regenerate.py"


@pytest.fixture(scope="module")
def golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regenerate_golden", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(golden: ModuleType) -> dict[str, float]:
    return golden.golden_values()


def test_every_distance_says_what_it_said(golden: ModuleType, found: dict[str, float]):
    expected: dict[str, float] = json.loads(golden.GOLDEN.read_text(encoding="utf-8"))
    # relative 1e-6: filter banks and neural layers are float32 in their libraries, whose versions differ
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-6)


def test_every_name_has_a_golden(golden: ModuleType, found: dict[str, float]):
    expected: dict[str, float] = json.loads(golden.GOLDEN.read_text(encoding="utf-8"))
    assert set(expected) <= set(names())
    assert set(found) <= set(expected), "run tests/golden/regenerate.py"
