"""Sampled basses as targets, additive tones as predictions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from .harmonic_timbre import HarmonicTimbre
from .signals.soundfont import AUTO, BEND_UNIT, find_sound_font, missing, render_note, renderer
from .task import BLOCK, LEVEL, PITCH, Axis, Trials
from .tone import PerturbedPhase

LOWEST_PROGRAM, HIGHEST_PROGRAM = 32, 39
"""The basses of General MIDI, 0-based."""
LOWEST_KEY, HIGHEST_KEY = 24, 60
"""MIDI note numbers: 32.7 to 261.6 Hz."""
FARTHEST_BEND = round(50 / BEND_UNIT)
"""A note is detuned by at most 50 cents."""
A4_KEY, A4 = 69, 440.0


class BassNotes(HarmonicTimbre):
    """Notes of sampled basses against additive tones: the pitch of an instrument.

    Target: a note of a random General MIDI bass (programs 32-39, 0-based), MIDI 24-60, detuned by ±50 cents, its RMS
    over the whole signal made ``A/√2``. Prediction: a tone as in ``harmonic_timbre``. The truth about f0 is the sound
    font's word, so the columns are numeric only.

    Its parameters are those of :class:`~tonedeaf.benchmarks.harmonic.Harmonic`, and

    Args:
        sample_rate: in Hz; a whole number.
        sound_font: path of an ``.sf2`` file; ``auto``: see :mod:`~tonedeaf.benchmarks.signals.soundfont`.

    Raises:
        ValueError: if a parameter is out of its range, or there is no such sound font.
    """

    name: ClassVar[str] = "bass_notes"
    version: ClassVar[int] = 1
    axes: ClassVar[tuple[Axis, ...]] = (replace(PITCH, analytic=False), replace(LEVEL, analytic=False))

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        duration: float = 0.5,
        fmin: float = 30.0,
        fmax: float = 1000.0,
        lowest_level: float = -25.0,
        level_slope: float = 25.0,
        perturbed_phase: PerturbedPhase = "shared",
        n_partials: int = 20,
        sound_font: str = AUTO,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            duration=duration,
            fmin=fmin,
            fmax=fmax,
            lowest_level=lowest_level,
            level_slope=level_slope,
            perturbed_phase=perturbed_phase,
            n_partials=n_partials,
        )
        if sample_rate != round(sample_rate):
            raise ValueError(f"sample_rate of bass_notes must be a whole number (Hz), got {sample_rate:g}")
        self.unavailable = missing(sound_font)
        if not self.unavailable:
            self.sound_font = find_sound_font(sound_font)
            self.materials = {"sound_font_sha256": self.sound_font.sha256, "renderer": renderer()}

    def draw_block(self, generator: torch.Generator) -> Trials:
        """What ``harmonic_timbre`` draws, and a note for each target, which sets its pitch."""
        trials = super().draw_block(generator)

        def integers(low: int, high: int) -> Tensor:
            return torch.randint(low, high + 1, (BLOCK,), generator=generator)

        program = integers(LOWEST_PROGRAM, HIGHEST_PROGRAM)
        key = integers(LOWEST_KEY, HIGHEST_KEY)
        bend = integers(-FARTHEST_BEND, FARTHEST_BEND)
        pitch = 1200 * math.log2(A4) + 100.0 * (key - A4_KEY).double() + BEND_UNIT * bend.double()
        return Trials(
            {**trials.target, "pitch": pitch},
            trials.prediction,
            {**trials.drawn, "program": program, "key": key, "bend": bend},
        )

    def render_target(self, trials: Trials) -> Tensor:
        """The targets: ``(trials, samples)``.

        Raises:
            ImportError: if tinysoundfont or a sound font is missing.
            ValueError: if the sound font has no sound for a note.
        """
        if self.unavailable:
            raise ImportError(self.unavailable)
        notes = [
            torch.tensor(
                render_note(
                    self.sound_font,
                    program=program,
                    key=key,
                    bend=bend,
                    sample_rate=round(self.sample_rate),
                    samples=self.samples,
                ),
                dtype=torch.float64,
            )
            for program, key, bend in zip(
                *(trials.drawn[name].tolist() for name in ("program", "key", "bend")), strict=True
            )
        ]
        wave = torch.stack(notes).to(trials.target["pitch"].device)
        return self.amplitude(trials.target) / 2**0.5 * wave / wave.square().mean(-1, keepdim=True).sqrt()
