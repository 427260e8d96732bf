"""``tonedeaf compose``: files in, files out, and one line for each thing that a user can get wrong."""

import dataclasses
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from tonedeaf.bassnet.checkpoint import BEST, CONFIG, LAST, RunDocument, State, write_document, write_state
from tonedeaf.bassnet.compose import compose
from tonedeaf.bassnet.config import BassNetConfig, CqtConfig, ModelConfig, preset
from tonedeaf.bassnet.controls import Controls
from tonedeaf.bassnet.features import features
from tonedeaf.bassnet.model import BassNet
from tonedeaf.bassnet.renderers import make_renderer
from tonedeaf.bassnet.rendering import make_recipe, render_dataset
from tonedeaf.bassnet.run import load_run
from tonedeaf.bassnet.training import train
from tonedeaf.harnesses.cli import run_command

CHORD_TONES = {0: (0, 4, 7), 1: (0, 3, 7), 2: (0, 3, 6)}  # major, minor, diminished


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that has learnt nothing, and for which everything is voiced."""
    folder = tmp_path_factory.mktemp("run")
    config = BassNetConfig(
        cqt=CqtConfig(bins_per_octave=12),
        model=ModelConfig(window=10, expanded=10, maps=3, blocks=2, head_octaves=1, head_maps=2, head_steps=3),
    )
    torch.manual_seed(0)
    weights = BassNet(config.model, config.cqt).state_dict()
    write_document(folder, RunDocument(config=config, about={}))
    facts = {"threshold": 0.0, "step": 0, "validation": {}, "seconds": 0.0, "finished": True}
    for name in (BEST, LAST):
        write_state(folder / name, State(tensors=weights, facts=facts))
    return folder


def noise(samples: int, channels: int = 1) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(0).standard_normal((samples, channels))


def call(*arguments: str | Path) -> int:
    return run_command(["compose", *(str(argument) for argument in arguments)])


def error(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that a wrong call is answered with."""
    assert call(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize(
    "recording",
    [("mix.wav", 44100, 2), ("mix.flac", 16000, 1), ("mix.ogg", 48000, 2), ("mix.aiff", 22051, 3)],
)
def test_any_recording_gets_a_bass_of_its_length(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str], recording: tuple[str, int, int]
):
    name, rate, channels = recording
    mix, out, midi = tmp_path / name, tmp_path / "bass.wav", tmp_path / "bass.mid"
    soundfile.write(mix, noise(rate + 123, channels), rate)
    assert call(mix, "--model", run, "--z", "1,-0.5", "--out", out, "--midi", midi, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    bass, bass_rate = soundfile.read(out)
    assert (bass_rate, bass.shape) == (rate, (rate + 123,))
    assert (found["sample_rate"], found["samples"], found["z"]) == (rate, rate + 123, [1.0, -0.5])
    assert 0 < np.abs(bass).max() < 1
    assert len(pretty_midi.PrettyMIDI(str(midi)).instruments[0].notes) == found["notes"] > 0
    assert found["controls"] == dataclasses.asdict(Controls())


def test_another_rate_and_a_path_through_the_plane(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]):
    mix, out, path = tmp_path / "mix.wav", tmp_path / "bass.wav", tmp_path / "z.csv"
    soundfile.write(mix, noise(16000), 16000)
    path.write_text("time,x,y\n0,-2,0\n1,2,0\n")
    assert call(mix, "--model", run, "--z-file", path, "--sample-rate", "22050", "--out", out) == 0
    assert "bass.wav: " in capsys.readouterr().out
    bass, rate = soundfile.read(out)
    assert (rate, len(bass)) == (22050, 22050)


def test_a_clipped_mix_is_taken_with_a_warning(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]):
    mix, out = tmp_path / "mix.wav", tmp_path / "bass.wav"
    loud = 3 * np.sin(2 * np.pi * 50 * np.arange(16000) / 16000)
    soundfile.write(mix, loud.clip(-1, 1), 16000)
    assert call(mix, "--model", run, "--out", out, "--json") == 0
    printed = capsys.readouterr()
    (warning,) = json.loads(printed.out)[0]["warnings"]
    assert "is clipped" in warning
    assert warning in printed.err
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--z", "1"], "z must be two numbers separated by commas, as in 0.5,-1, got '1'"),
        (["--z", "a,b"], "z must be two numbers separated by commas"),
        (["--z", "1,2", "--z-file", "z.csv"], "give either --z or --z-file, not both"),
        (["--z-file", "none.csv"], "none.csv cannot be read as a CSV file"),
        (["--harmonics", "0"], "harmonics must be from 1 to 64, got 0"),
        (["--harmonics", "65"], "harmonics must be from 1 to 64, got 65"),
        (["--odd-even", "2"], "odd_even must be from 0 to 1, got 2"),
        (["--onset-threshold", "-1"], "onset_threshold must be from 0 to 1, got -1"),
        (["--lowpass", "0"], "lowpass must be from 1 to 1e+06 Hz, got 0"),
        (["--sample-rate", "10"], "the sample rate must be from 1000 to 384000 Hz, got 10"),
        (["--model", "nowhere"], "there is no run in nowhere: tonedeaf train makes one"),
        (["--out", "bass.mp3"], "--out must end in .wav, got bass.mp3"),
        (["--out", "nowhere/bass.wav"], "--out: there is no folder nowhere"),
        (["--midi", "bass.txt"], "--midi must end in .mid or .midi, got bass.txt"),
    ],
)
def test_a_wrong_call_is_one_line(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
):
    mix = tmp_path / "mix.wav"
    soundfile.write(mix, noise(16000), 16000)
    assert message in error(capsys, mix, "--model", run, "--out", tmp_path / "bass.wav", *arguments)
    assert not (tmp_path / "bass.wav").exists()


