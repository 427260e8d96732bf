"""The renderers, by name."""

from __future__ import annotations

from ..benchmarks.signals.soundfont import AUTO, sound_font_file
from . import fluidsynth_renderer, tinysoundfont_renderer
from .additive_renderer import AdditiveRenderer
from .fluidsynth_renderer import FluidSynthRenderer
from .rendering import Renderer
from .tinysoundfont_renderer import TinySoundFontRenderer

ADDITIVE = "additive"
NAMES = (fluidsynth_renderer.NAME, tinysoundfont_renderer.NAME, ADDITIVE)
"""In the order in which ``auto`` tries them."""


def make_renderer(name: str = AUTO, sound_font: str = AUTO) -> Renderer:
    """A renderer.

    Args:
        name: one of :data:`NAMES`, or ``auto``: the first that can run here.
        sound_font: path of an ``.sf2`` file, for the renderers that play one; ``auto``: ``FluidR3_GM.sf2`` where Debian
            puts it (the paper's), else pretty_midi's ``TimGM6mb.sf2``.

    Raises:
        ValueError: if there is no such renderer or sound font, or a sound font is given to the additive one.
        ImportError: if something that it needs is not installed.
    """
    if name not in (AUTO, *NAMES):
        raise ValueError(f"renderer must be one of {AUTO}, {', '.join(NAMES)}, got {name!r}")
    if name == AUTO:
        name = next(each for each in NAMES if not missing(each, sound_font))
    if name == ADDITIVE:
        if sound_font != AUTO:
            raise ValueError(f"the additive renderer plays no sound font, got {sound_font!r}")
        return AdditiveRenderer()
    if reason := missing(name, sound_font):
        raise ImportError(reason)
    font = sound_font_file(sound_font)
    return FluidSynthRenderer(font) if name == fluidsynth_renderer.NAME else TinySoundFontRenderer(font)


def missing(name: str, sound_font: str = AUTO) -> str:
    """What a renderer misses here, and the command that installs it; empty if nothing."""
    if name == ADDITIVE:
        return ""
    player = fluidsynth_renderer if name == fluidsynth_renderer.NAME else tinysoundfont_renderer
    if reason := player.missing():
        return reason
    if sound_font == AUTO:
        try:
            sound_font_file()
        except ImportError as error:
            return str(error)
    return ""
