# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""How every figure looks, and how it is saved.

Figures are made with matplotlib's object-oriented interface on an Agg canvas, so that drawing needs no display and
leaves no global state behind. Equal figures give equal bytes: no date, no random identifiers, and the one font that
matplotlib itself brings.
"""

import hashlib
import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from .atomic_write import write_atomically

RESOLUTION = 240
"""Of a PNG, in dots per inch."""

_PALETTE = 256
"""Colours of a PNG; lines, marks and text in flat colours have few, so this makes it a third as large."""

INK = "#1a1a1a"
FAINT_INK = "#5f6368"
PAPER = "#ffffff"
NO_DATA = "#eeeeee"

TITLE_SIZE = 11.0
HEADING_SIZE = 9.0
TEXT_SIZE = 8.0
"""Sizes in points, for a figure that is printed as wide as it is drawn."""

ACCURACY_MAP = "viridis"
"""Colour map of shares from 0 to 1: perceptually uniform, lighter for more, legible to the colour-blind."""

DISTANCE_MAP = "cividis"
"""Colour map of distances from 0: perceptually uniform, lighter for further, alike to the colour-blind and in grey."""

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT_SIZE,
    "axes.titlesize": HEADING_SIZE,
    "axes.labelsize": TEXT_SIZE,
    "axes.edgecolor": FAINT_INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": TEXT_SIZE,
    "ytick.labelsize": TEXT_SIZE,
    "legend.fontsize": TEXT_SIZE,
    "legend.frameon": False,
    "text.color": INK,
    "lines.linewidth": 1.4,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",
    "svg.hashsalt": "tonedeaf",
}

_COLOURS = {
    "spectrogram": "#7a7a7a",
    "log_spectrogram": "#b0a8a0",
    "mel": "#e69f00",
    "mfcc": "#b35900",
    "mss": "#0072b2",
    "log_mss": "#56b4e9",
    "log2_spectral_centroid": "#cc79a7",
    "log_spectral_transport": "#009e73",
    "tonedeaf": "#d55e00",
    "harmonic_comb_transport": "#5b2c83",
    "paper": INK,
    "none": FAINT_INK,
}
"""The distances of Table 1, after Okabe & Ito (2008), related ones look related; the suite's own; the baselines of
training."""

_OTHER_COLOURS = (
    "#882255",
    "#332288",
    "#117733",
    "#aa4499",
    "#999933",
    "#44aa99",
    "#cc6677",
    "#6699cc",
    "#661100",
    "#888800",
)
"""For all others, after Paul Tol's muted scheme (2021)."""


def colour(distance: str) -> str:
    """The colour of a distance in every figure, as ``#rrggbb``; it depends on the name only.

    Two distances outside Table 1 may share one, so a figure that shows many labels its lines as well.
    """
    if distance in _COLOURS:
        return _COLOURS[distance]
    number = int.from_bytes(hashlib.sha256(distance.encode()).digest()[:8], "big")
    return _OTHER_COLOURS[number % len(_OTHER_COLOURS)]


def is_landmark(distance: str) -> bool:
    """Whether a distance has a colour of its own: what a reader looks for in a figure of many."""
    return distance in _COLOURS


def shades(distance: str, number: int) -> list[str]:
    """Shades of a distance's colour, from dark to light, as ``#rrggbb``: several lines of one distance in one panel."""
    base = to_rgb(colour(distance))

    def mixed(share: float) -> str:
        end = to_rgb(INK if share < 0 else PAPER)
        red, green, blue = (ours + abs(share) * (theirs - ours) for ours, theirs in zip(base, end, strict=True))
        return to_hex((red, green, blue))

    return [mixed(-0.5 + place / (number - 1)) for place in range(number)] if number > 1 else [mixed(0.0)]


def distance_map() -> Colormap:
    """The colour map of distances, from dark (near) to light (far)."""
    return mpl.colormaps[DISTANCE_MAP]


def accuracy_map() -> Colormap:
    """The colour map of shares from 0 to 1."""
    return mpl.colormaps[ACCURACY_MAP]


def accuracy_colour(share: float) -> str:
    """The colour of a share from 0 to 1, as ``#rrggbb``."""
    return to_hex(accuracy_map()(share))


def ink_on(background: str) -> str:
    """Black or white ink, whichever has the higher contrast on a background given as ``#rrggbb``.

    Source: Web Content Accessibility Guidelines 2.2, relative luminance and contrast ratio.
    """
    channels = [int(background[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in channels]
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    contrast_with_white = 1.05 / (luminance + 0.05)
    contrast_with_black = (luminance + 0.05) / 0.05
    return "#000000" if contrast_with_black >= contrast_with_white else "#ffffff"


@contextmanager
def styled() -> Generator[None]:
    """Within it figures are drawn and saved in the suite's style; afterwards matplotlib's settings are as before."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change a published figure
        settings: Any = mpl.rcParams
        settings.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure on an Agg canvas; draw on it within :func:`styled`.

    Args:
        width: in inches.
        height: in inches.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Save a figure as PNG and SVG; equal figures give equal files.

    Args:
        figure: what was drawn.
        stem: path without a suffix; its folder is created.

    Returns:
        The paths of the PNG and of the SVG.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    with styled():
        write_atomically(png, _png(figure))
        write_atomically(svg, _rendered(figure, "svg", {"Date": None, "Creator": None}))
    return png, svg


def _png(figure: Figure) -> bytes:
    """With a palette, unless there is an image, whose gradients would show steps."""
    drawn = _rendered(figure, "png", {"Software": None})
    if figure.findobj(AxesImage):
        return drawn
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(drawn)) as picture:
        flat = picture.convert("RGB").quantize(_PALETTE, dither=Image.Dither.NONE)
    flat.save(buffer, format="png", optimize=True, dpi=(RESOLUTION, RESOLUTION))
    return buffer.getvalue()


def _rendered(figure: Figure, file_format: str, metadata: dict[str, None]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, dpi=RESOLUTION, metadata=metadata)
    return buffer.getvalue()
