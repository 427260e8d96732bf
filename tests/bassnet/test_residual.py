from itertools import product

import pytest
import torch
from torch.nn import functional as F

from tonedeaf.bassnet.dilations import receptive_field
from tonedeaf.bassnet.residual import Decoder, Encoder, TransposedBlock

DILATIONS = [(1, 1), (1, 3), (2, 5)]


def an_encoder(inputs: int = 2, maps: int = 4) -> Encoder:
    torch.manual_seed(0)
    return Encoder(inputs=inputs, maps=maps, kernel=3, dilations=DILATIONS).double().eval()


def test_a_block_is_the_papers_figure_3():
    encoder = an_encoder()
    block = encoder.stack[1]
    x = torch.randn(3, 4, 7, 11, dtype=torch.float64)
    convolved = F.conv2d(x, block.weight, padding=(1, 3), dilation=(1, 3))
    expected = F.relu(block.norm(convolved) + block.shortcut_norm(F.conv2d(x, block.shortcut)))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=0)
    assert block(x).min() == 0


@pytest.mark.parametrize("dilation", DILATIONS)
def test_a_transposed_block_is_a_transposed_convolution_with_the_encoders_weights(dilation: tuple[int, int]):
    torch.manual_seed(1)
    encoder = Encoder(inputs=2, maps=4, kernel=3, dilations=[dilation]).double()
    (block,) = encoder.stack
    transposed = TransposedBlock(maps=2, activation=False).double().eval()
    x = torch.randn(3, 4, 9, 13, dtype=torch.float64)
    padding = dilation
    expected = transposed.norm(
        F.conv_transpose2d(x, block.weight, padding=padding, dilation=dilation)
    ) + transposed.shortcut_norm(F.conv_transpose2d(x, block.shortcut))
    torch.testing.assert_close(transposed(x, block), expected, rtol=1e-9, atol=1e-12)
    assert transposed(x, block).min() < 0


def test_decoding_undoes_the_shape_and_ends_without_a_relu():
    encoder = an_encoder()
    decoder = Decoder(encoder, final_activation=False).double().eval()
    x = torch.randn(3, 2, 7, 11, dtype=torch.float64)
    assert encoder(x).shape == (3, 4, 7, 11)
    assert decoder(encoder(x), encoder).shape == x.shape
    assert decoder(encoder(x), encoder).min() < 0
    assert Decoder(encoder, final_activation=True).double().eval()(encoder(x), encoder).min() == 0


def test_a_decoder_has_no_weights_but_its_batch_normalisation():
    encoder = an_encoder()
    decoder = Decoder(encoder, final_activation=False)
    assert {name.split(".")[-2] for name, _ in decoder.named_parameters()} == {"norm", "shortcut_norm"}
    # gain and offset, of two normalisations a block, of 4, 4 and 2 maps
    assert sum(parameter.numel() for parameter in decoder.parameters()) == 2 * 2 * (4 + 4 + 2)


def test_the_receptive_field_is_exact():
    encoder = an_encoder(inputs=1, maps=2)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.abs_()  # nothing cancels, and every ReLU is open
    x = torch.rand(1, 1, 31, 61, dtype=torch.float64, requires_grad=True)
    encoder(x)[0, :, 15, 30].sum().backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    reach = seen.max(0).values - seen.min(0).values + 1
    expected = [receptive_field([dilation[axis] for dilation in DILATIONS], 3) for axis in (0, 1)]
    assert reach.tolist() == expected == [9, 19]


def test_its_output_starts_where_it_is_told():
    encoder = an_encoder()
    decoder = Decoder(encoder, final_activation=False).double().train()
    decoder.start_output_at(3.0, 1.5)
    y = decoder(encoder(torch.randn(8, 2, 40, 40, dtype=torch.float64)), encoder)
    assert y.mean().item() == pytest.approx(3.0, abs=1e-9)  # in training, batch normalisation fixes the mean
    assert y.std().item() == pytest.approx(1.5, rel=0.5)  # the two branches are not independent


def test_shapes_of_all_sizes_are_kept():
    encoder = an_encoder()
    for time, bins in product((1, 4), (1, 16)):
        assert encoder(torch.zeros(1, 2, time, bins, dtype=torch.float64)).shape == (1, 4, time, bins)
