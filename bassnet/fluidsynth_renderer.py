"""FluidSynth: the reference player of sound fonts, by its command ``fluidsynth``.

Without reverberation and chorus. It starts notes in steps of 64 samples (1.3 ms).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ..benchmarks.signals.soundfont import SoundFont
from .harmonic_projection import projected_harmonics
from .manifest import RendererIdentity
from .midi import score_midi
from .rendering import Sound
from .songs import Part, Score
from .sound_fonts import PLAYED_RATE, heard, identity

NAME = "fluidsynth"

_PROBLEM = re.compile(r"error|failed|not found", re.IGNORECASE)
_SECONDS = 600


@dataclass(frozen=True)
class FluidSynthRenderer:
    """FluidSynth with a sound font."""

    sound_font: SoundFont

    @property
    def identity(self) -> RendererIdentity:
        """FluidSynth's version, and the sound font."""
        return identity(NAME, _version(), self.sound_font)

    def render(self, score: Score, generator: np.random.Generator) -> Sound:
        """A score as sound; nothing in it is random. The amplitudes of the bass's partials are least-squares fits.

        Raises:
            ValueError: if FluidSynth cannot read the sound font, or it lacks an instrument.
            TimeoutError: if it has not come to its end in 10 minutes.
        """
        del generator
        mix, bass = self._play(score, score.mix), self._play(score, (score.bass,))
        return Sound(mix=mix, bass=bass, detuning=0.0, harmonics=projected_harmonics(score, bass, detuning=0.0))

    def _play(self, score: Score, parts: tuple[Part, ...]) -> NDArray[np.float64]:
        with TemporaryDirectory() as folder:
            midi, settings = Path(folder) / "song.mid", Path(folder) / "settings"
            midi.write_bytes(score_midi(score, parts))
            settings.touch()  # in place of the user's and the system's
            command = [NAME, "-niq", "-f", str(settings), "-R", "0", "-C", "0", "-r", str(PLAYED_RATE)]
            command += ["-T", "raw", "-O", "float", "-E", "little", "-F", "/dev/stdout"]
            # By its full path: what begins with a hyphen would be an option.
            command += [str(self.sound_font.path.resolve()), str(midi)]
            try:
                finished = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"fluidsynth has not played a song to its end in {_SECONDS} s") from error
        # It says what went wrong, renders silence, and exits with 0.
        said = finished.stderr.decode(errors="replace")
        if finished.returncode or _PROBLEM.search(said):
            reason = next(
                (line for line in said.splitlines() if _PROBLEM.search(line)), f"status {finished.returncode}"
            )
            raise ValueError(f"fluidsynth cannot render with {self.sound_font.path}: {reason.strip()}")
        played = np.frombuffer(finished.stdout, dtype="<f4").reshape(-1, 2)
        return heard(played, score.samples)


def missing() -> str:
    """What is missing to run FluidSynth, and the command that installs it; empty if nothing is."""
    return "" if shutil.which(NAME) else "there is no command fluidsynth: apt-get install fluidsynth"


@lru_cache(maxsize=1)
def _version() -> str:
    said = subprocess.run([NAME, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "unknown"
