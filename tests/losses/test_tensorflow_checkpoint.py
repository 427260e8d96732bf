"""TensorFlow's checkpoints, read back from files in their format."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tonedeaf.losses.tensorflow_checkpoint import DamagedCheckpointError, read_tensors

from .tensorflow_bundle import crc32c, pack, write_checkpoint


@pytest.fixture(scope="module")
def tensors() -> dict[str, NDArray[np.generic]]:
    generator = np.random.default_rng(0)
    layers = {f"ae_res_{number}/W": generator.standard_normal((1, 1, 3, 2)).astype("<f4") for number in range(1, 31)}
    return {
        **layers,
        "ae_startconv/W": generator.standard_normal((1, 3, 1, 3)).astype("<f4"),
        "global_step": np.array(200000, dtype="<i8"),
        "double": generator.standard_normal(5),
    }


@pytest.fixture(scope="module")
def index(tensors: dict[str, NDArray[np.generic]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model.ckpt-200000", tensors)


def test_checksum_is_castagnolis():
    assert crc32c(b"123456789") == 0xE3069283  # the published check value: what the files below are written with


def test_every_tensor_comes_back(tensors: dict[str, NDArray[np.generic]], index: Path):
    found = read_tensors(index, lambda _name: True)
    assert found.keys() == tensors.keys()
    for name, expected in tensors.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


def test_only_what_is_wanted_is_read(index: Path):
    assert list(read_tensors(index, lambda name: name == "double")) == ["double"]


def test_archive_is_read_as_it_is(index: Path, tmp_path: Path):
    archive = pack(index, tmp_path / "wavenet-ckpt.tar")
    found, expected = (read_tensors(path, lambda name: "ae_" in name) for path in (archive, index))
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def _copy(index: Path, folder: Path, name: str, change: slice, content: bytes) -> Path:
    for path in index.parent.glob("model.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    target = folder / name
    damaged = bytearray(target.read_bytes())
    damaged[change] = content
    target.write_bytes(damaged)
    return folder / index.name


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (("model.ckpt-200000.index", slice(20, 21), b"\xff"), "a block of the index is damaged"),
        (("model.ckpt-200000.index", slice(100, None), b""), "does not end as one"),
        (("model.ckpt-200000.index", slice(0, None), b""), "does not end as one"),
        (("model.ckpt-200000.data-00000-of-00001", slice(0, 1), b"\xff"), "the bytes of .* are missing or damaged"),
        (("model.ckpt-200000.data-00000-of-00001", slice(10, None), b""), "the bytes of .* are missing or damaged"),
    ],
)
def test_damage_is_noticed(index: Path, tmp_path: Path, damage: tuple[str, slice, bytes], message: str):
    with pytest.raises(DamagedCheckpointError, match=message):
        read_tensors(_copy(index, tmp_path, *damage), lambda _name: True)


def test_what_is_no_checkpoint_is_refused(index: Path, tmp_path: Path):
    (tmp_path / "no.tar").write_bytes(b"no archive")
    with pytest.raises(DamagedCheckpointError, match="truncated, or no TensorFlow checkpoint"):
        read_tensors(tmp_path / "no.tar", lambda _name: True)
    with pytest.raises(DamagedCheckpointError, match=r"lacks model\.ckpt-200000\.data-00000-of-00001"):
        read_tensors(pack(index, tmp_path / "half.tar", leave_out=".data"), lambda _name: True)
    with pytest.raises(DamagedCheckpointError, match="holds 0 checkpoints, not one"):
        read_tensors(pack(index, tmp_path / "none.tar", leave_out=".index"), lambda _name: True)
    alone = tmp_path / index.name
    alone.write_bytes(index.read_bytes())
    with pytest.raises(DamagedCheckpointError, match="there is no file"):
        read_tensors(alone, lambda _name: True)
