"""Points and paths of the latent plane, as a user writes them."""

from pathlib import Path

import pytest
import torch

from tonedeaf.bassnet.latent_path import parse_point, read_path


def test_a_point():
    assert parse_point("0.5,-1", 2).tolist() == [0.5, -1.0]
    assert parse_point(" 1e-1 , 2 ", 2).tolist() == pytest.approx([0.1, 2.0])


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "1,", "nan,0", "inf,0", "1;2"])
def test_what_is_no_point_is_refused(text: str):
    with pytest.raises(ValueError, match=r"z must be two numbers separated by commas, as in 0\.5,-1, got"):
        parse_point(text, 2)


def test_a_path_is_linear_in_between_and_stays_at_its_ends(tmp_path: Path):
    file = tmp_path / "z.csv"
    file.write_text("time,x,y\n0.1,0,1\n\n0.3, 2, -1\n")
    z = read_path(file, 2, 50)
    assert z.shape == (50, 2)
    assert z.dtype == torch.float32
    assert torch.allclose(z[[0, 10, 20, 30, 49]], torch.tensor([[0.0, 1], [0, 1], [1, 0], [2, -1], [2, -1]]), atol=1e-6)
    file.write_text("0,3,4\n")
    assert read_path(file, 2, 5).tolist() == [[3.0, 4.0]] * 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no points: a line is a time in seconds and two numbers"),
        ("time,x,y\n", "has no points"),
        ("0,1\n", "line 1: must be a time in seconds and two numbers, got 0,1"),
        ("0,1,2\n1,x,2\n", "line 2: must be a time in seconds and two numbers, got 1,x,2"),
        ("0,1,2\n0,1,2\n", "line 2: times must ascend, got 0 after 0"),
        ("0,1,nan\n", "line 1: must be"),
        ("0,1,2,3\n", "line 1: must be"),
    ],
)
def test_what_is_no_path_is_refused(tmp_path: Path, content: str, message: str):
    file = tmp_path / "z.csv"
    file.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_path(file, 2, 10)


def test_what_is_no_text_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="cannot be read as a CSV file"):
        read_path(tmp_path / "none.csv", 2, 10)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="cannot be read as a CSV file"):
        read_path(tmp_path / "binary.csv", 2, 10)
