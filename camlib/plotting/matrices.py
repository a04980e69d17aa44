"""Small matrices with their numbers in coloured cells, for what is worked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from camlib.plotting.checks import as_numbers
from camlib.plotting.colors import EVIDENCE
from camlib.plotting.drawing import Drawing, written
from camlib.plotting.style import INK, style

_CELL = 0.415  # inches
_LETTER = 0.21  # cells, the width of a sign's letter
_SPACE = 0.45  # cells beside a sign
_EDGE = 0.06  # cells at the right, for the last border


def numbers(
    arrays: Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    signs: Sequence[str] | None = None,
    *,
    peak: float | None = None,
    digits: int | None = None,
    width: float = 7.0,
) -> Drawing:
    """Draw small matrices with their numbers in coloured cells and operators between them.

    Parameters
    ----------
    arrays
        Matrices (h, w), vectors (k,), drawn as one row, or single numbers.
    titles
        One short text above each of them.
    signs
        What stands after each of them: as many as arrays or one fewer, for example
        ``["× 3  +", "× (−1)  =", ""]``.
    peak
        The magnitude that gets EVIDENCE's full orange or blue; by default the largest in
        ``arrays``, so that all share one scale. Larger numbers keep the full colour.
    digits
        Digits after the point; by default as many as a number needs, two at most.
    width
        Inches after which a new row starts.

    Returns
    -------
    Drawing
        A matplotlib figure with one axes.

    Raises
    ------
    TypeError, ValueError
        If there is no array, one is empty, has more than two axes or NaN or infinity in it, the
        counts of titles or signs do not fit, or ``peak`` is not positive.
    """
    tables = [_table(i, array) for i, array in enumerate(arrays)]
    names, between = _texts(len(tables), titles, signs)
    top = max((float(np.abs(table).max()) for table in tables), default=0.0)
    if peak is not None and not (np.isfinite(peak) and peak > 0):
        raise ValueError(
            f"peak: expected a positive number, got {peak!r}. "
            "Leave it out for the largest magnitude in the arrays."
        )
    places, wide, high = _places(tables, names, between, width / _CELL)
    with style():
        figure = Drawing(figsize=(wide * _CELL, high * _CELL), layout=None)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(high, 0))
        axes.set_axis_off()
        for table, name, sign, (x, y) in zip(tables, names, between, places, strict=True):
            _draw(axes, table, (x, y), peak or top or 1.0, digits)
            axes.text(x + table.shape[1] / 2, y - 0.12, name, ha="center", va="bottom")
            middle = x + table.shape[1] + (_SPACE * 2 + _LETTER * len(sign)) / 2
            axes.text(middle, y + table.shape[0] / 2, sign, ha="center", va="center", fontsize=12)
    return figure


def _table(i: int, array: ArrayLike) -> NDArray[np.float64]:
    values = as_numbers(f"arrays[{i}]", array)
    if values.ndim > 2 or values.size == 0:
        raise ValueError(
            f"arrays[{i}]: expected a matrix (h, w), a vector or a number, got shape "
            f"{values.shape}. Take one map, for example maps[0, 0]."
        )
    return np.atleast_2d(values)


def _texts(
    count: int, titles: Sequence[str] | None, signs: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    names = [""] * count if titles is None else list(titles)
    between = [""] * count if signs is None else list(signs)
    if count == 0 or len(names) != count or len(between) not in (count, count - 1):
        raise ValueError(
            f"arrays, titles, signs: expected at least one array, a title for each, and as many "
            f"signs or one fewer, got {count}, {len(names)} and {len(between)}. "
            'Pass "" where nothing is to stand.'
        )
    return names, [*between, ""][:count]


def _places(
    tables: list[NDArray[np.float64]], names: list[str], signs: list[str], room: float
) -> tuple[list[tuple[float, float]], float, float]:
    """Set the tables like words in lines; returns their corners and the whole size, in cells."""
    head = 0.65 if any(names) else 0.1
    rows: list[list[tuple[int, float]]] = [[]]
    x = wide = 0.0
    for i, (table, sign) in enumerate(zip(tables, signs, strict=True)):
        tail = _SPACE * 2 + _LETTER * len(sign) if sign else _SPACE
        if rows[-1] and x + table.shape[1] + (tail if sign else 0) > room:
            rows.append([])
            x = 0.0
        rows[-1].append((i, x))
        wide = max(wide, x + table.shape[1] + (tail if sign else 0.0))
        x += table.shape[1] + tail
    places: list[tuple[float, float]] = [(0.0, 0.0)] * len(tables)
    y = 0.0
    for row in rows:
        tallest = max(tables[i].shape[0] for i, _ in row)
        for i, left in row:
            places[i] = (left, y + head + (tallest - tables[i].shape[0]) / 2)
        y += head + tallest + 0.15
    return places, wide + _EDGE, y


def _draw(
    axes: Axes, table: NDArray[np.float64], corner: tuple[float, float], peak: float,
    digits: int | None,
) -> None:  # fmt: skip
    for (row, column), value in np.ndenumerate(table):
        x, y = corner[0] + column, corner[1] + row
        color = EVIDENCE(0.5 + 0.5 * float(np.clip(value / peak, -1, 1)))
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor=color, edgecolor=INK, linewidth=0.6))
        text = written(value, digits)
        # Near-black letters read on every colour of EVIDENCE (contrast 5.4 : 1 and more).
        size = min(10.0, 44.0 / len(text))
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", color="#111111", fontsize=size)
