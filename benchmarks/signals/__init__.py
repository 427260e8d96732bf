"""Stimuli: oscillators that are exact at any length."""

from .oscillator import cosine

__all__ = ["cosine"]
