"""The examples in docstrings do what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def modules_with_examples() -> list[str]:
    found: list[str] = []
    for first in ROOT.iterdir():
        if not first.name.startswith(".") and (first / "__init__.py").is_file():
            for path in first.rglob("*.py"):
                if (path.parent / "__init__.py").is_file() and ">>> " in path.read_text():
                    parts = path.relative_to(ROOT).with_suffix("").parts
                    found.append(".".join(("tonedeaf", *parts)).removesuffix(".__init__"))
    return sorted(found)


def test_there_are_examples():
    assert "tonedeaf.losses.base" in modules_with_examples()


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(name: str):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.FAIL_FAST
    outcome = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert outcome.failed == 0
    assert outcome.attempted > 0
