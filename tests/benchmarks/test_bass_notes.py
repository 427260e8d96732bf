"""Sampled basses: is a note's f0 the one that the task says?"""

import importlib
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tonedeaf.benchmarks.bass_notes import BassNotes
from tonedeaf.benchmarks.harmonic_timbre import HarmonicTimbre
from tonedeaf.benchmarks.signals.soundfont import AUTO, missing
from tonedeaf.losses.torchaudio_import import import_torchaudio

NOTES = 60
needs_a_sound_font = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


def test_notes_are_random_basses_and_random_keys_detuned_by_up_to_50_cents():
    trials = BassNotes().trials(0, 0, 4000)
    drawn = {name: trials.drawn[name].numpy() for name in ("program", "key", "bend")}
    for name, values in (("program", range(32, 40)), ("key", range(24, 61))):
        counts = np.array([(drawn[name] == value).sum() for value in values])
        assert counts.sum() == 4000
        assert abs(counts / 4000 - 1 / len(values)).max() < 5 * math.sqrt(1 / len(values) / 4000)
    detuned = drawn["bend"] * 200 / 8192
    assert -50 <= detuned.min() < -49.5
    assert 49.5 < detuned.max() <= 50
    expected = 440 * 2 ** ((drawn["key"] - 69) / 12 + detuned / 1200)
    np.testing.assert_allclose(2 ** (trials.target["pitch"].numpy() / 1200), expected, rtol=1e-12)


@needs_a_sound_font
@pytest.mark.parametrize("rate", [16000.0, 44100.0])
def test_level_is_exactly_that_of_the_rms(rate: float):
    task = BassNotes(sample_rate=rate)
    trials = task.trials(0, 0, 8)
    level = 25 * (2 * task.render_target(trials).square().mean(-1)).sqrt().log10()
    torch.testing.assert_close(level, trials.target["level"], rtol=0, atol=1e-9)


def test_predictions_are_additive_tones():
    task, tones = BassNotes(), HarmonicTimbre()
    trials = task.trials(0, 0, 4)
    assert torch.equal(
        task.render_prediction(trials, trials.prediction), tones.render_prediction(trials, trials.prediction)
    )


@needs_a_sound_font
def test_the_record_knows_the_sound_font():
    task = BassNotes()
    assert len(task.materials["sound_font_sha256"]) == 64
    assert task.materials["renderer"].startswith("tinysoundfont 0.")


@needs_a_sound_font
def test_wrong_parameters_are_refused():
    with pytest.raises(ValueError, match="sample_rate of bass_notes must be a whole number"):
        BassNotes(sample_rate=22050.5)
    with pytest.raises(ValueError, match=r"sound_font must be 'auto' or the path of an .sf2 file, got 'no.sf2'"):
        BassNotes(sound_font="no.sf2")


def test_without_a_renderer_it_says_which_command_helps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    task = BassNotes()
    assert task.unavailable == "tinysoundfont is not installed: pip install --no-deps tinysoundfont"
    assert task.columns
    with pytest.raises(ImportError, match="pip install --no-deps tinysoundfont"):
        task.render_target(task.trials(0, 0, 1))


@needs_a_sound_font
@pytest.mark.skipif(importlib.util.find_spec("torchcrepe") is None, reason="needs torchcrepe: pip install torchcrepe")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("font", [AUTO, pytest.param("TimGM6mb.sf2", marks=pytest.mark.slow)])
def test_f0_is_what_crepe_hears(font: str):
    """Within 20 cents for 95 % of 60 notes, those above 32 Hz; of the usual sound font, and of the bundled one."""
    import_torchaudio()
    import torchcrepe

    if font != AUTO:
        font = str(Path(importlib.import_module("pretty_midi").__file__ or "").parent / font)
    task = BassNotes(sample_rate=16000, duration=1.0, sound_font=font)
    trials = task.trials(0, 0, NOTES)
    notes = task.render_target(trials).float()
    with torch.no_grad():
        frames = torch.cat(
            [next(torchcrepe.preprocess(note, 16000, 2000, None, "cpu", False)) for note in notes[:, None]]
        )
        activations = torchcrepe.infer(frames, "full").reshape(NOTES, -1, 360)
    heard = torch.stack([_pitch(each) for each in activations])
    above = trials.target["pitch"] > 1200 * math.log2(32)
    error = (heard - trials.target["pitch"]).abs()[above]
    assert len(error) >= 0.85 * NOTES
    assert float((error <= 20).double().mean()) >= 0.95


def _pitch(activations: Tensor) -> Tensor:
    """Cents above 1 Hz in the median of the more confident half of the frames ``(frames, 360)``.

    A frame's pitch is the mean of the 9 bins (of 20 cents) around the highest, weighted by the activations.
    """
    confidence, top = activations.max(-1)
    near = top.unsqueeze(-1) + torch.arange(-4, 5)
    weights = torch.where((near >= 0) & (near < 360), activations.gather(-1, near.clamp(0, 359)), 0.0)
    lowest = 1200 * math.log2(10) + 1997.3794084376191  # CREPE's first bin
    pitch = lowest + 20 * (weights * near).sum(-1) / weights.sum(-1)
    return pitch[confidence >= confidence.median()].median().double()
