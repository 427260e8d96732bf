import copy
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tonedeaf.bassnet.config import CqtConfig, ModelConfig, preset
from tonedeaf.bassnet.dilations import receptive_field
from tonedeaf.bassnet.model import BassNet, parameters_in

CQT = CqtConfig(bins_per_octave=12)
SMALL = ModelConfig(window=4, expanded=8, maps=3, blocks=2, head_maps=2, head_octaves=1)


def a_model(config: ModelConfig = SMALL) -> BassNet:
    torch.manual_seed(0)
    return BassNet(config, CQT).eval()


def some_windows(model: BassNet, batch: int = 4, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.rand(batch, *model.window_shape, generator=generator) * 4 for _ in range(2))
    return x, y


def test_the_papers_size_has_about_2_15_million_parameters():
    config = preset("paper")
    assert parameters_in(BassNet(config.model, config.cqt)) == pytest.approx(2.15e6, rel=0.02)


def test_the_receptive_field_covers_the_window_on_both_axes():
    for name in ("tiny", "small", "paper"):
        config = preset(name)
        model = BassNet(ModelConfig(window=config.model.window, expanded=config.model.expanded, maps=1), config.cqt)
        for encoder, (axis, size) in itertools.product(
            (model.encoder_x, model.encoder_y, model.encoder_z), enumerate((config.model.window, config.cqt.bins))
        ):
            along = [block.dilation[axis] for block in encoder.stack]
            assert receptive_field(along, config.model.kernel) == {10: 11, 20: 21, 88: 89, 264: 265}[size]


def test_a_gradient_reaches_every_bin_and_step_of_the_papers_window():
    """From wherever in enc_z; one encoder alone reaches both ends, and leaves bins out between its wide dilations."""
    config = preset("paper")
    torch.manual_seed(0)
    model = BassNet(replace(config.model, maps=4), config.cqt).eval()
    x = torch.rand(1, *model.window_shape, requires_grad=True)

    def seen(maps: torch.Tensor, step: int, bin_: int) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(maps[0, :, step, bin_].sum(), x, retain_graph=True)
        return gradient[0, 0] != 0

    mix = model.encoder_x(x)
    alone = seen(mix, 10, 132)
    assert alone.any(1).all()
    assert alone.any(0).nonzero().flatten()[[0, -1]].tolist() == [0, 263]
    both = model.encoder_z(mix)
    assert all(seen(both, *where).all() for where in ((0, 0), (10, 132), (19, 263)))


def test_f0_is_read_from_two_octaves_to_either_side():
    config = preset("paper")
    torch.manual_seed(0)
    model = BassNet(replace(config.model, maps=1), config.cqt)
    y = torch.rand(1, 1, 1, 264, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.pitch(y)[..., 130].sum(), y)
    assert gradient.flatten().nonzero().flatten().tolist() == list(range(130 - 72, 130 + 72 + 1))


def test_a_window_of_the_papers_size_costs_as_many_flops_as_were_planned_for():
    """2 a multiply-add. One-sided, a window pays for the encoding of the other of its pair as well."""
    config = preset("paper")
    with torch.device("meta"):
        model = BassNet(config.model, config.cqt)
        x, y = (torch.zeros(2, *model.window_shape) for _ in range(2))
        noise = torch.zeros(2, config.model.latent)

    def both_ways() -> list[torch.Tensor]:
        posterior, prediction = model(x, y, noise, partners=True)
        return [*posterior, *prediction]

    def flops_a_window(forward: Callable[[], list[torch.Tensor]], *, backward: bool) -> float:
        with FlopCounterMode(display=False) as counter:
            found = forward()
            if backward:
                torch.stack([each.sum() for each in found]).sum().backward()
        return counter.get_total_flops() / 2

    for backward, symmetric, one_sided in ((False, 38e9, 61e9), (True, 115e9, 182e9)):
        pair = flops_a_window(both_ways, backward=backward)
        other = flops_a_window(lambda: list(model.encode(x, y)), backward=backward)
        assert pair == pytest.approx(symmetric, rel=0.02)
        assert pair + other == pytest.approx(one_sided, rel=0.02)


