"""A renderer of our own: sums of partials, whose amplitudes are known exactly.

Everything that is drawn at random (the detuning of the song, the timbre of its bass, the noise of its drums) is drawn
once a song. Each General MIDI program has a timbre of its own, always the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import HOP, SAMPLE_RATE
from .labels import HARMONICS, frame_count
from .manifest import RendererIdentity
from .rendering import Sound
from .songs import HAT, KICK, SNARE, Part, Score
from .truth import frequency, note_frames

_DETUNING = 50.0
"""Cents: songs lie between the notes of the tempered scale, as recordings do."""
_HIGHEST = 7600.0
"""Hz; partials above it are left out, below half the sample rate."""
_CHORD_GAIN, _DRUM_GAIN = 0.15, 0.5
_FULL = 127


@dataclass(frozen=True, eq=False)
class Timbre:
    """A note: ``Σ_h spectrum[h−1]·exp(−(decay + damping·h)·t)·cos(2π (h·f0·t + phases[h−1]))``, faded.

    Attributes:
        spectrum: amplitudes at the onset, ``(partials,)``.
        phases: in cycles, ``(partials,)``.
        decay: of all partials, 1/s.
        damping: what each partial decays faster than the one below it, 1/s.
        attack: length of the raised-cosine fade in, in seconds.
        release: likewise of the fade out, which ends where the note ends.
    """

    spectrum: NDArray[np.float64]
    phases: NDArray[np.float64]
    decay: float
    damping: float
    attack: float
    release: float

    def fades(self, samples: int) -> NDArray[np.float64]:
        """The fades of a note of so many samples: ``(samples,)``."""
        time = np.arange(samples) / SAMPLE_RATE
        left = np.clip(time / self.attack, 0, 1)
        right = np.clip((samples / SAMPLE_RATE - time) / self.release, 0, 1)
        return np.sin(np.pi / 2 * left) ** 2 * np.sin(np.pi / 2 * right) ** 2

    def amplitudes(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Amplitudes of the partials before the fades, at times in seconds: ``(times, partials)``."""
        numbers = np.arange(1, len(self.spectrum) + 1)
        return self.spectrum * np.exp(-np.outer(time, self.decay + self.damping * numbers))

    def note(self, f0: float, samples: int) -> NDArray[np.float64]:
        """A note of so many samples: ``(samples,)``.

        The sum over the partials is a polynomial in ``exp((2πi f0 − damping)·t)``, evaluated by Horner's rule.
        """
        time = np.arange(samples) / SAMPLE_RATE
        partials = min(len(self.spectrum), int(_HIGHEST / f0))
        coefficients = self.spectrum[:partials] * np.exp(2j * np.pi * self.phases[:partials])
        z = np.exp((2j * np.pi * f0 - self.damping) * time)
        total = np.zeros(samples, np.complex128)
        for coefficient in coefficients[::-1]:
            total = (total + coefficient) * z
        return total.real * np.exp(-self.decay * time) * self.fades(samples)


class AdditiveRenderer:
    """The additive synthesiser."""

    identity = RendererIdentity(name="additive", version="1", licence="Apache-2.0")

    def render(self, score: Score, generator: np.random.Generator) -> Sound:
        """A score as sound; the amplitudes of its bass's partials are exact."""
        detuning = float(generator.uniform(-_DETUNING, _DETUNING))
        timbre = bass_timbre(generator)
        mix = np.zeros(score.samples)
        for part in score.mix:
            gain = (part.volume / _FULL) ** 2
            if part.name == "drums":
                _add_drums(mix, score, part, _DRUM_GAIN * gain, generator)
            else:
                _add_notes(mix, score, part, program_timbre(part.program, _CHORD_GAIN * gain), detuning)
        bass = np.zeros(score.samples)
        _add_notes(bass, score, score.bass, timbre, detuning)
        return Sound(mix=mix, bass=bass, detuning=detuning, harmonics=_harmonics(score, timbre))


def bass_timbre(generator: np.random.Generator) -> Timbre:
    """A plucked string of 20 partials: ``|sin(π h β)|/h^p`` for a random place β of plucking and a random slope p."""
    numbers = np.arange(1, HARMONICS + 1)
    place, slope = generator.uniform(0.08, 0.3), generator.uniform(0.8, 1.6)
    return Timbre(
        spectrum=np.abs(np.sin(np.pi * numbers * place)) / numbers**slope,
        phases=generator.random(HARMONICS),
        decay=generator.uniform(0.5, 2.0),
        damping=generator.uniform(0.1, 0.5),
        attack=0.005,
        release=0.015,
    )


