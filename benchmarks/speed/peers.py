"""The same work by others: auraloss, torchaudio, nnAudio, POT. Losses with their gradients; 8 signals of one second."""

from collections.abc import Callable
from typing import Any

import auraloss
import nnAudio.features
import ot
import pytest
import torch
from torch import Tensor

import tonedeaf
from tonedeaf.losses.constant_q import ConstantQ
from tonedeaf.losses.gammatone import Gammatone
from tonedeaf.losses.mel import Mel, Mfcc
from tonedeaf.losses.stft import Stft
from tonedeaf.losses.torchaudio_import import import_torchaudio
from tonedeaf.losses.wasserstein import transport_cost

RATE, BATCH, SAMPLES = 44100, 8, 44100
transforms = import_torchaudio().transforms


Loss = Callable[[Tensor, Tensor], Tensor]
Table = dict[str, dict[str, Callable[[], Any]]]


def _of_channels(loss: Loss) -> Loss:
    """Auraloss takes ``(batch, channels, samples)``."""
    return lambda prediction, target: loss(prediction.unsqueeze(1), target.unsqueeze(1))


def _l1(transform: Callable[[Tensor], Tensor]) -> Loss:
    """The mean absolute difference of two representations."""
    return lambda prediction, target: (transform(prediction) - transform(target)).abs().mean()


LOSSES: Table = {
    "multi-resolution STFT loss": {
        "tonedeaf": lambda: tonedeaf.make("auraloss_mrstft", sample_rate=RATE),
        "auraloss": lambda: _of_channels(auraloss.freq.MultiResolutionSTFTLoss()),
    },
    "STFT loss": {
        "tonedeaf": lambda: tonedeaf.make("auraloss_stft", sample_rate=RATE),
        "auraloss": lambda: _of_channels(auraloss.freq.STFTLoss()),
    },
    "SI-SDR": {
        "tonedeaf": lambda: tonedeaf.make("si_sdr", sample_rate=RATE),
        "auraloss": lambda: _of_channels(auraloss.time.SISDRLoss()),
    },
    "log-cosh": {
        "tonedeaf": lambda: tonedeaf.make("log_cosh", sample_rate=RATE),
        "auraloss": lambda: _of_channels(auraloss.time.LogCoshLoss()),
    },
    "L1 of power spectrograms": {
        "tonedeaf": lambda: _l1(Stft(n_fft=2048, overlap=0.75, padding="reflect")),
        "torchaudio": lambda: _l1(transforms.Spectrogram(n_fft=2048, hop_length=512)),
    },
    "L1 of mel spectrograms": {
        "tonedeaf": lambda: Mel(sample_rate=RATE, n_fft=2048, n_mels=80, fmin=0, fmax=8000, padding="reflect"),
        "torchaudio": lambda: _l1(
            transforms.MelSpectrogram(RATE, n_fft=2048, hop_length=1024, n_mels=80, f_min=0, f_max=8000)
        ),
    },
    "L1 of MFCCs": {
        "tonedeaf": lambda: Mfcc(
            sample_rate=RATE, n_fft=2048, n_mels=80, n_mfcc=20, fmin=0, fmax=8000, padding="reflect", dct_norm="ortho"
        ),
        "torchaudio": lambda: _l1(
            transforms.MFCC(
                RATE,
                n_mfcc=20,
                melkwargs={"n_fft": 2048, "hop_length": 1024, "n_mels": 80, "f_min": 0, "f_max": 8000},
            )
        ),
    },
}
REPRESENTATIONS: Table = {
    "constant-Q transform, 84 bins": {
        "tonedeaf": lambda: ConstantQ(
            sample_rate=RATE, fmin=32.7, n_bins=84, bins_per_octave=12, hop_length=512, padding="reflect"
        ),
        "nnAudio": lambda: nnAudio.features.CQT1992v2(sr=RATE, hop_length=512, fmin=32.7, n_bins=84, verbose=False),
    },
    "variable-Q transform, 84 bins": {
        "tonedeaf": lambda: ConstantQ(
            sample_rate=RATE, fmin=32.7, n_bins=84, bins_per_octave=12, hop_length=512, gamma=10, padding="reflect"
        ),
        "nnAudio": lambda: nnAudio.features.VQT(sr=RATE, hop_length=512, fmin=32.7, n_bins=84, gamma=10, verbose=False),
    },
    "gammatone spectrogram, 64 bands": {
        "tonedeaf": lambda: Gammatone(sample_rate=RATE, padding="reflect").represent,
        "nnAudio": lambda: nnAudio.features.Gammatonegram(sr=RATE, verbose=False),
    },
}


def _rows(table: Table) -> list[tuple[str, str]]:
    return [(work, who) for work, both in table.items() for who in both]


@pytest.mark.parametrize(("work", "who"), _rows(LOSSES))
def test_loss(measure: Any, noise: Any, work: str, who: str):
    prediction, target = noise(BATCH, SAMPLES)
    prediction.requires_grad_()
    loss = LOSSES[work][who]()
    measure("peers", work, who, lambda: torch.autograd.grad(loss(prediction, target).sum(), prediction))


@pytest.mark.parametrize(("work", "who"), _rows(REPRESENTATIONS))
def test_representation(measure: Any, noise: Any, work: str, who: str):
    signal, _ = noise(BATCH, SAMPLES)
    transform = REPRESENTATIONS[work][who]()
    with torch.no_grad():
        measure("peers", work, who, lambda: transform(signal))


@pytest.mark.parametrize("who", ["tonedeaf", "POT"])
def test_wasserstein_1(measure: Any, who: str):
    """W1 between 2048 masses on a line, 256 pairs of them."""
    generator = torch.Generator().manual_seed(0)
    ours, theirs = torch.rand(2, 256, 2048, generator=generator).softmax(-1)
    positions = torch.linspace(0, 1, 2048)
    points = positions.unsqueeze(-1).expand(-1, 256).contiguous()
    ours.requires_grad_()

    def cost() -> Tensor:
        if who == "tonedeaf":
            return transport_cost(ours, theirs, positions, 1)
        peers: Any = ot.wasserstein_1d(points, points, ours.T, theirs.T, p=1, require_sort=False)
        return peers

    measure("peers", "Wasserstein-1 of 2048 masses", who, lambda: torch.autograd.grad(cost().sum(), ours))
