"""CREPE's activations against torchcrepe's own, and what its frames make of silence and levels."""

import math
from types import ModuleType

import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.crepe import Capacity, Crepe, normalised_frames
from tonedeaf.losses.torchaudio_import import import_torchaudio

OWN_RATE = 16000


@pytest.fixture(scope="module")
def torchcrepe() -> ModuleType:
    import_torchaudio()
    import torchcrepe

    return torchcrepe


def a_tone(samples: int, rate: float = OWN_RATE, f0: float = 220.0) -> Tensor:
    time = torch.arange(samples) / rate
    noise = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    return 0.3 * torch.sin(2 * math.pi * f0 * time) + 0.01 * noise


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize(("capacity", "frames"), [("tiny", 5), ("full", 2)])
def test_activations_are_torchcrepes(
    torchcrepe: ModuleType, capacity: Capacity, frames: int, center: bool, dtype: torch.dtype
):
    """In float32 to 1e-5 of the largest activation (1 to 10), which is what rounding leaves; in float64 to 1e-9."""
    hop = 640
    signal = a_tone(1024 + (frames - 1) * hop).to(dtype)
    theirs = torch.cat(list(torchcrepe.preprocess(signal, OWN_RATE, hop, pad=center)))
    torchcrepe.load.model("cpu", capacity)
    network = torchcrepe.infer.model.to(dtype)
    for layer, embed in (("conv5", True), ("pitch", False)):
        with torch.no_grad():
            expected = network(theirs, embed=embed).flatten(1)
            ours = Crepe(
                sample_rate=OWN_RATE, capacity=capacity, layer=layer, hop_seconds=hop / OWN_RATE, center=center
            ).represent(signal)
        assert ours.shape[0] == 1
        tolerance = (1e-5 if dtype == torch.float32 else 1e-9) * max(1.0, float(expected.max()))
        torch.testing.assert_close(ours[0], expected, rtol=0, atol=tolerance)


def test_layers_are_the_stages_of_torchcrepes_network(torchcrepe: ModuleType):
    frames = normalised_frames(a_tone(2048), 512, center=False)[0]
    theirs = torchcrepe.Crepe("tiny").eval()
    ours = Crepe(sample_rate=OWN_RATE, random_weights=True).network.network
    theirs.load_state_dict({name: value.reshape(theirs.state_dict()[name].shape) for name, value in _state(ours)})
    seen = frames[:, None, :, None]
    with torch.no_grad():
        for number in range(1, 7):
            padding = (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32)
            convolution, normalisation = (getattr(theirs, f"conv{number}{end}") for end in ("", "_BN"))
            seen = theirs.layer(seen, convolution, normalisation, padding)
            torch.testing.assert_close(ours(frames, f"conv{number}"), seen.flatten(1), rtol=1e-5, atol=1e-5)


def _state(network: torch.nn.Module) -> list[tuple[str, Tensor]]:
    return list(network.state_dict().items())


def test_the_pitch_that_the_posterior_peaks_at():
    """20 cents a bin, the first at 32.70 Hz (torchcrepe's ``bins_to_cents`` without its dither)."""
    for f0 in (110.0, 220.0, 440.0):
        posterior = make("crepe_tiny[layer=pitch]").represent(a_tone(22050, 44100, f0))
        found = 10 * 2 ** ((1997.3794084376191 + 20 * posterior[0].mean(0).argmax()) / 1200)
        assert abs(1200 * math.log2(found / f0)) < 25


def test_a_hop_of_64_ms_is_the_default():
    assert make("crepe_tiny").represent(torch.zeros(2, 22050)).shape == (2, 7, 256)
    assert make("crepe_tiny[hop_seconds=0.01]").represent(torch.zeros(2, 22050)).shape == (2, 44, 256)
    assert make("crepe_tiny[center=true]").represent(torch.zeros(2, 22050)).shape == (2, 8, 256)
    assert make("crepe_tiny[pooling=mean;layer=pitch]").represent(torch.zeros(2, 22050)).shape == (2, 360)


def test_frames_of_deviation_1_hear_no_level():
    signal = a_tone(22050, 44100).double()
    distance = make("crepe_tiny")
    assert float(distance(signal, 0.01 * signal)) < 1e-9 * float(distance(signal, a_tone(22050, 44100, 300.0).double()))


def test_a_silent_frame_stays_silent_and_has_a_finite_slope():
    """The package divides it by 1e-10: so is the slope there, and the frame itself 0."""
    silence = torch.zeros(1, 1024, dtype=torch.float64, requires_grad=True)
    frames = normalised_frames(silence, 1024, center=False)
    assert (frames == 0).all()
    (slope,) = torch.autograd.grad(frames[0, 0, 0], silence)
    assert float(slope[0, 0]) == pytest.approx(1e10 * (1 - 1 / 1024))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crepe_tiny[layer=conv7]", "no layer 'conv7'; there are: conv1, conv2, conv3, conv4, conv5, conv6, pitch"),
        ("crepe_tiny[capacity=medium]", "must be one of tiny, full, got 'medium'"),
        ("crepe_tiny[hop_seconds=0]", "hop_seconds must be at least one sample at 16000 Hz, got 0"),
        ("crepe_tiny[pooling=max]", "must be one of none, mean, got 'max'"),
        ("crepe_tiny[norm=l3]", "must be one of l1, l2, l2_squared, got 'l3'"),
    ],
)
def test_bad_parameters(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)
