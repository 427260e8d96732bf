"""What holds for every neural distance: frozen, differentiable, independent of the batch, represented once."""

import math
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from tonedeaf.losses import AudioDistance, make, names
from tonedeaf.losses.neural import FrozenNetwork, NeuralDistance
from tonedeaf.losses.recurrent import DifferentiableLstm


@cache
def _neural() -> list[str]:
    """The registered names whose class is a neural distance with weights that are here."""
    found: list[str] = []
    for name in names():
        try:
            distance = make(name)
        except (ImportError, ValueError):
            continue
        if isinstance(distance, NeuralDistance):
            found.append(name)
    return found


def tones(distance: AudioDistance, dtype: torch.dtype = torch.float64, seconds: float = 0.0) -> Tensor:
    """Three tones over noise, as long as asked, or just long enough."""
    samples = max(distance.min_samples, round(seconds * distance.sample_rate))
    time = torch.arange(samples, dtype=torch.float64) / distance.sample_rate
    sines = torch.stack([torch.sin(2 * math.pi * f0 * time + f0) for f0 in (110.0, 233.0, 415.0)])
    noise = torch.randn(sines.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (0.3 * sines + 0.01 * noise).to(dtype)


@pytest.mark.parametrize("name", _neural())
def test_gradient_is_the_derivative(name: str):
    """In float64 to 1e-4, on one item just long enough: what a heavy network can afford in every run."""
    distance = make(name)
    signals = tones(distance)
    prediction, target = signals[:1], signals[1:2]
    direction = torch.randn(prediction.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    leaf = prediction.clone().requires_grad_()
    represented = distance.represent(target)
    (gradient,) = torch.autograd.grad(distance.compare(distance.represent(leaf), represented).sum(), leaf)
    assert gradient.isfinite().all()
    slope = float((gradient * direction).sum())
    differences: list[float] = []
    for step in (1e-7, 1e-9):  # the longer one may cross a kink of a ReLU, the shorter one has fewer digits
        with torch.no_grad():
            ahead, behind = (
                float(distance.compare(distance.represent(prediction + sign * step * direction), represented))
                for sign in (1, -1)
            )
        differences.append((ahead - behind) / (2 * step))
    nearest = min(differences, key=lambda found: abs(found - slope))
    assert slope == pytest.approx(nearest, rel=1e-4, abs=1e-8)  # a saturated network's slope is nearly 0


@pytest.mark.parametrize("name", _neural())
def test_numbers_do_not_depend_on_the_batch(name: str):
    """In float32, which is what a ranking computes in, to 1e-5."""
    distance = make(name)
    signals = tones(distance, torch.float32)
    others = signals.roll(1, 0)
    together = distance(signals, others)
    alone = torch.cat([distance(signals[i : i + 1], others[i : i + 1]) for i in range(len(signals))])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", _neural())
def test_the_network_is_frozen_and_named(name: str):
    distance = make(name)
    assert isinstance(distance, NeuralDistance)
    assert len(distance.weights_sha256) == 64
    assert not any(parameter.requires_grad for parameter in distance.parameters())
    distance.train()
    left_in_training = [type(part).__name__ for part in distance.modules() if part.training]
    assert set(left_in_training) <= {type(distance).__name__, "DifferentiableLstm", *_without_a_mode(distance)}


def _without_a_mode(distance: AudioDistance) -> set[str]:
    """Modules beside the network, such as a transform of the front end, in which training changes nothing."""
    frozen = {id(part) for child in distance.modules() if isinstance(child, FrozenNetwork) for part in child.modules()}
    return {
        type(part).__name__
        for part in distance.modules()
        if id(part) not in frozen and not isinstance(part, (nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d))
    }


def test_dropout_and_batch_statistics_stay_off():
    normalisation = nn.BatchNorm1d(4)
    frozen = FrozenNetwork(nn.Sequential(nn.Dropout(0.5), normalisation))
    signal = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    before = frozen.at(signal)(signal)
    nn.Sequential(frozen).train()
    assert torch.equal(frozen.at(signal)(signal), before)
    mean = normalisation.running_mean
    assert mean is not None
    assert (mean == 0).all()


def test_a_network_is_cast_once_and_its_own_weights_stay():
    frozen = FrozenNetwork(nn.Linear(2, 2))
    double = torch.zeros(1, 2, dtype=torch.float64)
    assert frozen.at(double.float()) is frozen.network
    assert frozen.at(double) is frozen.at(double)
    assert next(frozen.at(double).parameters()).dtype == torch.float64
    assert next(frozen.network.parameters()).dtype == torch.float32
    assert len(list(frozen.parameters())) == 2, "the cast is no part of what is saved"


def test_a_recurrent_layer_is_differentiable_in_every_mode():
    layer = DifferentiableLstm(2, 3, batch_first=True)
    FrozenNetwork(nn.Sequential(layer)).eval()
    assert layer.training
    plain = nn.LSTM(2, 3, batch_first=True).eval()
    plain.load_state_dict(layer.state_dict())
    signal = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(signal)[0], plain(signal)[0])


def test_random_weights_are_explicit_and_another_distance():
    trained, untrained = make("crepe_tiny"), make("crepe_tiny[random_weights=true]")
    assert isinstance(trained, NeuralDistance)
    assert isinstance(untrained, NeuralDistance)
    assert untrained.weights_sha256 != trained.weights_sha256
    assert untrained.specification is not None
    assert untrained.specification.parameters["random_weights"] is True
    signals = tones(trained)
    assert not torch.allclose(trained(signals, signals.roll(1, 0)), untrained(signals, signals.roll(1, 0)), rtol=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: compares it with the CPU")
@pytest.mark.parametrize("name", _neural())
def test_cuda_differentiates_in_evaluation_mode(name: str):
    distance = make(name)
    signals = tones(distance, torch.float32)
    here, there = (
        torch.autograd.grad(distance.to(device)(leaf, signals.roll(1, 0).to(device)).sum(), leaf)[0].cpu()
        for device in ("cpu", "cuda")
        for leaf in [signals.to(device).requires_grad_()]
    )
    torch.testing.assert_close(there, here, rtol=1e-2, atol=1e-3 * float(here.abs().max()))