def program_timbre(program: int, gain: float) -> Timbre:
    """The timbre of a General MIDI program of the pianos, organs, guitars or ensembles; ``Σ spectrum² = gain²``.

    Pianos and guitars decay, guitars faster and with the spectrum of a plucked string; organs hold the partials of
    their drawbars, and ensembles come in slowly with the spectrum of a sawtooth.
    """
    generator = np.random.default_rng(program)
    numbers = np.arange(1, 25)
    if program in range(8):
        spectrum = numbers ** -generator.uniform(1.2, 2.0)
        decay, damping, attack = generator.uniform(1.5, 3.0), generator.uniform(0.3, 0.6), 0.003
    elif program in range(16, 24):
        drawbars = np.isin(numbers, (1, 2, 3, 4, 6, 8))
        spectrum = drawbars * 10 ** (-generator.uniform(0, 18, len(numbers)) / 20)
        spectrum[0] = 1.0
        decay, damping, attack = 0.0, 0.0, 0.008
    elif program in range(24, 32):
        spectrum = np.abs(np.sin(np.pi * numbers * generator.uniform(0.12, 0.3))) / numbers**0.7
        decay, damping, attack = generator.uniform(4.0, 8.0), generator.uniform(0.5, 1.0), 0.002
    else:
        spectrum = numbers ** -generator.uniform(0.9, 1.3)
        decay, damping, attack = 0.0, 0.0, 0.05
    return Timbre(
        spectrum=gain * spectrum / np.sqrt(np.square(spectrum).sum()),
        phases=generator.random(len(numbers)),
        decay=float(decay),
        damping=float(damping),
        attack=attack,
        release=0.02,
    )


def _add_notes(signal: NDArray[np.float64], score: Score, part: Part, timbre: Timbre, detuning: float) -> None:
    """Add the notes of a part; notes of one pitch and length are computed once."""
    made: dict[tuple[int, int], NDArray[np.float64]] = {}
    for note in part.notes:
        start, end = score.sample(note.start), score.sample(note.end)
        which = note.key, end - start
        if which not in made:
            made[which] = timbre.note(frequency(note.key, detuning), end - start)
        signal[start:end] += made[which]


def _add_drums(
    signal: NDArray[np.float64], score: Score, part: Part, gain: float, generator: np.random.Generator
) -> None:
    """Add the drums: a falling sine, a noise with a tone, and a short bright noise."""
    time = np.arange(SAMPLE_RATE // 5) / SAMPLE_RATE
    noise = generator.standard_normal((2, len(time)))
    kick = np.sin(2 * np.pi * (50 * time + 70 * 0.02 * (1 - np.exp(-time / 0.02)))) * np.exp(-time / 0.05)
    snare = (0.2 * noise[0] + 0.4 * np.sin(2 * np.pi * 185 * time)) * np.exp(-time / 0.04)
    hat = 0.03 * np.diff(noise[1], n=2, prepend=[0.0, 0.0]) * np.exp(-time / 0.01)
    end = np.minimum(1, (len(time) - np.arange(len(time))) / 160)
    hits = {KICK: kick * end, SNARE: snare * end, HAT: hat * end}
    for note in part.notes:
        start = score.sample(note.start)
        into = signal[start : start + len(time)]
        into += gain * hits[note.key][: len(into)]


def _harmonics(score: Score, timbre: Timbre) -> NDArray[np.float64]:
    """The amplitude of each partial of the bass at each frame's centre: ``(frames, 20)``."""
    amplitudes = np.zeros((frame_count(score.samples), HARMONICS))
    for note in score.bass.notes:
        start, end = score.sample(note.start), score.sample(note.end)
        frames = note_frames(score, note)
        offsets = HOP * np.arange(frames.start, frames.stop) - start
        fades = timbre.fades(end - start)[offsets]
        amplitudes[frames.start : frames.stop] = fades[:, None] * timbre.amplitudes(offsets / SAMPLE_RATE)
    return amplitudes
