"""Scattering distances, against convolutions at the full rate, and numbers of Kymatio 0.4.

Kymatio's numbers were computed in float64 with the copy (0.4.0.dev0) that the package scrapl-loss 0.1.0 holds, of the
signals of :func:`_chirps`. It cannot be imported here: it needs SciPy below 1.17.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.jtfs import Jtfs, Scrapl
from tonedeaf.losses.morlet import lowpass, wavelets
from tonedeaf.losses.scattering import Scattering, Scattering1d

Array = NDArray[Any]


def _chirp(start: float, stop: float, samples: int = 8192) -> Tensor:
    """From one frequency to another, in cycles per sample."""
    time = torch.arange(samples, dtype=torch.float64) / samples
    return 0.5 * torch.sin(2 * math.pi * samples * (start * time + (stop - start) / 2 * time**2)).unsqueeze(0)


def _chirps() -> tuple[Tensor, Tensor]:
    return _chirp(0.02, 0.2), _chirp(0.2, 0.02)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scattering1d[octaves=6;per_octave=8,1]", 0.02959690999567367),
        ("scattering1d[octaves=6;per_octave=8,1;log_offset=1e-3;norm=l1]", 0.41340809656081595),
        ("jtfs[octaves=6;per_octave=6,1;octaves_fr=3;fastest=0]", 0.0007898173209933068),
        ("jtfs[octaves=6;per_octave=6,1;octaves_fr=3;fastest=4]", 0.0013510680368198336),
    ],
)
def test_golden_value_of_kymatio(name: str, expected: float):
    assert make(name)(*_chirps()).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("path", "expected"), [((4, 3), 0.0007223009090314515), ((6, 1), 0.006681981105853875)])
def test_golden_value_of_one_path_of_kymatio(path: tuple[int, int], expected: float):
    distance = make("scrapl[octaves=6;per_octave=6,1;fastest=0;n_paths=1;average=false]")
    assert isinstance(distance, Scrapl)
    distance.chosen = frozenset({path})
    assert distance(*_chirps()).item() == pytest.approx(expected, rel=1e-4)


def test_scrapl_at_all_paths_is_the_mean_of_kymatios():
    distance = make("scrapl[octaves=6;per_octave=6,1;fastest=0;n_paths=36]")
    assert distance(*_chirps()).item() == pytest.approx(4.380769616171234e-05, rel=1e-4)


def _convolved(signal: Array, centre: float, bandwidth: float) -> Array:
    """With a Morlet wavelet written in time (a Gaussian if the centre is 0), circularly, at the full rate."""
    time = (np.arange(len(signal)) + len(signal) // 2) % len(signal) - len(signal) // 2
    gauss = np.exp(-((2 * np.pi * bandwidth * time) ** 2) / 2)
    carrier = np.exp(2j * np.pi * centre * time)
    kernel = gauss * (carrier - (gauss * carrier).sum() / gauss.sum()) if centre else gauss
    kernel = kernel / np.abs(kernel).sum()
    found: Array = np.fft.ifft(np.fft.fft(signal) * np.fft.fft(kernel))
    return found if centre else np.real(found)


def test_coefficients_are_those_of_convolutions_at_the_full_rate():
    """Kymatio 0.3 scales the second order down by the stride of the first (its issue 984); this does not."""
    transform = Scattering(octaves=5, per_octave=(4, 1))
    signal = torch.randn(1, 4096, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = transform(signal)[0].numpy()
    padded = transform.pad(signal)[0].numpy()
    frames = transform.frames(4096)
    average = lowpass(32)
    first, order = list(wavelets(5, 4)), 1 + len(list(wavelets(5, 4)))
    moduli = [np.abs(_convolved(padded, wavelet.centre, wavelet.bandwidth)) for wavelet in first]
    expected = [_convolved(padded, 0, average.bandwidth)]
    expected += [_convolved(modulus, 0, average.bandwidth) for modulus in moduli]
    for second in sorted(wavelets(5, 1), key=lambda wavelet: wavelet.log2_stride):
        for wavelet, modulus in zip(first, moduli, strict=True):
            if wavelet.log2_stride < second.log2_stride:
                scattered = np.abs(_convolved(modulus, second.centre, second.bandwidth))
                expected.append(_convolved(scattered, 0, average.bandwidth))
    at_frames = np.stack(expected)[:, ::32][:, frames]
    assert found.shape == at_frames.shape
    assert len(found) > order + 20
    # a modulus has more bandwidth than its wavelet: what its stride (Kymatio's) cannot hold is the difference
    np.testing.assert_allclose(found, at_frames, atol=1e-3 * at_frames.max())


def test_only_joint_scattering_tells_up_from_down_after_averaging():
    """A chirp and its reversal have one time scattering, but for the order of its frames."""
    up, down = _chirps()
    time = Scattering(octaves=6, per_octave=(6, 1))
    joint = make("jtfs[octaves=6;per_octave=6,1;fastest=3]")
    assert isinstance(joint, Jtfs)
    second = [path[0] is not None for path in joint.transform.paths()]
    separable = [time(x).mean(-1) for x in (up, down)]
    spinning = [joint.represent(x)[:, second].mean(-1) for x in (up, down)]
    apart = [((a - b).norm() / b.norm()).item() for a, b in (separable, spinning)]
    assert apart[0] < 0.05
    assert apart[1] > 0.5


def test_any_length_and_both_precisions_with_one_object():
    distance = Scattering1d(octaves=5)
    for samples in (distance.min_samples, 1000, 3001):
        signals = torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        exact = distance(signals[0], signals[1])
        single = distance(signals[0].float(), signals[1].float())
        assert single.item() == pytest.approx(exact.item(), rel=1e-5)


def test_scrapl_keeps_its_paths_until_told():
    first, same, other = (make(f"scrapl[octaves=5;per_octave=4,1;seed={seed}]") for seed in (0, 0, 1))
    assert isinstance(first, Scrapl)
    assert isinstance(same, Scrapl)
    assert isinstance(other, Scrapl)
    assert first.chosen == same.chosen != other.chosen
    drawn = [first.chosen]
    for _ in range(5):
        first.redraw()
        same.redraw()
        assert first.chosen == same.chosen
        drawn.append(first.chosen)
    assert len(set(drawn)) > 1


def test_scrapl_is_unbiased():
    few = make("scrapl[octaves=5;per_octave=4,1;n_paths=6]")
    assert isinstance(few, Scrapl)
    paths = [path for path in few.transform.paths() if path[0] is not None]
    signals = tuple(0.1 * torch.randn(2, 1, 1024, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    each = dict[tuple[int | None, int], float]()
    for path in paths:
        few.chosen = frozenset({path})
        each[path] = few(signals[0], signals[1]).item()
    few.redraw()
    assert few.chosen is not None
    expected = sum(each[path] for path in few.chosen) / len(few.chosen)
    assert few(signals[0], signals[1]).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scattering1d[octaves=0]", "octaves must be between 1 and 16, got 0"),
        ("scattering1d[per_octave=8]", "per_octave must be two numbers of at least 1 .*, got 8"),
        ("scattering1d[per_octave=8,0]", "per_octave must be two numbers of at least 1 .*, got 8, 0"),
        ("scattering1d[log_offset=0]", "log_offset must be positive, or none, got 0"),
        ("jtfs[octaves_fr=0]", "octaves_fr must be between 1 and 8, got 0"),
        ("jtfs[per_octave_fr=0]", "per_octave_fr must be at least 1, got 0"),
        ("jtfs[fastest=9]", "fastest must be between 0 and 6 .*, got 9"),
        ("jtfs[log_offset=-1]", "log_offset must be positive, or none, got -1"),
        ("scrapl[n_paths=0]", "n_paths must be between 1 and [0-9]+, the number of paths, got 0"),
    ],
)
def test_bad_parameters_are_named(name: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(name)
