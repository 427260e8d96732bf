"""Does a distance keep the contract? One check a promise.

The suite's own distances are held to them in its tests, a plug-in before it is ranked, anything by ``tonedeaf check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .base import AudioDistance

_BATCH = 3
_SHORTEST = 2048
"""Samples of the test signals, unless the distance needs more."""
_STEPS = (1e-6, 1e-8)
"""Of central differences: one of them has to fit. The logarithm of a bin near 0 is too curved for the longer one, and
the shorter one has fewer digits."""
_GRADIENT_TOLERANCE = 1e-4
"""Of a directional derivative against central differences in float64: what the kinks of ℓ1 norms leave."""


class BrokenPromiseError(ValueError):
    """A check that failed; the message says what was found."""


@dataclass(frozen=True)
class Check:
    """The outcome of a check.

    Attributes:
        name: what was promised.
        passed: whether it holds.
        message: what was found instead; empty if it holds.
    """

    name: str
    passed: bool
    message: str


def conformance(distance: AudioDistance, *, device: torch.device | str = "cpu") -> Iterator[Check]:
    """Check every promise of the contract, one after the other.

    Args:
        distance: a distance, on ``device`` if it has weights.
        device: where to run it.
    """
    for name, promise in _PROMISES.items():
        try:
            promise(distance, torch.device(device))
        except BrokenPromiseError as broken:
            yield Check(name, False, str(broken))
        except (Exception, SystemExit) as error:  # whatever a plug-in raises is what the check found
            yield Check(name, False, f"raised {type(error).__name__}: {' '.join(str(error).split())}")
        else:
            yield Check(name, True, "")


def _signals(
    distance: AudioDistance, device: torch.device, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """A batch of predictions and one of targets: noise under a tone, reproducible."""
    generator = torch.Generator().manual_seed(0)
    samples = max(_SHORTEST, distance.min_samples)
    noise = 0.1 * torch.randn(2, _BATCH, samples, generator=generator, dtype=torch.float64)
    time = torch.arange(samples, dtype=torch.float64)
    tones = torch.stack([torch.sin(time * step) for step in (0.031, 0.057, 0.113, 0.043, 0.071, 0.197)])
    both = (noise + 0.3 * tones.view(2, _BATCH, samples)).to(dtype=dtype, device=device)
    return both[0], both[1]


def _shape(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    for batch in (1, _BATCH):
        found: object = distance(prediction[:batch], target[:batch])
        if not isinstance(found, Tensor):
            raise BrokenPromiseError(f"returned {type(found).__name__}, not a tensor")
        if found.shape != (batch,):
            raise BrokenPromiseError(f"a batch of {batch} gave the shape {tuple(found.shape)}, not ({batch},)")


def _finite(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    silence = torch.zeros_like(target)
    for what, ours, theirs in (
        ("two sounds", prediction, target),
        ("a sound and silence", prediction, silence),
        ("silence and a sound", silence, target),
        ("silence and silence", silence, silence),
    ):
        found: Tensor = distance(ours, theirs)
        if not found.isfinite().all():
            raise BrokenPromiseError(f"{what} gave {found.tolist()}")


def _identity(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    scale: Tensor = distance(prediction, target).abs().amax()
    found: Tensor = distance(target, target.clone())
    if not (found.abs() <= 1e-5 * scale + 1e-12).all():
        raise BrokenPromiseError(f"a signal and itself gave {found.tolist()}, not 0")


def _non_negative(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    for ours, theirs in ((prediction, target), (0.01 * prediction, target), (prediction, 0.01 * target)):
        found: Tensor = distance(ours, theirs)
        if (found < 0).any():
            raise BrokenPromiseError(f"negative: {found.tolist()}")


def _independence(distance: AudioDistance, device: torch.device) -> None:
    # in float32 the order of a sum may change with the batch; a coupling shows all the same
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 1e-3)):
        prediction, target = _signals(distance, device, dtype)
        alone: Tensor = torch.cat([distance(prediction[i : i + 1], target[i : i + 1]) for i in range(_BATCH)])
        loudness = torch.tensor([[1.0], [1.0], [100.0]], dtype=dtype, device=device)
        beside: Tensor = distance(loudness * prediction, loudness * target)
        if not torch.allclose(alone[:2], beside[:2], rtol=tolerance, atol=0):
            raise BrokenPromiseError(f"an item gave {alone[0]:.6g} alone, and {beside[0]:.6g} beside a loud one")


def _repeatability(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    first, second = (distance(prediction, target) for _ in range(2))
    if not torch.equal(first, second):
        raise BrokenPromiseError(f"the same signals gave {first.tolist()}, then {second.tolist()}")


def _symmetry(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device, torch.float64)
    there, back = distance(prediction, target), distance(target, prediction)
    if distance.symmetric != torch.allclose(there, back, rtol=1e-9, atol=0):
        declared = "symmetric" if distance.symmetric else "not symmetric"
        raise BrokenPromiseError(f"declared {declared}, but gave {there[0]:.9g} one way, {back[0]:.9g} the other")


def _dtype(distance: AudioDistance, device: torch.device) -> None:
    for dtype in (torch.float32, torch.float64):
        found: Tensor = distance(*_signals(distance, device, dtype))
        if found.dtype != dtype:
            raise BrokenPromiseError(f"{dtype} signals gave {found.dtype}")


def _too_short(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    least = distance.min_samples
    found: Tensor = distance(prediction[:, :least], target[:, :least])
    if not found.isfinite().all():
        raise BrokenPromiseError(f"signals of min_samples = {least} samples gave {found.tolist()}")


def _finite_gradient(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device)
    silence = torch.zeros_like(target)
    one_silent = prediction.clone()
    one_silent[1] = 0
    for what, ours, theirs in (
        ("two sounds", prediction, target),
        ("silence against a sound", silence, target),
        ("a sound against silence", prediction, silence),
        ("silence against silence", silence, silence),
        ("equality", target, target),
        ("one silent item in the batch", one_silent, target),
    ):
        if not _gradient(distance, ours, theirs).isfinite().all():
            raise BrokenPromiseError(f"the gradient at {what} is not finite")


def _gradient_is_derivative(distance: AudioDistance, device: torch.device) -> None:
    prediction, target = _signals(distance, device, torch.float64)
    direction = torch.randn(prediction.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    direction = direction.to(device)
    slope = (_gradient(distance, prediction, target) * direction).sum(-1)
    slopes = torch.stack([_slope(distance, prediction, target, direction, step) for step in _STEPS])
    nearest = (slopes - slope).abs().argmin(0, keepdim=True)
    expected = slopes.gather(0, nearest)[0]
    if not (slope.isfinite().all() and expected.isfinite().all()):
        raise BrokenPromiseError(f"autograd says {slope.tolist()}, central differences say {expected.tolist()}")
    # what is rounded away when two values are subtracted cannot be compared: a saturated network's slope is below it
    values: Tensor = distance(prediction, target)
    resolved = torch.finfo(values.dtype).eps * float(values.detach().abs().max()) / max(_STEPS)
    tolerance = max(1e-9 * float(expected.abs().max()), resolved)
    if not torch.allclose(slope, expected, rtol=_GRADIENT_TOLERANCE, atol=tolerance):
        raise BrokenPromiseError(f"autograd says {slope.tolist()}, central differences say {expected.tolist()}")


def _slope(distance: AudioDistance, prediction: Tensor, target: Tensor, direction: Tensor, step: float) -> Tensor:
    with torch.no_grad():
        ahead: Tensor = distance(prediction + step * direction, target)
        behind: Tensor = distance(prediction - step * direction, target)
    return (ahead - behind) / (2 * step)


def _gradient(distance: AudioDistance, prediction: Tensor, target: Tensor) -> Tensor:
    leaf = prediction.clone().requires_grad_()
    total: Tensor = distance(leaf, target).sum()
    return torch.autograd.grad(total, leaf)[0]


def _if_differentiable(
    check: Callable[[AudioDistance, torch.device], None],
) -> Callable[[AudioDistance, torch.device], None]:
    def checked(distance: AudioDistance, device: torch.device) -> None:
        if distance.differentiable:
            check(distance, device)

    return checked


_PROMISES: dict[str, Callable[[AudioDistance, torch.device], None]] = {
    "shape: (batch, samples) twice gives (batch,)": _shape,
    "finite, silence included": _finite,
    "identity: 0 at equality": _identity,
    "at least 0": _non_negative,
    "independence: an item does not depend on its batch": _independence,
    "repeatability": _repeatability,
    "symmetry, as declared": _symmetry,
    "dtype: float32 gives float32, float64 gives float64": _dtype,
    "min_samples are enough": _too_short,
    "gradient finite: at silence, at equality, beside silence": _if_differentiable(_finite_gradient),
    "gradient = central differences": _if_differentiable(_gradient_is_derivative),
}
