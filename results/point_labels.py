# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Names beside points, where they cover neither a point nor each other.

A name stands at its point if there is room, else further away at the end of a line; one that finds no place at all is
left out.
"""

from collections.abc import Sequence
from itertools import product

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from .style import FAINT_INK, INK, PAPER, TEXT_SIZE

_DIRECTIONS = (
    (1.0, 0.0, "left", "center"),
    (-1.0, 0.0, "right", "center"),
    (0.0, 1.0, "center", "bottom"),
    (0.0, -1.0, "center", "top"),
    (0.8, 0.8, "left", "bottom"),
    (0.8, -0.8, "left", "top"),
    (-0.8, 0.8, "right", "bottom"),
    (-0.8, -0.8, "right", "top"),
    (0.4, 1.0, "left", "bottom"),
    (0.4, -1.0, "left", "top"),
    (-0.4, 1.0, "right", "bottom"),
    (-0.4, -1.0, "right", "top"),
)
"""Where a name may stand, seen from its point, and which of its sides is turned to it."""
_NEAR = 6.0
"""How far from its point a name stands that needs no line, in points."""
_FAR = (14.0, 22.0, 30.0, 40.0, 50.0)
"""How far it may stand at the end of one."""
_POINT = 4.0
"""Half the side of the square around a point that stays free, in points."""
_LINE = {"arrowstyle": "-", "lw": 0.5, "color": FAINT_INK, "shrinkA": 0.0, "shrinkB": 3.0}
"""From a name that stands apart to its point."""


def label_points(
    axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str], lines: Sequence[Line2D] = ()
) -> list[str]:
    """Write names beside points; the first ones choose first.

    Args:
        axes: with their final limits, scales and position.
        points: in data coordinates; those beyond the names have none, and stay free like the others.
        names: of the first points.
        lines: that no name may cover.

    Returns:
        The names that found a place.

    Raises:
        ValueError: if there are more names than points.
    """
    if len(names) > len(points):
        raise ValueError(f"there are {len(names)} names, but {len(points)} points")
    figure = axes.get_figure()
    assert figure is not None
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    size = _POINT * figure.dpi / 72
    centres = [axes.transData.transform(point) for point in points]
    taken = [Bbox.from_extents(x - size, y - size, x + size, y + size) for x, y in centres]
    frame = axes.get_window_extent(renderer)
    drawn = [line.get_path().transformed(line.get_transform()) for line in lines]
    written: list[str] = []
    for number, (point, name) in enumerate(zip(points, names, strict=False)):
        others = [box for place, box in enumerate(taken) if place != number]
        for distance, (x, y, horizontal, vertical) in product((_NEAR, *_FAR), _DIRECTIONS):
            text = axes.annotate(
                name,
                point,
                (distance * x, distance * y),
                textcoords="offset points",
                ha=horizontal,
                va=vertical,
                fontsize=TEXT_SIZE - 0.5,
                color=INK,
                path_effects=[withStroke(linewidth=1.8, foreground=PAPER)],
                arrowprops=None if distance == _NEAR else _LINE,
                zorder=6,
            )
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer)  # of the words alone, without the line
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            covers = any(box.overlaps(other) for other in others) or any(
                path.intersects_bbox(box, filled=False) for path in drawn
            )
            if inside and not covers:
                taken.append(box)
                written.append(name)
                break
            text.remove()
    return written
