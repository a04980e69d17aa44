"""What is added to a row of pictures: the colour bar, the grid of cells."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from camlib.plotting.colors import EVIDENCE, colormap_named, value_range
from camlib.plotting.drawing import written
from camlib.plotting.style import style

AnyFigure = TypeVar("AnyFigure", bound=Figure)


def colorbar(
    figure: AnyFigure,
    colormap: str | Colormap = EVIDENCE,
    vmin: float | None = None,
    vmax: float = 1.0,
    label: str | None = None,
) -> AnyFigure:
    """Add a colour bar below the pictures of :func:`panels` and return the figure.

    The bar shows which colour is which number: its ends are ``vmin`` (by default -vmax for
    EVIDENCE, which is labelled "against" and "for", and 0 for every other colour map) and
    ``vmax``, for example the peak that the maps were divided by.

    Raises
    ------
    ValueError
        If there is no colour map of that name or vmin is not below vmax.
    """
    colors = colormap_named(colormap)
    low, high = value_range(colors, vmin, vmax)
    _grow(figure, 0.62)
    wide, tall = figure.get_size_inches()
    length = min(0.8 * wide, 3.2)
    with style():
        axes = figure.add_axes(
            (0.5 - length / 2 / wide, 0.44 / tall, length / wide, 0.11 / tall), label="colorbar"
        )
        bar = figure.colorbar(ScalarMappable(Normalize(low, high), colors), axes, None,
                              orientation="horizontal")  # fmt: skip
        bar.outline.set_visible(False)
        ticks = sorted({low, 0.0 if low < 0 < high else (low + high) / 2, high})
        bar.set_ticks(ticks, labels=[written(tick) for tick in ticks])
        axes.tick_params(length=0, pad=2)
        axes.set_xlabel(label or _meaning(colors), fontsize=9, labelpad=1)
    return figure


def _meaning(colors: Colormap) -> str:
    against_for = "\N{LEFTWARDS ARROW} against        for \N{RIGHTWARDS ARROW}"
    return against_for if colors.name == EVIDENCE.name else ""


def _grow(figure: Figure, inches: float) -> None:
    """Make room at the foot of the figure; what is in it keeps its size."""
    wide, tall = figure.get_size_inches()
    boxes = [axes.get_position().bounds for axes in figure.axes]
    figure.set_size_inches(wide, tall + inches)
    for axes, (left, bottom, across, up) in zip(figure.axes, boxes, strict=True):
        new = tall + inches
        axes.set_position((left, (bottom * tall + inches) / new, across, up * tall / new))


def cells(axes: Axes, shape: tuple[int, int], *, marked: tuple[int, int] | None = None) -> None:
    """Draw the thin grid of h×w cells over a picture, and a frame around the cell ``marked``.

    Parameters
    ----------
    axes
        The axes that show the picture, for example ``panels([picture]).axes[0]``.
    shape
        (h, w), how many cells there are down and across.
    marked
        (row, column) of a cell to frame, counted from 0 at the top left.

    Raises
    ------
    ValueError
        If the axes show no picture, ``shape`` is not positive or ``marked`` lies outside it.
    """
    rows, columns = shape
    if rows < 1 or columns < 1 or not axes.images:
        raise ValueError(
            f"axes, shape: expected axes with a picture and (h, w) of at least (1, 1), got "
            f"{len(axes.images)} pictures and {tuple(shape)}. Pass panels([picture]).axes[0]."
        )
    if marked and not (0 <= marked[0] < rows and 0 <= marked[1] < columns):
        raise ValueError(
            f"marked: expected a cell (row, column) of {rows} by {columns}, counted from 0, got "
            f"{tuple(marked)}. The last one is ({rows - 1}, {columns - 1})."
        )
    left, right, bottom, top = axes.images[0].get_extent()
    ys, xs = np.linspace(top, bottom, rows + 1), np.linspace(left, right, columns + 1)
    # White over a darker line: one of the two is seen on any picture.
    for color, thickness in (("black", 1.4), ("white", 0.6)):
        look: dict[str, Any] = {"colors": color, "linewidths": thickness, "alpha": 0.55}
        axes.hlines(ys[1:-1], left, right, **look)
        axes.vlines(xs[1:-1], top, bottom, **look)
    if marked:
        corner, size = (xs[marked[1]], ys[marked[0]]), (xs[1] - xs[0], ys[1] - ys[0])
        for color, thickness in (("black", 3.4), ("white", 1.8)):
            axes.add_patch(Rectangle(corner, *size, fill=False, ec=color, lw=thickness, zorder=3))
