"""The table of tasks: a name, and where its class is."""

from __future__ import annotations

TASKS: dict[str, str] = {
    "sines": ".sines:Sines",
    "sines_noise": ".sines_noise:SinesNoise",
    "harmonic": ".harmonic:Harmonic",
    "harmonic_timbre": ".harmonic_timbre:HarmonicTimbre",
    "missing_fundamental": ".missing_fundamental:MissingFundamental",
    "odd_emphasis": ".odd_emphasis:OddEmphasis",
    "inharmonic": ".inharmonic:Inharmonic",
    "harmonic_noise": ".harmonic_noise:HarmonicNoise",
    "vibrato": ".vibrato:Vibrato",
    "bass_notes": ".bass_notes:BassNotes",
    "in_mix": ".in_mix:InMix",
    "tilt": ".tilt:Tilt",
}
"""Name to ``module:Class``; a module that starts with a dot is in this package. Together, in this order: the ladder."""
