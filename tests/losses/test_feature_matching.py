"""Feature matching, against the published networks with their normalisations, from checkpoints in their formats."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import spectral_norm
from torch.nn.utils import weight_norm as published_weight_norm  # pyright: ignore[reportDeprecated]

from tonedeaf.losses import make
from tonedeaf.losses.conformance import conformance
from tonedeaf.losses.discriminator_training import save_discriminators, train_discriminators
from tonedeaf.losses.discriminators import HifiganDiscriminators, MelganDiscriminators
from tonedeaf.losses.feature_matching import FeatureMatching

pytestmark = pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")


class _Small(FeatureMatching):
    """Discriminators with few channels."""

    network_types: ClassVar[Mapping[str, Callable[[], nn.Module]]] = {
        "melgan": partial(MelganDiscriminators, channels=4, most_channels=16),
        "hifigan": partial(HifiganDiscriminators, width=1 / 64),
    }


def _normalised(layer: nn.Module) -> nn.Module:
    return published_weight_norm(layer)  # pyright: ignore[reportDeprecated]


def _melgan_scale(channels: list[int]) -> nn.ModuleDict:
    """NLayerDiscriminator of melgan-neurips: ndf 4, four layers, a factor of 4, 16 channels at most."""
    layers: dict[str, nn.Module] = {
        "layer_0": nn.Sequential(nn.ReflectionPad1d(7), _normalised(nn.Conv1d(1, channels[0], 15)), nn.LeakyReLU(0.2))
    }
    for number, (before, after) in enumerate(pairwise(channels), 1):
        convolution = nn.Conv1d(before, after, 41, stride=4, padding=20, groups=before // 4)
        layers[f"layer_{number}"] = nn.Sequential(_normalised(convolution), nn.LeakyReLU(0.2))
    widest = channels[-1]
    last = nn.Conv1d(widest, widest, kernel_size=5, padding=2)
    layers["layer_5"] = nn.Sequential(_normalised(last), nn.LeakyReLU(0.2))
    layers["layer_6"] = _normalised(nn.Conv1d(widest, 1, kernel_size=3, padding=1))
    return nn.ModuleDict(layers)


class _Melgan(nn.Module):
    """Discriminator of melgan-neurips."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleDict(
            {f"disc_{number}": nn.ModuleDict({"model": _melgan_scale([4, 16, 16, 16, 16])}) for number in range(3)}
        )
        self.downsample = nn.AvgPool1d(4, stride=2, padding=1, count_include_pad=False)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        results: list[list[Tensor]] = []
        for scale in self.model.children():
            maps: list[Tensor] = []
            y = x
            for layer in scale.get_submodule("model").children():
                y = layer(y)
                maps.append(y)
            results.append(maps)
            x = self.downsample(x)
        return results


