"""PESTO's activations against pesto's own."""

import math

import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.pesto import Pesto
from tonedeaf.losses.torchaudio_import import import_torchaudio


def tones(rate: float, f0: float = 220.0, seconds: float = 0.5) -> Tensor:
    time = torch.arange(round(seconds * rate)) / rate
    return torch.stack([0.3 * torch.sin(2 * math.pi * f * time) for f in (f0, 1.26 * f0)])


@pytest.mark.parametrize("rate", [44100, 16000])
@pytest.mark.parametrize("center", [True, False])
def test_activations_are_pestos(rate: int, center: bool):
    import_torchaudio()
    import pesto

    theirs = pesto.load_model("mir-1k_g7", 10.0, sampling_rate=rate, center=center)
    signals = tones(rate)
    with torch.no_grad():
        expected = theirs(signals.clone(), return_activations=True)[-1]
        ours = Pesto(sample_rate=rate, center=center).represent(signals)
    assert expected.max() > 0.5
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


def test_layers_follow_each_other():
    signals = tones(44100)
    features, logits, activations = (
        Pesto(layer=layer).represent(signals) for layer in ("features", "logits", "activations")
    )
    assert features.shape == (2, 32, 3 * 219)
    torch.testing.assert_close(logits.softmax(-1), activations)


def test_the_pitch_that_the_activations_peak_at():
    """Thirds of a semitone from MIDI number 0 on; PESTO's own accuracy is some 20 cents."""
    for f0 in (110.0, 220.0, 440.0):
        bin_of_f0 = 3 * (69 + 12 * math.log2(f0 / 440))
        found = make("pesto").represent(tones(44100, f0))[0].mean(0).argmax()
        assert abs(int(found) - bin_of_f0) <= 1


def test_a_normalised_spectrum_hears_no_level():
    ours, other = tones(44100).double()
    distance = make("pesto[layer=logits]")
    assert float(distance(ours[None], 0.5 * ours[None])) < 1e-3 * float(distance(ours[None], other[None]))


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        ("pesto[layer=conv1]", 44100, "no layer 'conv1'; there are: features, logits, activations"),
        ("pesto[hop_seconds=0]", 44100, "hop_seconds must be at least one sample, got 0"),
        ("pesto", 6000, "a sample rate above 6774 Hz, got 6000"),
    ],
)
def test_bad_parameters(text: str, rate: float, message: str):
    with pytest.raises(ValueError, match=message):
        make(text, sample_rate=rate)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "pesto.model", None)
    with pytest.raises(ImportError, match="pip install pesto-pitch"):
        Pesto(random_weights=True)
