import pytest
import torch
from scipy.signal import check_COLA, get_window

from tonedeaf.bassnet.multiresolution import compress, expand, gather, hann, overlap_add


def test_the_papers_example_16_to_4():
    compressed = compress(torch.arange(16.0)[None], 4)
    assert compressed.tolist() == [[[6, 7, 8, 9], [4.5, 6.5, 8.5, 10.5], [1.5, 5.5, 9.5, 13.5]]]
    assert expand(compressed).tolist() == [
        [1.5, 1.5, 1.5, 1.5, 4.5, 4.5, 6.0, 7.0, 8.0, 9.0, 10.5, 10.5, 13.5, 13.5, 13.5, 13.5]
    ]


@pytest.mark.parametrize(("window", "expanded"), [(4, 4), (4, 8), (10, 80), (2, 64), (20, 640)])
def test_the_centre_is_kept(window: int, expanded: int):
    signal = torch.rand(3, expanded, 5, dtype=torch.float64)
    found = expand(compress(signal, window))
    assert found.shape == signal.shape
    middle = slice((expanded - window) // 2, (expanded + window) // 2)
    torch.testing.assert_close(found[:, middle], signal[:, middle], rtol=0, atol=0)
    if window % 4 == 0:  # then no pool lies astride the border of the finer centre, and sums are kept
        torch.testing.assert_close(found.sum(1), signal.sum(1), rtol=1e-12, atol=0)


def test_compressing_what_was_expanded_changes_nothing():
    signal = torch.rand(2, 32, dtype=torch.float64)
    once = compress(signal, 8)
    torch.testing.assert_close(compress(expand(once), 8), once, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("length", "window"), [(15, 4), (12, 4), (24, 8), (10, 5), (2, 4)])
def test_a_length_that_does_not_fit_is_refused(length: int, window: int):
    with pytest.raises(ValueError, match=f"a window of {window} steps cannot hold {length} frames"):
        compress(torch.zeros(1, length), window)


def test_windows_are_gathered():
    frames = torch.arange(20).reshape(10, 2)
    found = gather(frames, torch.tensor([0, 7]), 3)
    assert found.tolist() == [[[0, 1], [2, 3], [4, 5]], [[14, 15], [16, 17], [18, 19]]]


@pytest.mark.parametrize("length", [2, 10, 20, 640])
def test_the_window_overlaps_to_one(length: int):
    torch.testing.assert_close(hann(length).numpy(), get_window("hann", length, fftbins=True), rtol=0, atol=1e-12)
    assert check_COLA("hann", length, length // 2)
    # float64: one rounding of two cosines that add up to 0.
    torch.testing.assert_close(
        hann(length)[: length // 2] + hann(length)[length // 2 :],
        torch.ones(length // 2, dtype=torch.float64),
        rtol=0,
        atol=1e-12,
    )


def test_overlapping_windows_of_a_signal_are_the_signal():
    signal = torch.rand(60, 3, dtype=torch.float64)
    windows = gather(signal, torch.arange(0, 51, 5), 10)
    torch.testing.assert_close(overlap_add(windows), signal[5:55], rtol=0, atol=1e-12)