class _Hifigan(nn.Module):
    """The two discriminators of hifi-gan/models.py, every number of channels over 64, 16 at least."""

    def __init__(self) -> None:
        super().__init__()
        self.mpd = nn.Module()
        self.mpd.discriminators = nn.ModuleList([self._periodic() for _ in range(5)])
        self.msd = nn.Module()
        norms = (spectral_norm, _normalised, _normalised)
        self.msd.discriminators = nn.ModuleList([self._scaled(norm) for norm in norms])

    def _periodic(self) -> nn.Module:
        sizes = [1, 16, 16, 16, 16, 16]
        stack = nn.Module()
        stack.convs = nn.ModuleList(
            [
                _normalised(nn.Conv2d(before, after, (5, 1), (stride, 1), padding=(2, 0)))
                for before, after, stride in zip(sizes, sizes[1:], (3, 3, 3, 3, 1), strict=False)
            ]
        )
        stack.conv_post = _normalised(nn.Conv2d(16, 1, (3, 1), 1, padding=(1, 0)))
        return stack

    def _scaled(self, norm: Callable[[nn.Module], nn.Module]) -> nn.Module:
        stack = nn.Module()
        rows = ((1, 15, 1, 1), (16, 41, 2, 4), (16, 41, 2, 16), (16, 41, 4, 16), (16, 41, 4, 16), (16, 41, 1, 16))
        stack.convs = nn.ModuleList(
            [
                norm(nn.Conv1d(before, 16, kernel, stride, groups=groups, padding=kernel // 2))
                for before, kernel, stride, groups in (*rows, (16, 5, 1, 1))
            ]
        )
        stack.conv_post = norm(nn.Conv1d(16, 1, 3, 1, padding=1))
        return stack

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        results: list[list[Tensor]] = []
        for period, stack in zip((2, 3, 5, 7, 11), self.mpd.get_submodule("discriminators").children(), strict=True):
            samples = x.shape[-1]
            whole = nn.functional.pad(x, (0, (period - samples % period) % period), "reflect")
            results.append(self._maps(stack, whole.view(len(x), 1, whole.shape[-1] // period, period)))
        for number, stack in enumerate(self.msd.get_submodule("discriminators").children()):
            x = nn.AvgPool1d(4, 2, padding=2)(x) if number else x
            results.append(self._maps(stack, x))
        return results

    def _maps(self, stack: nn.Module, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for layer in stack.get_submodule("convs").children():
            x = nn.functional.leaky_relu(layer(x), 0.1)
            maps.append(x)
        return [*maps, stack.get_submodule("conv_post")(x)]


@pytest.fixture(scope="module", params=["melgan", "hifigan"])
def published(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _Melgan() if request.param == "melgan" else _Hifigan()
        with torch.no_grad():
            network(torch.randn(1, 1, 4000))  # a step of spectral normalisation's power iteration
    return request.param, network.eval()


@pytest.fixture(scope="module")
def checkpoint(published: tuple[str, nn.Module], tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, network = published
    folder = tmp_path_factory.mktemp("discriminators")
    if name == "melgan":
        torch.save(network.state_dict(), folder / "netD.pt")
        return folder / "netD.pt"
    optimiser = torch.optim.AdamW(network.parameters())
    state = {part: network.get_submodule(part).state_dict() for part in ("mpd", "msd")}
    torch.save({**state, "optim_d": optimiser.state_dict(), "steps": 2500000, "epoch": 3}, folder / "do_02500000")
    return folder / "do_02500000"


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    signals = 0.3 * torch.randn(2, 2, 4000, generator=torch.Generator().manual_seed(1))
    return signals[0], signals[1]


def _loss(name: str, network: nn.Module, prediction: Tensor, target: Tensor) -> Tensor:
    """The feature matching loss as the two training scripts compute it, of one item."""
    with torch.no_grad():
        ours, theirs = network(prediction[None, None]), network(target[None, None])
    if name == "melgan":
        weight = 4.0 / (4 + 1) / 3
        return torch.stack(
            [
                weight * nn.functional.l1_loss(ours[k][n], theirs[k][n])
                for k in range(3)
                for n in range(len(ours[k]) - 1)
            ]
        ).sum()
    layers = [
        (a - b).abs().mean() for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True)
    ]
    return 2 * torch.stack(layers).sum()


def test_distance_is_the_published_loss(
    published: tuple[str, nn.Module], checkpoint: Path, pair: tuple[Tensor, Tensor]
):
    name, network = published
    distance = _Small(sample_rate=22050, discriminators=name, weights=str(checkpoint))  # pyright: ignore[reportArgumentType]
    expected = torch.stack([_loss(name, network, *item) for item in zip(*pair, strict=True)])
    torch.testing.assert_close(distance(*pair), expected, rtol=1e-5, atol=0)


def test_any_layer_alone(published: tuple[str, nn.Module], checkpoint: Path, pair: tuple[Tensor, Tensor]):
    name, network = published
    layer = "3.6"
    distance = _Small(sample_rate=22050, discriminators=name, layer=layer, weights=str(checkpoint))  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        ours, theirs = (network(signal[:, None])[2][5] for signal in pair)
    torch.testing.assert_close(distance(*pair), (ours - theirs).abs().flatten(1).mean(1), rtol=1e-5, atol=0)


def test_keeps_every_promise(published: tuple[str, nn.Module], checkpoint: Path):
    distance = _Small(sample_rate=22050, discriminators=published[0], weights=str(checkpoint))  # pyright: ignore[reportArgumentType]
    assert not [f"{check.name}: {check.message}" for check in conformance(distance) if not check.passed]


def _weights(rows: list[tuple[int, int, int, int]]) -> int:
    """Of convolutions (inputs, outputs, kernel, groups), with their biases."""
    return sum(before // groups * after * kernel + after for before, after, kernel, groups in rows)


def test_published_sizes():
    scale = [(1, 16, 15, 1), (16, 64, 41, 4), (64, 256, 41, 16), (256, 1024, 41, 64), (1024, 1024, 41, 256)]
    periods = [(1, 32, 5, 1), (32, 128, 5, 1), (128, 512, 5, 1), (512, 1024, 5, 1), (1024, 1024, 5, 1)]
    scales = [(1, 128, 15, 1), (128, 128, 41, 4), (128, 256, 41, 16), (256, 512, 41, 16), (512, 1024, 41, 16)]
    scales += [(1024, 1024, 41, 16), (1024, 1024, 5, 1)]
    score = (1024, 1, 3, 1)
    expected = {
        MelganDiscriminators: 3 * _weights([*scale, (1024, 1024, 5, 1), score]),
        HifiganDiscriminators: 5 * _weights([*periods, score]) + 3 * _weights([*scales, score]),
    }
    for network, weights in expected.items():
        with torch.device("meta"):
            assert sum(each.numel() for each in network().parameters()) == weights


def test_trained_discriminators_tell_sounds_apart_and_are_read_back(pair: tuple[Tensor, Tensor], tmp_path: Path):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        discriminators = _Small.network_types["melgan"]()
    time = torch.arange(2000) / 22050
    tones = torch.stack([0.3 * torch.sin(2 * torch.pi * f0 * time) for f0 in (220.0, 330.0, 440.0, 550.0)])
    noise = 0.2 * torch.randn(tones.shape, generator=torch.Generator().manual_seed(2))
    losses = train_discriminators(discriminators, [(tones, noise)] * 30, learning_rate=2e-3)
    assert losses[-1] < 0.25 * losses[0]
    sha256 = save_discriminators(discriminators, tmp_path / "trained.safetensors")
    assert len(sha256) == 64
    distance = _Small(sample_rate=22050, weights=str(tmp_path / "trained.safetensors"))
    with torch.no_grad():
        expected = discriminators(pair[0])[1][3]
    assert torch.equal(distance.network.network(pair[0])[1][3], expected)


def test_training_and_saving_refuse_what_they_cannot_use(tmp_path: Path):
    discriminators = _Small.network_types["melgan"]()
    with pytest.raises(ValueError, match=r"one shape \(batch, samples\), got \(2, 64\) and \(2, 65\)"):
        train_discriminators(discriminators, [(torch.zeros(2, 64), torch.zeros(2, 65))])
    with pytest.raises(ValueError, match=r"saved as \.safetensors, got"):
        save_discriminators(discriminators, tmp_path / "netD.pt")


def test_wrong_files_and_parameters_are_refused(tmp_path: Path):
    with pytest.raises(ImportError, match=r"^needs a discriminator's checkpoint .*weights=PATH$"):
        make("feature_matching")
    with pytest.raises(ValueError, match="there is no weights file"):
        make("feature_matching[weights=/nowhere.pt]")
    with pytest.raises(ValueError, match=r"no layer '4\.1'; there are: all, 1\.1, 1\.2"):
        _Small(layer="4.1", random_weights=True)
    with pytest.raises(ValueError, match="discriminators must be one of melgan, hifigan, got 'bigvgan'"):
        _Small(discriminators="bigvgan", random_weights=True)  # pyright: ignore[reportArgumentType]
    torch.save(_Small.network_types["melgan"]().state_dict(), tmp_path / "netD.pt")
    with pytest.raises(ValueError, match=r"of another architecture.*layer_0\.1\.weight is shaped \(4, 1, 15\)"):
        make(f"feature_matching[weights={tmp_path / 'netD.pt'}]")
    with pytest.raises(ValueError, match="of another architecture"):
        make(f"feature_matching[discriminators=hifigan;weights={tmp_path / 'netD.pt'}]")
    short = torch.zeros(1, 31)
    with pytest.raises(ValueError, match="at least 32 samples, got 31"):
        _Small(sample_rate=22050, random_weights=True)(short, short)
