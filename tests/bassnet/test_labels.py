"""Labels: their shapes, and their document."""

import dataclasses
import io
from typing import Any

import numpy as np
import pytest

from tonedeaf.bassnet.labels import Labels, decode_labels, encode_labels


def some_labels(frames: int = 7, *, harmonics: bool = True) -> Labels:
    generator = np.random.default_rng(0)
    return Labels(
        f0=generator.random(frames, np.float32),
        level=generator.random(frames, np.float32),
        level_minmax=generator.random(frames, np.float32),
        onset=generator.random(frames, np.float32),
        pattern=generator.integers(0, 3, frames),
        bar=generator.integers(0, 3, frames),
        chord_root=generator.integers(48, 61, frames),
        chord_quality=generator.integers(0, 3, frames),
        harmonics=generator.random((frames, 20), np.float32) if harmonics else None,
    )


@pytest.mark.parametrize("harmonics", [True, False])
def test_labels_come_back_from_their_document(harmonics: bool):
    labels = some_labels(harmonics=harmonics)
    back = decode_labels(encode_labels(labels))
    for field in dataclasses.fields(labels):
        ours: Any = getattr(labels, field.name)
        theirs: Any = getattr(back, field.name)
        if ours is None:
            assert theirs is None
        else:
            assert np.array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


def test_equal_labels_have_equal_documents():
    assert encode_labels(some_labels()) == encode_labels(some_labels())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": np.zeros(6, np.float32)}, r"level must be float32 \(7,\), got float32 \(6,\)"),
        ({"pattern": np.zeros(7, np.float32)}, r"pattern must be int64 \(7,\), got float32 \(7,\)"),
        ({"harmonics": np.zeros((7, 8), np.float32)}, r"harmonics must be float32 \(7, 20\), got float32 \(7, 8\)"),
    ],
)
def test_another_shape_or_type_is_refused(change: dict[str, np.ndarray], message: str):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(some_labels(), **change)


def test_what_is_no_document_of_labels_is_refused():
    with pytest.raises(ValueError, match="these are no labels"):
        decode_labels(b"PK but no archive")
    with pytest.raises(ValueError, match="these are no labels"):
        decode_labels(encode_labels(some_labels())[:-40])
    buffer = io.BytesIO()
    np.savez(buffer, f0=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r"labels lack bar, chord_quality, .*"):
        decode_labels(buffer.getvalue())
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**vars(some_labels()), "colour": np.zeros(7)}
    np.savez(buffer, **arrays)
    with pytest.raises(ValueError, match="labels have the unknown colour"):
        decode_labels(buffer.getvalue())
