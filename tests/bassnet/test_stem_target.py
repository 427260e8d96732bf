"""The real bass as a target."""

import torch

from tonedeaf.bassnet.targets import stem_target

FRAMES = 24


def test_a_stem_is_heard_where_its_note_sounds():
    stem = torch.ones(1, FRAMES * 160)
    sounding = torch.zeros(1, FRAMES, dtype=torch.bool)
    sounding[:, 2:-2] = True
    heard = stem_target(stem, sounding)[0]
    assert (heard[: 1 * 160] == 0).all()
    assert torch.allclose(heard[160:320], torch.arange(160) / 160)
    assert (heard[320 : (FRAMES - 3) * 160] == 1).all()
    assert (heard[(FRAMES - 2) * 160 :] == 0).all()
