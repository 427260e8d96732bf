"""CDPAM against the package's own network, and its formula."""

import importlib

import pytest
import torch
from torch import Tensor

from tonedeaf.losses import make
from tonedeaf.losses.cdpam import Cdpam
from tonedeaf.losses.checkpoints import read_checkpoint
from tonedeaf.losses.weights import locate, weights_row
from tonedeaf.losses.weights_conversion import converted

OWN_RATE = 22050


def signals() -> Tensor:
    return 0.1 * torch.randn(2, 2, 2000, generator=torch.Generator().manual_seed(0))


@pytest.mark.filterwarnings("ignore:Importing from numpy.matlib is deprecated:PendingDeprecationWarning")
def test_number_is_the_packages():
    models = importlib.import_module("cdpam.models")
    theirs = models.FINnet(
        encoder_layers=16, encoder_filters=64, ndim=[16, 6], classif_dp=0.05, classif_BN=0, input_size=512
    )
    theirs.load_state_dict(read_checkpoint(converted(weights_row("cdpam"), locate("cdpam").paths[0])))
    theirs.eval()
    prediction, target = signals()
    with torch.no_grad():
        ours = Cdpam(sample_rate=OWN_RATE)
        whole = [theirs.base_encoder(32768 * signal.unsqueeze(1)) for signal in (prediction, target)]
        lengthless = [torch.nn.functional.normalize(acoustics, dim=1) for _, acoustics, _ in whole]
        expected = theirs.model_dist(*lengthless)
        torch.testing.assert_close(ours(prediction, target), expected, rtol=1e-5, atol=1e-5)
        acoustics = Cdpam(sample_rate=OWN_RATE, layer="acoustics").represent(prediction)[:, 0]
        torch.testing.assert_close(acoustics, lengthless[0], rtol=0, atol=1e-5)
        content = Cdpam(sample_rate=OWN_RATE, layer="content").represent(prediction)[:, 0]
        torch.testing.assert_close(content, whole[0][2], rtol=1e-5, atol=1e-5)


def test_fewer_samples_than_the_receptive_field_are_refused():
    distance = make("cdpam[random_weights=true]", sample_rate=OWN_RATE)
    assert distance.min_samples == 841
    with pytest.raises(ValueError, match="Cdpam needs at least 841 samples, got 840"):
        distance(torch.zeros(1, 840), torch.zeros(1, 840))


def test_an_unknown_layer_is_answered_by_all_there_are():
    with pytest.raises(ValueError, match="no layer 'jnd'; there are: acoustics, content, distance"):
        make("cdpam[layer=jnd]")