def test_a_recording_that_is_none_is_one_line(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]):
    mix, out = tmp_path / "mix.wav", tmp_path / "bass.wav"
    assert f"there is no file {mix}" in error(capsys, mix, "--model", run, "--out", out)
    mix.write_bytes(b"no audio at all")
    assert f"{mix} cannot be decoded: Format not recognised" in error(capsys, mix, "--model", run, "--out", out)
    soundfile.write(mix, noise(800), 16000)
    assert "lasts 0.05 s; a window of the model lasts 0.1 s" in error(capsys, mix, "--model", run, "--out", out)
    soundfile.write(mix, noise(0), 16000)
    assert "lasts 0 s; a window" in error(capsys, mix, "--model", run, "--out", out)
    soundfile.write(mix, 1e-6 * noise(16000), 16000, subtype="FLOAT")
    assert "is silent: its peak is below -80 dB" in error(capsys, mix, "--model", run, "--out", out)
    opposite = noise(16000) * np.array([1.0, -1.0])
    soundfile.write(mix, opposite, 16000, subtype="FLOAT")
    assert "its channels cancel each other out" in error(capsys, mix, "--model", run, "--out", out)
    broken = noise(16000)
    broken[5] = np.nan
    soundfile.write(mix, broken, 16000, subtype="FLOAT")
    assert "not finite" in error(capsys, mix, "--model", run, "--out", out)
    assert not out.exists()


def test_a_model_whose_level_is_scaled_per_track_is_one_line(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
):
    mix, out, scaled = tmp_path / "mix.wav", tmp_path / "bass.wav", shutil.copytree(run, tmp_path / "run")
    soundfile.write(mix, noise(16000), 16000)
    document = json.loads((scaled / CONFIG).read_text())
    document["config"]["objective"]["level"] = "minmax"
    (scaled / CONFIG).write_text(json.dumps(document))
    assert error(capsys, mix, "--model", scaled, "--out", out) == (
        f"error: the model in {scaled} cannot be played: objective.level is 'minmax', which is scaled per track, for "
        "comparison with the paper only; sound needs absolute\n"
    )
    assert not out.exists()


def test_the_mix_is_never_overwritten(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]):
    mix = tmp_path / "mix.wav"
    soundfile.write(mix, noise(16000), 16000)
    before = mix.read_bytes()
    assert "--out must not be the mix itself" in error(capsys, mix, "--model", run, "--out", mix)
    assert mix.read_bytes() == before


@pytest.mark.slow
def test_the_bass_to_a_song_that_was_held_out_plays_chord_tones(tmp_path: Path):
    """Tiny preset, 500 steps on 14 songs of an additive A1; of 2 others, 0.8 of the sounding frames at least.

    A frame is on a chord tone if its pitch, less the song's detuning, is nearer to one than to any other semitone.
    """
    recipe = make_recipe("A1", songs=16, seed=0, seconds=30.0, renderer=(renderer := make_renderer("additive", "auto")))
    with ThreadPoolExecutor(1) as executor:
        dataset = render_dataset(tmp_path / "a1", recipe, renderer, executor)
    config = preset("tiny")
    config = dataclasses.replace(
        config, training=dataclasses.replace(config.training, max_steps=500, validation_windows=200)
    )
    trained, held_out = features(dataset, config.cqt, songs=range(14)), features(dataset, config.cqt, songs=[14, 15])
    train(config, trained, held_out, tmp_path / "run")
    found = load_run(tmp_path / "run")
    for index in (14, 15):
        song = dataset.song(index)
        composed = compose(found, song.mix, torch.zeros(2), Controls(), sample_rate=16000, samples=len(song.mix))
        f0, labels = composed.line.f0, song.labels
        used = (f0 > 0) & (labels.chord_root >= 0)
        assert used.mean() > 0.5
        pitch = 69 + 12 * np.log2(f0[used] / (440 * 2 ** (song.about.detuning / 1200)))
        above_root = np.rint(pitch - labels.chord_root[used]).astype(int) % 12
        on_chord = [
            above in CHORD_TONES[quality]
            for above, quality in zip(above_root.tolist(), labels.chord_quality[used].tolist(), strict=True)
        ]
        assert np.mean(on_chord) >= 0.8
