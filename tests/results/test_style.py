# pyright: reportUnknownMemberType=false
"""How figures are saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tonedeaf.results.style import new_figure, save_figure


@pytest.mark.parametrize("gradient", [False, True])
def test_pictures_without_gradients_have_a_palette(gradient: bool, tmp_path: Path):
    """Which makes them a third as large; where there are few colours, not one is another."""
    figure = new_figure(2.0, 1.0)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    if gradient:
        axes.imshow(np.linspace(0, 1, 1000).reshape(1, -1), aspect="auto")
    else:
        axes.axvspan(0.0, 0.5, color="#123456", lw=0)
        axes.axvspan(0.5, 1.0, color="#d55e00", lw=0)
        axes.set_xlim(0.0, 1.0)
    png, _ = save_figure(figure, tmp_path / "picture")
    with Image.open(png) as picture:
        assert picture.mode == ("RGBA" if gradient else "P")
        assert picture.size == (480, 240)
        assert picture.info["dpi"] == pytest.approx((240, 240), abs=0.1)
        corners = [picture.convert("RGB").getpixel((x, 120)) for x in (2, 477)]
    if not gradient:
        assert corners == [(0x12, 0x34, 0x56), (0xD5, 0x5E, 0x00)]
