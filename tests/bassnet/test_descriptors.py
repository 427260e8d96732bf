"""What is heard in a recorded bass."""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tonedeaf.bassnet import descriptors
from tonedeaf.bassnet.descriptors import crepe_f0, describe, onset_times
from tonedeaf.bassnet.level import absolute_level, frame_power
from tonedeaf.bassnet.recording import Recording
from tonedeaf.losses.torchaudio_import import import_torchaudio


def plucked(f0: float, seconds: float = 0.5) -> np.ndarray:
    time = np.arange(round(16000 * seconds)) / 16000
    partials = [np.sin(2 * np.pi * number * f0 * time) / number for number in range(1, 9)]
    fades = np.minimum(1, time / 0.003) * np.minimum(1, (seconds - time) / 0.01)
    return 0.3 * np.sum(partials, axis=0) * np.exp(-3 * time) * fades


@pytest.fixture(scope="module")
def bass() -> np.ndarray:
    """Three notes of half a second, and half a second of silence."""
    notes = [plucked(f0) for f0 in (55.0, 82.4, 41.2)]
    return np.concatenate((*notes, np.zeros(8000))).astype(np.float32)


def test_crepe_hears_the_notes(bass: np.ndarray):
    f0, confidence = crepe_f0(bass, "tiny")
    assert len(f0) == len(confidence) == len(bass) // 160 + 1
    for note, wanted in enumerate((55.0, 82.4, 41.2)):
        frames = slice(50 * note + 8, 50 * note + 42)
        cents = np.abs(1200 * np.log2(f0[frames] / wanted))
        assert cents.max() < 25  # the smaller network is 12 cents flat at 41 Hz
        assert confidence[frames].min() > 0.5


def test_the_fundamental_is_torchcrepes_but_for_its_noise(bass: np.ndarray):
    """It adds up to 20 cents of noise to each bin's cents: within that they agree, and so do the confidences."""
    import_torchaudio()
    torchcrepe: Any = importlib.import_module("torchcrepe")
    theirs, confidence = torchcrepe.predict(
        torch.from_numpy(bass)[None],
        16000,
        160,
        31.8,
        550.0,
        "tiny",
        batch_size=256,
        decoder=torchcrepe.decode.argmax,
        return_periodicity=True,
    )
    ours, own_confidence = crepe_f0(bass, "tiny")
    sure = own_confidence > 0.5
    assert sure.sum() > 120
    assert np.abs(1200 * np.log2(ours / theirs[0].numpy()))[sure].max() < 20 + 20  # noise, and the width of a bin
    assert own_confidence == pytest.approx(confidence[0].numpy(), abs=1e-4)


def test_the_numbers_do_not_change_the_worlds_randomness(bass: np.ndarray):
    before: Any = np.random.get_state()
    crepe_f0(bass[:8000], "tiny")
    after: Any = np.random.get_state()
    assert np.array_equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_labels_of_a_recording(bass: np.ndarray):
    labels = describe(bass, np.array([0.0, 0.5, 1.004]), "tiny")
    assert np.flatnonzero(labels.onset).tolist() == [0, 50, 100]
    assert not labels.f0[165:].any()  # silence
    assert (labels.f0[5:45] > 50).all()
    assert np.array_equal(labels.level, absolute_level(frame_power(bass)))
    for unknown in (labels.pattern, labels.bar, labels.chord_root, labels.chord_quality):
        assert (unknown == -1).all()
    assert labels.harmonics is None


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    really = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in packages else really(name))


def test_librosas_onsets_where_madmom_is_not(bass: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    without(monkeypatch, "madmom")
    found = onset_times(Recording(bass, 16000))
    for onset in (0.5, 1.0):
        assert np.abs(found - onset).min() < 0.05


def test_madmoms_onsets_where_it_is(bass: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    """A stand-in with madmom's interface (0.16: features.onsets, audio.signal): it hears what it was told to hear."""
    heard: list[tuple[int, int]] = []

    class Signal:
        def __init__(self, data: np.ndarray, *, sample_rate: int, num_channels: int) -> None:
            heard.append((len(data), sample_rate))
            assert num_channels == 1

    modules = {name: ModuleType(name) for name in ("madmom", "madmom.audio.signal", "madmom.features.onsets")}
    vars(modules["madmom.audio.signal"])["Signal"] = Signal
    vars(modules["madmom.features.onsets"]).update(
        CNNOnsetProcessor=lambda: lambda signal: [0.0, 1.0],
        OnsetPeakPickingProcessor=lambda threshold, fps: lambda activations: [1.0 * fps / 100],
    )
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    really = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "madmom" else really(name))
    assert onset_times(Recording(bass, 16000)).tolist() == [1.0]
    assert heard == [(round(len(bass) * 44100 / 16000), 44100)]


def test_what_is_missing_is_said(bass: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    without(monkeypatch, "madmom", "librosa", "torchcrepe")
    with pytest.raises(ImportError, match=r"pip install 'tonedeaf\[recordings\]'"):
        onset_times(Recording(bass, 16000))
    with pytest.raises(ImportError, match=r"torchcrepe: pip install 'tonedeaf\[recordings\]'"):
        crepe_f0(bass)


def test_the_versions_name_what_estimates(monkeypatch: pytest.MonkeyPatch):
    without(monkeypatch, "madmom")
    assert descriptors.versions().startswith("torchcrepe 0.")
    assert " full, librosa 0." in descriptors.versions()
