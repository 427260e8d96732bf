"""Stimuli: tones that are exact at any length, noise, and sampled instruments."""

from .additive import harmonics_along, partials
from .noise import draw_noise_seeds, white_noise
from .oscillator import cosine
from .vibrato import vibrato_time

__all__ = ["cosine", "draw_noise_seeds", "harmonics_along", "partials", "vibrato_time", "white_noise"]