def test_shapes():
    model = a_model()
    x, y = some_windows(model)
    mu, log_variance = model.encode(x, y)
    assert mu.shape == log_variance.shape == (4, 2)
    predicted = model.decode(x, mu)
    assert predicted.y.shape == predicted.f0_logits.shape == (4, 2, 4, 88)
    assert predicted.level_logits.shape == predicted.onset_logits.shape == (4, 2, 4)


@pytest.mark.parametrize("bottleneck", ["mean", "flatten"])
def test_encoding_is_the_papers_formula(bottleneck: str):
    model = a_model(ModelConfig(window=4, expanded=4, maps=3, blocks=2, bottleneck=bottleneck))  # pyright: ignore[reportArgumentType]
    x, y = some_windows(model)
    maps = model.encoder_z(model.encoder_x(x) * model.encoder_y(y))
    features = maps.flatten(1) if bottleneck == "flatten" else maps.mean((2, 3))
    torch.testing.assert_close(model.encode(x, y).mu, model.mu(features), rtol=0, atol=0)
    torch.testing.assert_close(model.encode(x, y).log_variance, model.log_variance(features), rtol=0, atol=0)
    z = torch.randn(4, 2)
    back = torch.nn.functional.linear(z, model.mu.weight.T, model.mu_transposed_bias)
    wide = back.view(maps.shape) if bottleneck == "flatten" else back[..., None, None].expand_as(maps)
    expected = model.decoder_y(model.decoder_z(wide, model.encoder_z) * model.encoder_x(x), model.encoder_y)
    torch.testing.assert_close(model.decode(x, z).y, expected, rtol=0, atol=0)


def test_the_bottleneck_of_means_is_a_convolution_then_a_mean():
    model = a_model()
    x, y = some_windows(model)
    maps = model.encoder_z(model.encoder_x(x) * model.encoder_y(y))
    convolved = torch.nn.functional.conv2d(maps, model.mu.weight[..., None, None], model.mu.bias)
    torch.testing.assert_close(model.encode(x, y).mu, convolved.mean((2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("part", ["encoder_y", "encoder_z", "mu"])
def test_the_decoder_uses_the_encoders_weights(part: str):
    model = a_model()
    x, y = some_windows(model)
    z = torch.randn(4, 2)
    changed = copy.deepcopy(model)
    with torch.no_grad():
        module = getattr(changed, part)
        weight = module.weight if part == "mu" else module.blocks[0].weight
        weight.add_(0.1)
    assert not torch.equal(model.encode(x, y).mu, changed.encode(x, y).mu)
    assert not torch.equal(model.decode(x, z).y, changed.decode(x, z).y)
    # And a gradient of the decoder alone reaches them.
    model.decode(x, z).y.sum().backward()
    own = model.get_parameter("mu.weight" if part == "mu" else f"{part}.blocks.0.weight")
    assert own.grad is not None
    assert own.grad.abs().sum() > 0


def test_one_pass_is_encoding_and_decoding_from_the_partner():
    model = a_model()
    x, y = some_windows(model, batch=6)
    noise = torch.randn(6, 2)
    for partners in (True, False):
        posterior, predicted = model(x, y, noise, partners=partners)
        separate = model.encode(x, y)
        torch.testing.assert_close(posterior.mu, separate.mu, rtol=0, atol=0)
        z = separate.mu + torch.exp(separate.log_variance / 2) * noise
        source = [3, 4, 5, 0, 1, 2] if partners else list(range(6))
        expected = model.decode(x, z[source])
        for found, wanted in zip(predicted, expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_channels_share_the_heads():
    model = a_model()
    y = torch.rand(2, 2, 4, 88)
    for head in (model.pitch, model.level, model.onset):
        torch.testing.assert_close(head(y.flip(1)), head(y).flip(1), rtol=0, atol=1e-6)


def test_a_window_of_another_shape_is_refused():
    model = a_model()
    x, y = some_windows(model)
    with pytest.raises(ValueError, match=r"windows must be shaped \(batch, 2, 4, 88\)"):
        model.encode(x[:, :1], y)
    with pytest.raises(ValueError, match=r"z must be shaped \(4, 2\), got \(4, 3\)"):
        model.decode(x, torch.zeros(4, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_numbers():
    model = a_model()
    x, y = some_windows(model)
    mu = model.encode(x, y).mu
    # float32 sums in another order
    torch.testing.assert_close(model.cuda().encode(x.cuda(), y.cuda()).mu.cpu(), mu, rtol=1e-3, atol=1e-4)
