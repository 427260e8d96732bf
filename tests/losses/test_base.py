"""What the base class refuses, and that it names the value."""

import pytest
import torch

from tonedeaf.losses import AudioDistance, make


@pytest.fixture(scope="module")
def distance() -> AudioDistance:
    return make("spectrogram")


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (
            torch.zeros(4096),
            torch.zeros(4096),
            r"prediction must be shaped \(batch, samples\), batch at least 1, got \(4096,\)",
        ),
        (torch.zeros(1, 2, 4096), torch.zeros(1, 2, 4096), r"got \(1, 2, 4096\)"),
        (torch.zeros(2, 4096), torch.zeros(3, 4096), r"one shape, got \(2, 4096\) and \(3, 4096\)"),
        (torch.zeros(2, 4096), torch.zeros(2, 4096).double(), "one dtype, got torch.float32 and torch.float64"),
        (torch.zeros(2, 4096), torch.zeros(2, 4096, device="meta"), "one device, got cpu and meta"),
        (
            torch.zeros(2, 4096).to(torch.int32),
            torch.zeros(2, 4096).to(torch.int32),
            "float32 or float64, got torch.int32",
        ),
        (
            torch.zeros(2, 4096).to(torch.complex64),
            torch.zeros(2, 4096).to(torch.complex64),
            "float32 or float64, got torch.complex64",
        ),
        (torch.zeros(2, 4096).half(), torch.zeros(2, 4096).half(), "float32 or float64, got torch.float16"),
        (torch.zeros(0, 4096), torch.zeros(0, 4096), r"batch at least 1, got \(0, 4096\)"),
        ([0.0], [0.0], "prediction must be a torch.Tensor, got list"),
        (torch.zeros(2, 2047), torch.zeros(2, 2047), "at least 2048 samples, got 2047"),
    ],
)
def test_wrong_signals_are_refused(
    distance: AudioDistance, prediction: torch.Tensor, target: torch.Tensor, message: str
):
    with pytest.raises(ValueError, match=message):
        distance(prediction, target)


def test_a_class_without_distance_cannot_be_made():
    class Empty(AudioDistance): ...

    with pytest.raises(TypeError, match="abstract"):
        Empty()  # pyright: ignore[reportAbstractUsage]


def test_sample_rate_must_be_positive():
    for rate in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="sample_rate must be positive and finite"):
            make("mss", sample_rate=rate)
