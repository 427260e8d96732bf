"""Resemblyzer's port against the package's own encoder."""

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.resemblyzer import Resemblyzer

OWN_RATE = 16000


@pytest.fixture
def resemblyzer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package, without webrtcvad, which its import asks for and its encoder does not need."""
    monkeypatch.setitem(sys.modules, "webrtcvad", ModuleType("webrtcvad"))
    return pytest.importorskip("resemblyzer", reason="pip install --no-deps resemblyzer")


def voices(seconds: float) -> Tensor:
    noise = torch.randn(round(seconds * OWN_RATE), generator=torch.Generator().manual_seed(0))
    return 0.1 * noise.cumsum(0).sin()


@pytest.mark.filterwarnings("ignore:Please import `binary_dilation` from the `scipy.ndimage`:DeprecationWarning")
@pytest.mark.parametrize("seconds", [0.5, 1.6, 2.0, 3.1])
def test_embedding_is_the_packages(resemblyzer: ModuleType, seconds: float):
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    signal = voices(seconds)
    expected = torch.from_numpy(encoder.embed_utterance(signal.numpy()))
    ours = Resemblyzer(sample_rate=OWN_RATE).represent(signal[None])[0, 0]
    assert float(expected.norm()) == pytest.approx(1)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.59, 1.6, 2.0, 2.4, 3.1, 5.0])
def test_partial_utterances_are_the_packages(seconds: float):
    """``VoiceEncoder.compute_partial_slices(samples, rate=1.3, min_coverage=0.75)``, evaluated beforehand."""
    from tonedeaf.losses.resemblyzer import partial_utterances

    expected = {0.1: 1, 0.5: 1, 1.59: 1, 1.6: 1, 2.0: 2, 2.4: 2, 3.1: 3, 5.0: 5}
    starts = partial_utterances(round(seconds * OWN_RATE))
    assert starts == [77 * place for place in range(expected[seconds])]


def test_bad_parameters():
    with pytest.raises(ValueError, match="no layer 'mel'; there are: lstm, embedding"):
        make("resemblyzer[layer=mel;random_weights=true]")
    with pytest.raises(ValueError, match="at least 400 samples, got 399"):
        make("resemblyzer[random_weights=true]", sample_rate=OWN_RATE)(torch.zeros(1, 399), torch.zeros(1, 399))
