# pyright: reportUnknownMemberType=false
# (matplotlib leaves its keyword arguments untyped)
"""What the bass plays where in the latent plane: the pitch of generated bass tracks relative to a reference.

After Figure 8 of Grachten, Lattner & Deruty 2020: a panel for each point of a grid, laid out as the plane is; above 0
is played more often than in the data, below less often. The paper's reference is the f0 of the mix.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .bassnet_evaluation import size
from .bassnet_relative_pitch import RelativePitch
from .panels import Sizes, small_multiples
from .style import FAINT_INK, INK, NO_DATA, TEXT_SIZE, styled

_MORE, _LESS = "#1f4e79", "#e0a458"
"""Dark and light: told apart in grey, and by the side of the axis they are on."""

_SIZES = Sizes(panel=(1.38, 0.82), left=0.58, between=0.2, right=0.2, above=0.22, below=0.16)
_OCTAVE = 12


def figure_relative_pitch(found: RelativePitch) -> Figure:
    """Draw the grid; save the figure with :func:`tonedeaf.results.style.save_figure`.

    Args:
        found: what was generated.
    """
    difference = found.shares - found.data_shares
    limit = 1.15 * float(np.abs(difference).max()) or 1.0
    rows, columns = found.z2.size, found.z1.size
    with styled():
        figure, axes = small_multiples(
            rows, columns, _SIZES, title="What the bass plays across the latent plane", caption=_caption(found)
        )
        for row in range(rows):
            for column in range(columns):
                panel = axes[rows - 1 - row][column]  # z2 grows upwards
                _draw(panel, found.intervals, difference[row, column], limit)
                panel.set_title(
                    f"({found.z1[column]:.2f}, {found.z2[row]:.2f})".replace("-", "−"),
                    fontsize=TEXT_SIZE - 1,
                    color=INK,
                    pad=2,
                )
                _label(panel, left=column == 0, below=row == 0)
    return figure


def _draw(axes: Axes, intervals: np.ndarray, difference: np.ndarray, limit: float) -> None:
    octaves = intervals[intervals % _OCTAVE == 0]
    for octave in octaves:
        axes.axvspan(float(octave) - 0.5, float(octave) + 0.5, color=NO_DATA, lw=0, zorder=0)
    axes.bar(intervals, difference, width=0.85, color=[_MORE if each > 0 else _LESS for each in difference], zorder=2)
    axes.axhline(0, color=FAINT_INK, lw=0.5, zorder=3)
    axes.set_xlim(float(intervals[0]) - 0.7, float(intervals[-1]) + 0.7)
    axes.set_ylim(-limit, limit)
    axes.set_xticks(octaves)
    axes.tick_params(length=2, width=0.5, pad=1.5, labelsize=TEXT_SIZE - 1)


def _label(axes: Axes, *, left: bool, below: bool) -> None:
    if left:
        axes.set_ylabel("share − data", labelpad=1, fontsize=TEXT_SIZE - 1)
    else:
        axes.set_yticklabels([])
    if below:
        axes.set_xticks(axes.get_xticks(), [f"{int(each)}".replace("-", "−") for each in axes.get_xticks()])
    else:
        axes.set_xticklabels([])


def _caption(found: RelativePitch) -> str:
    params = found.record.task.params
    return (
        f"Semitones from {found.reference} (at 0; octaves are shaded) to the generated bass, {found.seconds:g} s for "
        "each point z = (z1, z2) of the latent plane; z grows to the right and upwards. Bars: share of the voiced "
        "frames, minus the share in the dataset's own bass (whole songs). The paper's Figure 8 is of recordings, "
        f"relative to the f0 of the mix, and from a 10/80 model; this is a {size(found.record)} model of "
        f"{params['dataset']} (rendered by {params['renderer']}), seed {found.record.seed}."
    )
