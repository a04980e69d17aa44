"""Chapter 8: boxes, from a mask, from a map, and two of them compared."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise, Mistakes
from camlib.localization import Box, iou
from camlib.regions import region_boxes


def box_from_mask(mask: Tensor) -> Box:
    """Draw the half-open box around all true cells."""
    rows, columns = mask.nonzero(as_tuple=True)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _masks() -> Cases:
    single, corner, bent, parts = (
        torch.zeros(size, dtype=torch.bool) for size in ((3, 4), (2, 3), (4, 5), (3, 5))
    )
    single[1, 2] = corner[1, 2] = corner[0, 2] = True
    bent[0, 2:4] = bent[1:3, 1] = True
    parts[0, 3] = parts[2, 1] = True
    return {
        "a single cell": (single,),
        "cells that touch the border": (corner,),
        "a bent region: its first cell is not its leftmost": (bent,),
        "two parts, and one box around both": (parts,),
    }


def _first_to_last(mask: Tensor) -> Box:
    """The first and the last true cell in reading order, as if they were corners."""
    (y0, x0), (y1, x1) = mask.nonzero()[[0, -1]].tolist()
    return x0, y0, x1 + 1, y1 + 1


def _closed(box: Box) -> Box:
    return box[0], box[1], box[2] - 1, box[3] - 1


def _rows_first(box: Box) -> Box:
    return box[1], box[0], box[3], box[2]


def _sized(box: Box) -> Box:
    return box[0], box[1], box[2] - box[0], box[3] - box[1]


def _sides_together(box: Box) -> Box:
    return box[0], box[2], box[1], box[3]


def _written(how: Callable[[Box], Box], of: Callable[..., Box]) -> Callable[..., Box]:
    """Write the right box in another way."""
    return lambda *arguments: how(of(*arguments))


def box_notations(of: Callable[..., Box]) -> Mistakes:
    """The mistakes that a box is written with, wherever it comes from."""
    return {
        "you gave the last column and row that are in the box. Boxes are half-open: x1 and y1 "
        "lie outside, one further.": _written(_closed, of),
        "you exchanged x and y. A tensor's index is (row, column), a box is (x0, y0, x1, y1): "
        "columns first.": _written(_rows_first, of),
        "you gave width and height in the last two places; x1 and y1 belong there.": _written(
            _sized, of
        ),
        "you wrote x0, x1, y0, y1; the order is x0, y0, x1, y1, one corner after the other.": _written(
            _sides_together, of
        ),
    }


def _pairs() -> Cases:
    return {
        "the two boxes of the text, A and B": ((0, 0, 3, 3), (1, 1, 4, 3)),
        "one box inside the other": ((1, 1, 3, 2), (0, 0, 4, 5)),
        "two boxes side by side, with a gap": ((0, 0, 2, 2), (3, 0, 5, 2)),
        "two boxes apart in both directions": ((0, 0, 2, 2), (4, 5, 6, 7)),
        "the same box twice": ((2, 1, 5, 3), (2, 1, 5, 3)),
    }


def _sides(a: Box, b: Box) -> tuple[int, int]:
    """Width and height of what both cover; negative where they are apart."""
    return min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _both(a: Box, b: Box) -> int:
    width, height = _sides(a, b)
    return max(width, 0) * max(height, 0)


def _unclipped(a: Box, b: Box) -> float:
    width, height = _sides(a, b)
    return width * height / (_area(a) + _area(b) - width * height)


def _inclusive(a: Box, b: Box) -> float:
    wider = [(x0, y0, x1 + 1, y1 + 1) for x0, y0, x1, y1 in (a, b)]
    return float(iou(*wider))


def _distances(a: Box, b: Box) -> float:
    width, height = _sides(a, b)
    return abs(width * height) / (_area(a) + _area(b) - abs(width * height))


def _hull(a: Box, b: Box) -> float:
    width = max(a[2], b[2]) - min(a[0], b[0])
    return _both(a, b) / (width * (max(a[3], b[3]) - min(a[1], b[1])))


def _from_sizes(a: Box, b: Box) -> float:
    whole = [(x, y, x + width, y + height) for x, y, width, height in (a, b)]
    return float(iou(*whole))


EXERCISES = (
    Exercise(
        "box_from_mask",
        box_from_mask,
        _masks,
        {
            **box_notations(box_from_mask),
            "you took the first and the last true cell for corners. They come row by row, so "
            "the leftmost column may lie in any row: take the smallest and the largest of each.": _first_to_last,
            "you drew the box around the largest part alone; a mask's box holds all of it.": (
                lambda mask: tuple(region_boxes(mask)[0].tolist())
            ),
        },
    ),
    Exercise(
        "iou",
        lambda a, b: float(iou(a, b)),
        _pairs,
        {
            "you counted the last column and row twice: boxes are half-open, so the width is "
            "x1 − x0, without a 1.": _inclusive,
            "you divided by the sum of the two areas. It counts what both cover twice: take "
            "the intersection away once.": lambda a, b: _both(a, b) / (_area(a) + _area(b)),
            "you doubled the intersection and divided by the sum of the areas. That is the Dice "
            "coefficient, a relative of the IoU.": (
                lambda a, b: 2 * _both(a, b) / (_area(a) + _area(b))
            ),
            "you divided by the area of one box; the union holds what either of them covers.": (
                lambda a, b: _both(a, b) / _area(a),
                lambda a, b: _both(a, b) / _area(b),
            ),
            "you divided by the box around both. The union is smaller: its corners are missing.": _hull,
            "you returned the intersection; divide it by the union.": _both,
            "you read the last two numbers as width and height; they are x1 and y1.": _from_sizes,
            "you multiplied two negative sides, which looks like an overlap. Where boxes are "
            "apart, width or height comes out below 0: count it as 0.": _unclipped,
            "you took a distance for an overlap (abs). Where boxes are apart, the width of what "
            "they share is 0.": _distances,
        },
    ),
)
