"""Rows of pictures with a title above and a number or a caption below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from camlib.plotting.checks import as_picture
from camlib.plotting.drawing import Drawing
from camlib.plotting.style import style

_GAP = 0.12  # inches between two pictures
_LINE = 0.19  # inches for a line of text
_LETTER = 0.088  # inches, the mean width of a letter: where titles break
_MOST_COLUMNS = 5


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
            came = "one string" if isinstance(given, str) else str(len(given))
            raise ValueError(
                f"{name}: expected a list of {count}, one for each picture, got {came}. "
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
    figure = Drawing(figsize=(wide, sum(heights)), layout=None)
    top = sum(heights)
    for row, used in zip(rows, heights, strict=True):
        bottom, left = top - _LINE * _lines(above, row) - tall - 0.04, 0.0
        for i in row:
            _place(figure, images[i], (left, bottom, tall * shapes[i], tall), above[i], below[i])
            left += tall * shapes[i] + _GAP
        top -= used
    return figure


def _place(
    figure: Drawing,
    image: np.ndarray,
    box: tuple[float, float, float, float],
    above: str,
    below: str,
) -> None:
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((box[0] / wide, box[1] / high, box[2] / wide, box[3] / high))
    axes.imshow(image, aspect="auto", interpolation="antialiased")
    axes.set_axis_off()
    axes.set_title(above, pad=3)
    axes.annotate(
        below, (0.5, 0), (0, -3), xycoords="axes fraction", textcoords="offset points",
        ha="center", va="top", fontsize=9,
    )  # fmt: skip
