"""Rows of pictures with a title above and a caption below, a colour bar, and the grid of cells."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from camlib.plotting.checks import as_picture
from camlib.plotting.colors import EVIDENCE, colors_between
from camlib.plotting.drawing import Drawing, written
from camlib.plotting.style import style

_GAP = 0.12  # inches between two pictures
_LINE = 0.19  # inches for a line of text
_LETTER = 0.088  # inches, the mean width of a letter: where titles break
_MOST_COLUMNS = 5

AnyFigure = TypeVar("AnyFigure", bound=Figure)


def panels(
    pictures: Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    width: float = 7.0,
    *,
    height: float = 2.4,
) -> Drawing:
    """Draw pictures in rows, with short titles above and numbers or captions below.

    Parameters
    ----------
    pictures
        Arrays (H, W, 3), uint8 or float in [0, 1]; small ones, such as a coloured 7×7 map, keep
        their square cells. All get one height.
    titles, captions
        One text for each picture, broken into lines as wide as the picture.
    columns
        Pictures in a row, by default up to five.
    width, height
        The whole figure's width and the most that one picture's height may be, in inches.

    Returns
    -------
    Drawing
        A matplotlib figure; ``figure.axes[i]`` holds picture i, ready for :func:`cells`.

    Raises
    ------
    TypeError, ValueError
        If there is no picture, one of them is no picture, or there are not as many titles,
        captions as pictures, or columns, width or height is not positive.
    """
    images = [as_picture(f"pictures[{i}]", picture) for i, picture in enumerate(pictures)]
    _check_counts(len(images), titles, captions)
    if columns is None:
        columns = ceil(len(images) / ceil(len(images) / _MOST_COLUMNS))
    if columns < 1 or width <= 0 or height <= 0:
        raise ValueError(
            f"columns, width, height: expected positive numbers, got {columns}, {width}, {height}. "
            "Leave them out for the book's usual size."
        )
    rows = [range(i, min(i + columns, len(images))) for i in range(0, len(images), columns)]
    shapes = [image.shape[1] / image.shape[0] for image in images]
    room = min((width - _GAP * (len(row) - 1)) / sum(shapes[i] for i in row) for row in rows)
    tall = min(height, room)
    above = _broken(titles, shapes, tall)
    below = _broken(captions, shapes, tall)
    with style():
        return _drawn(images, rows, above, below, tall)


def _check_counts(count: int, *texts: Sequence[str] | None) -> None:
    if count == 0:
        raise ValueError("pictures: expected at least one picture, got none. Pass a list of them.")
    for name, given in zip(("titles", "captions"), texts, strict=True):
        if given is not None and (isinstance(given, str) or len(given) != count):
            found = "one string" if isinstance(given, str) else str(len(given))
            raise ValueError(
                f"{name}: expected a list of {count}, one for each picture, got {found}. "
                'Pass "" where there is nothing to say.'
            )


def _broken(texts: Sequence[str] | None, shapes: list[float], tall: float) -> list[str]:
    """Break every text into lines no wider than its picture."""
    wide = [max(6, int(shape * tall / _LETTER)) for shape in shapes]
    return [
        "\n".join(textwrap.fill(line, columns) for line in text.splitlines())
        for text, columns in zip(texts or [""] * len(shapes), wide, strict=True)
    ]


def _lines(texts: list[str], row: range) -> int:
    return max(len(texts[i].splitlines()) for i in row)


def _drawn(
    images: list[np.ndarray], rows: list[range], above: list[str], below: list[str], tall: float
) -> Drawing:
    """Place every picture by hand in inches: nothing depends on a layout engine's guesses."""
    heights = [tall + _LINE * (_lines(above, row) + _lines(below, row)) + _GAP for row in rows]
    shapes = [image.shape[1] / image.shape[0] for image in images]
    wide = max(tall * sum(shapes[i] for i in row) + _GAP * (len(row) - 1) for row in rows)
    high = top = sum(heights)
    figure = Drawing(figsize=(wide, high), layout=None)
    for row, used in zip(rows, heights, strict=True):
        bottom, left = top - _LINE * _lines(above, row) - tall - 0.04, 0.0
        for i in row:
            across = tall * shapes[i]
            axes = figure.add_axes((left / wide, bottom / high, across / wide, tall / high))
            axes.imshow(images[i], aspect="auto")
            axes.set_axis_off()
            axes.set_title(above[i], pad=3)
            axes.annotate(
                below[i], (0.5, 0), (0, -3), xycoords="axes fraction", textcoords="offset points",
                ha="center", va="top", fontsize=9,
            )  # fmt: skip
            left += across + _GAP
        top -= used
    return figure


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
    colors, low, high = colors_between(colormap, vmin, vmax)
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
        gap = 8 * "\N{NO-BREAK SPACE}"
        sides = f"\N{LEFTWARDS ARROW} against{gap}for \N{RIGHTWARDS ARROW}"
        meaning = label or (sides if colors.name == EVIDENCE.name else "")
        axes.set_xlabel(meaning, fontsize=9, labelpad=1)
    return figure


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
