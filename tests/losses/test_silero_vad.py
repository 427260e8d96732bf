"""Silero VAD's port against the TorchScript network that the package runs."""

import math

import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.silero_vad import SileroVad

OWN_RATE = 16000


def a_chirp(seconds: float = 1.0) -> Tensor:
    """Something like a voice: harmonics that glide, so that the probability of speech is neither 0 nor 1."""
    time = torch.arange(round(seconds * OWN_RATE)) / OWN_RATE
    phase = 2 * math.pi * (140 * time + 15 * torch.sin(2 * math.pi * 3 * time))
    return 0.1 * torch.stack([torch.sin(k * phase) / k for k in range(1, 20)]).sum(0)


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning")
def test_the_port_is_the_network_that_the_package_runs():
    """The package runs a TorchScript network. Its weights are of another release than the safetensors beside it."""
    silero_vad = pytest.importorskip("silero_vad")
    threads = torch.get_num_threads()
    theirs = silero_vad.load_silero_vad()
    torch.set_num_threads(threads)  # loading it sets them to 1
    weights = {name.removeprefix("_model."): value for name, value in theirs.state_dict().items()}
    ours = SileroVad(sample_rate=OWN_RATE, layer="speech")
    ours.network.network.load_state_dict(
        {
            "stft_conv.weight": weights["stft.forward_basis_buffer"],
            **{
                f"conv{number + 1}.{what}": weights[f"encoder.{number}.reparam_conv.{what}"]
                for number in range(4)
                for what in ("weight", "bias")
            },
            **{
                f"lstm.{what}_l0": weights[f"decoder.rnn.{what}"]
                for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            },
            **{f"final_conv.{what}": weights[f"decoder.decoder.2.{what}"] for what in ("weight", "bias")},
        }
    )
    signal = a_chirp()
    steps = len(signal) // 512
    with torch.no_grad():
        expected = torch.stack([theirs(signal[512 * i : 512 * (i + 1)], OWN_RATE)[0] for i in range(steps)])
        found = ours.represent(signal[None])[0]
    assert float(expected.max() - expected.min()) > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_the_weights_tell_a_voice_from_noise():
    speech = SileroVad(sample_rate=OWN_RATE, layer="speech")
    noise = 0.1 * torch.randn(1, OWN_RATE, generator=torch.Generator().manual_seed(0))
    assert float(speech.represent(a_chirp()[None]).mean()) > 5 * float(speech.represent(noise).mean())


def test_shapes_of_the_layers():
    signal = torch.zeros(2, 8000)
    sizes = {"spectrum": 129 * 4, "conv1": 128 * 4, "conv2": 64 * 2, "conv3": 64, "conv4": 128, "lstm": 128}
    for layer, size in {**sizes, "speech": 1}.items():
        assert SileroVad(sample_rate=OWN_RATE, layer=layer).represent(signal).shape == (2, 15, size)


def test_bad_parameters():
    with pytest.raises(ValueError, match=r"no layer 'conv5'; there are: spectrum, conv1, .*, lstm, speech"):
        make("silero_vad[layer=conv5]")
    with pytest.raises(ValueError, match="at least 512 samples, got 511"):
        make("silero_vad", sample_rate=OWN_RATE)(torch.zeros(1, 511), torch.zeros(1, 511))
