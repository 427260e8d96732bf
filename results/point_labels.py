# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""Names beside points, where they cover neither a point nor each other; a name that finds no place is left out."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from .style import INK, PAPER, TEXT_SIZE

_OFFSETS = (
    (6, 0, "left", "center"),
    (-6, 0, "right", "center"),
    (0, 6, "center", "bottom"),
    (0, -6, "center", "top"),
    (5, 5, "left", "bottom"),
    (5, -5, "left", "top"),
    (-5, 5, "right", "bottom"),
    (-5, -5, "right", "top"),
)
"""Where a name may stand, in points from its point."""
_POINT = 4.0
"""Half the side of the square around a point that stays free, in points."""


def label_points(axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """Write names beside points; the first ones choose first.

    Args:
        axes: with their final limits, scales and position.
        points: in data coordinates.
        names: one for each point.

    Returns:
        The names that found a place.
    """
    figure = axes.get_figure()
    assert figure is not None
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    size = _POINT * figure.dpi / 72
    centres = [axes.transData.transform(point) for point in points]
    taken = [Bbox.from_extents(x - size, y - size, x + size, y + size) for x, y in centres]
    frame = axes.get_window_extent(renderer)
    written: list[str] = []
    for number, (point, name) in enumerate(zip(points, names, strict=True)):
        others = [box for place, box in enumerate(taken) if place != number]
        for x, y, horizontal, vertical in _OFFSETS:
            text = axes.annotate(
                name,
                point,
                (x, y),
                textcoords="offset points",
                ha=horizontal,
                va=vertical,
                fontsize=TEXT_SIZE - 0.5,
                color=INK,
                path_effects=[withStroke(linewidth=1.8, foreground=PAPER)],
                zorder=6,
            )
            box = text.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in others):
                taken.append(box)
                written.append(name)
                break
            text.remove()
    return written
