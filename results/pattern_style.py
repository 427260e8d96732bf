"""How a bass pattern looks in every figure: a colour, a marker, a shade for its region.

Colours are samples of a perceptually uniform map, so they differ in grey as they do in colour; markers differ besides.
"""

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb

from .style import ACCURACY_MAP, FAINT_INK, PAPER

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
_DARKEST, _LIGHTEST = 0.05, 0.9


def pattern_colours(patterns: int) -> list[str]:
    """A colour for each of some patterns, from dark to light, as ``#rrggbb``."""
    if patterns < 2:
        return [to_hex(mpl.colormaps[ACCURACY_MAP](_DARKEST))] * patterns
    step = (_LIGHTEST - _DARKEST) / (patterns - 1)
    return [to_hex(mpl.colormaps[ACCURACY_MAP](_DARKEST + step * place)) for place in range(patterns)]


def pattern_marker(pattern: int) -> str:
    """The marker of a pattern's windows; a cross where it is unknown."""
    return _MARKERS[pattern % len(_MARKERS)] if pattern >= 0 else "x"


def region_colour(colour: str) -> str:
    """The shade of a region whose windows have a colour: light enough for markers to stand out on it."""
    red, green, blue = (0.3 * own + 0.7 * paper for own, paper in zip(to_rgb(colour), to_rgb(PAPER), strict=True))
    return to_hex((red, green, blue))


def pattern_name(pattern: int) -> str:
    """As the paper counts: ``pattern 1`` is number 0."""
    return f"pattern {pattern + 1}" if pattern >= 0 else "pattern unknown"


UNKNOWN_COLOUR = FAINT_INK
"""Of a window whose pattern is not known."""
