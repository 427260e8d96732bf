"""The command ``compose``: a recording and a trained model in, a bass as WAV and MIDI out."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..bassnet.bass_midi import bass_midi
from ..bassnet.compose import Composition, compose
from ..bassnet.config import HOP, SAMPLE_RATE
from ..bassnet.controls import Controls
from ..bassnet.labels import frame_count
from ..bassnet.latent_path import parse_point, read_path
from ..bassnet.mix import Mix, read_mix
from ..bassnet.run import Run, load_run
from ..results.atomic_write import write_atomically
from . import screens
from .resources import opened

_LOWEST_RATE, _HIGHEST_RATE = 1000, 384_000


@dataclass(frozen=True, kw_only=True)
class ComposeOptions:
    """What ``tonedeaf compose`` was told; the fields are its options."""

    mix: Path
    model: Path
    z: str | None = None
    z_file: Path | None = None
    harmonics: int = 20
    variation: float = 1.0
    odd_even: float = 0.5
    fundamental_gain: float = 0.0
    lowpass: float | None = None
    lowpass_order: int = 4
    onset_threshold: float | None = None
    inharmonicity: float = 0.0
    sample_rate: int | None = None
    out: Path
    midi: Path | None = None
    device: str = "auto"

    @property
    def controls(self) -> Controls:
        """How the bass is to sound."""
        return Controls(
            harmonics=self.harmonics,
            variation=self.variation,
            odd_even=self.odd_even,
            fundamental_gain=self.fundamental_gain,
            lowpass=self.lowpass,
            lowpass_order=self.lowpass_order,
            onset_threshold=self.onset_threshold,
            inharmonicity=self.inharmonicity,
        )


def run(options: ComposeOptions, *, as_json: bool) -> int:
    """Compose, write, print, and return the exit status.

    Raises:
        ValueError: if the call, the recording or the run is wrong; nothing has been written then.
        OSError: if a file cannot be written.
    """
    controls = options.controls
    _check_outputs(options)
    with opened(options.device, "512MiB") as resources:
        trained = load_run(options.model, device=resources.device)
        if options.z is not None:
            parse_point(options.z, trained.config.model.latent)
        mix = read_mix(options.mix, shortest=trained.config.model.expanded * HOP / SAMPLE_RATE)
        own_rate = mix.recording.sample_rate
        rate = own_rate if options.sample_rate is None else options.sample_rate
        _check_rate(rate)
        notes = _notes(options.mix, mix)
        for message in notes:
            screens.note(f"note: {message}")
        signal = mix.recording.at(SAMPLE_RATE)
        samples = round(len(mix.recording.signal) * rate / own_rate)
        z = _z(options, trained, len(signal))
        composition = compose(trained, signal, z, controls, sample_rate=rate, samples=samples)
    write_atomically(options.out, _wav(composition))
    if options.midi is not None:
        write_atomically(options.midi, bass_midi(composition.line.notes))
    _print(options, composition, z, notes, as_json=as_json)
    return 0


def _check_outputs(options: ComposeOptions) -> None:
    if options.z is not None and options.z_file is not None:
        raise ValueError("give either --z or --z-file, not both")
    for name, path, suffixes in (("--out", options.out, (".wav",)), ("--midi", options.midi, (".mid", ".midi"))):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise ValueError(f"{name} must end in {' or '.join(suffixes)}, got {path}")
        if not path.parent.is_dir():
            raise ValueError(f"{name}: there is no folder {path.parent}")
        if path.exists() and options.mix.exists() and path.samefile(options.mix):
            raise ValueError(f"{name} must not be the mix itself, got {path}")


def _check_rate(rate: int) -> None:
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise ValueError(f"the sample rate must be from {_LOWEST_RATE} to {_HIGHEST_RATE} Hz, got {rate}")


def _notes(path: Path, mix: Mix) -> list[str]:
    if not mix.clipped:
        return []
    return [f"{path} is clipped ({mix.clipped:.2%} of its samples): the bass may follow the distortion"]


def _z(options: ComposeOptions, trained: Run, samples: int) -> Tensor:
    latent = trained.config.model.latent
    if options.z_file is not None:
        return read_path(options.z_file, latent, frame_count(samples))
    return torch.zeros(latent) if options.z is None else parse_point(options.z, latent)


def _wav(composition: Composition) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, composition.audio, composition.sample_rate, format="WAV", subtype="PCM_24")
    return buffer.getvalue()


def _print(options: ComposeOptions, composition: Composition, z: Tensor, notes: list[str], *, as_json: bool) -> None:
    line, audio = composition.line, composition.audio
    seconds = len(audio) / composition.sample_rate
    sounding = float(np.mean(line.f0 > 0))
    if as_json:
        found: dict[str, Any] = {
            "out": str(options.out),
            "midi": None if options.midi is None else str(options.midi),
            "model": str(options.model),
            "z": z.tolist() if z.ndim == 1 else None,
            "z_file": None if options.z_file is None else str(options.z_file),
            "controls": asdict(options.controls),
            "sample_rate": composition.sample_rate,
            "samples": len(audio),
            "notes": len(line.notes),
            "sounding_share": sounding,
            "gain_db": composition.gain_db,
            "warnings": notes,
        }
        print(json.dumps([found], indent=2))
        return
    attenuated = f", attenuated by {-composition.gain_db:.1f} dB so as not to clip" if composition.gain_db < 0 else ""
    files = f"{options.out}" if options.midi is None else f"{options.out}, {options.midi}"
    screens.out().print(
        f"{files}: {len(line.notes)} notes in {seconds:.1f} s ({sounding:.0%} of it sounding){attenuated}", markup=False
    )
    if not line.notes:
        screens.note("note: the bass is silent: the model's level never reaches its voicing threshold")
