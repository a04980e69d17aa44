"""Assignment 3, from map to box: masks, and two boxes."""

from __future__ import annotations

import torch
from scipy import ndimage
from torch import Tensor

from camlib.checks.exercise import Case, Exercise, Mistake
from camlib.localization import Box, iou


def mask_box(mask: Tensor) -> Box:
    """The box around the true cells of a mask."""
    rows, columns = (axis.tolist() for axis in mask.nonzero(as_tuple=True))
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1


def _swapped(box: Box) -> Box:
    return box[1], box[0], box[3], box[2]


def one_less(box: Box) -> Box:
    """The same cells, their last column and row counted in."""
    return box[0], box[1], box[2] - 1, box[3] - 1


def _with_size(box: Box) -> Box:
    return box[0], box[1], box[2] - box[0], box[3] - box[1]


def _masks() -> tuple[Case, ...]:
    one, two, single = (torch.zeros(4, 6, dtype=torch.bool) for _ in range(3))
    one[1:3, 2:5] = True
    two[0, 1:3], two[3, 5] = True, True
    single[2, 3] = True
    return (
        Case("one block of cells", (one,)),
        Case("two places that do not touch", (two,)),
        Case("a single cell", (single,)),
    )


def _overlap(a: Box, b: Box, *, one: int = 0, uncut: bool = False) -> tuple[int, int, int]:
    """The cells that both boxes share, and those of each; ``one`` more in every length."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) + one for i in (0, 1))
    both = width * height if uncut else max(width, 0) * max(height, 0)
    first, second = ((x1 - x0 + one) * (y1 - y0 + one) for x0, y0, x1, y1 in (a, b))
    return both, first, second


def _over_union(both: int, first: int, second: int) -> float:
    return both / (first + second - both)


def _two_boxes() -> tuple[Case, ...]:
    return (
        Case("two boxes that overlap", ((0, 0, 4, 3), (1, 1, 6, 3))),
        Case("one box inside another", ((0, 0, 5, 4), (1, 1, 3, 3))),
        Case("apart to the right and down", ((0, 0, 2, 2), (4, 3, 6, 6))),
        Case("side by side", ((0, 0, 2, 2), (2, 0, 4, 2))),
    )


EXERCISES = (
    Exercise(
        "mask_box",
        mask_box,
        _masks,
        (
            Mistake(
                "the last two numbers lie outside the box: one more than the last column and row.",
                lambda mask: one_less(mask_box(mask)),
            ),
            Mistake(
                "you put rows first; a box names columns first: (x0, y0, x1, y1).",
                lambda mask: _swapped(mask_box(mask)),
            ),
            Mistake(
                "you gave width and height; the last two numbers are where the box ends.",
                lambda mask: _with_size(mask_box(mask)),
            ),
            Mistake(
                "you took one connected place; the box holds all true cells.",
                lambda mask: mask_box(torch.from_numpy(ndimage.label(mask.numpy())[0] == 1)),
            ),
        ),
    ),
    Exercise(
        "box_iou",
        lambda a, b: float(iou(a, b)),
        _two_boxes,
        (
            Mistake(
                "you divided by both areas added up; shared cells count only once.",
                lambda a, b: _overlap(a, b)[0] / sum(_overlap(a, b)[1:]),
            ),
            Mistake(
                "you made every length one longer; these boxes end before their last numbers.",
                lambda a, b: _over_union(*_overlap(a, b, one=1)),
            ),
            Mistake(
                "you divided by the area of the smaller box; the union is asked for.",
                lambda a, b: _overlap(a, b)[0] / min(_overlap(a, b)[1:]),
            ),
            Mistake(
                "you did not set negative lengths to 0; two of them make a positive area.",
                lambda a, b: _over_union(*_overlap(a, b, uncut=True)),
            ),
        ),
    ),
)
