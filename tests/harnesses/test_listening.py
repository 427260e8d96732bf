"""Trials as sounds: the very trials of the records, moved as the ranking moved them."""

import io
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tonedeaf.harnesses.listening import render
from tonedeaf.harnesses.tasks import make_task
from tonedeaf.results import Record
from tonedeaf.results.report_listening import Choice

MakeRecord = Callable[..., Record]
PARAMS = {"sample_rate": 44100.0, "duration": 0.4, "perturbed_phase": "shared"}


def record(make_record: MakeRecord, task: str = "sines", version: int = 1) -> Record:
    made = make_record(task=task, task_params=PARAMS, seed=5)
    return msgspec.structs.replace(made, task=msgspec.structs.replace(made.task, version=version))


def decoded(sound: bytes) -> NDArray[np.float64]:
    return np.asarray(soundfile.read(io.BytesIO(sound))[0], dtype=np.float64)


def level(sound: bytes) -> float:
    return 10 * float(np.log10((decoded(sound)[2000:-2000] ** 2).mean()))


def pitch(sound: bytes) -> float:
    """In cents above 1 Hz."""
    samples = decoded(sound)[2000:-2000]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 16 * len(samples)))
    return 1200 * float(np.log2(spectrum.argmax() * 44100 / (16 * len(samples))))


def test_the_sounds_are_the_trials(make_record: MakeRecord):
    (heard,) = render([Choice(record(make_record), 7)])
    task = make_task("sines", PARAMS).task
    trial = task.trials(5, 7, 8)
    assert list(heard.sounds) == [
        "target",
        "prediction",
        "pitch_30_cents",
        "pitch_600_cents",
        "level_2_db",
        "level_10_db",
    ]
    for name, side in (("target", trial.target), ("prediction", trial.prediction)):
        assert pitch(heard.sounds[name]) == pytest.approx(float(side["pitch"]), abs=12)
    assert heard.target["hz"] == pytest.approx(2 ** (float(trial.target["pitch"]) / 1200), abs=0.01)
    up = np.sign(float(trial.prediction["pitch"] - trial.target["pitch"]))
    moved = pitch(heard.sounds["pitch_600_cents"]) - pitch(heard.sounds["prediction"])
    assert moved == pytest.approx(600 * up, abs=12)
    louder = np.sign(float(trial.prediction["level"] - trial.target["level"]))
    change = level(heard.sounds["level_10_db"]) - level(heard.sounds["prediction"])
    # the task's level is 25 dB per decade of amplitude, power's is 20
    assert change == pytest.approx(10 * louder * 20 / 25, abs=0.5)


def test_what_cannot_be_rendered_is_said(make_record: MakeRecord, capsys: pytest.CaptureFixture[str]):
    choices = [
        Choice(record(make_record, version=9), 0),
        Choice(record(make_record, task="somebody.elses:Task"), 0),
    ]
    assert render(choices) == []
    notes = capsys.readouterr().err
    assert "no sounds of sines: it is version 1 now, the record's is 9" in notes
    assert "no sounds of somebody.elses:Task:" in notes
