"""Chapter 8: from a map to its box, and a map moved."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camcourse.checks.exercises.chapter08 import box_notations
from camlib.localization import Box, box_from_map
from camlib.regions import region_boxes


def _maps() -> Cases:
    two = [[0.0, 9, 0, 0, 0], [0, 8, 0, 5, 4], [0, 0, 0, 4, 5]]
    slanted = [[0.0, 0, 6, 0, 0], [0, 5, 0, 0, 10], [4, 0, 0, 0, 9]]
    return {
        "one region": (torch.tensor([[0.0, 0, 8, 10, 1], [0, 0, 6, 0, 0]]), 0.5),
        "two regions; the maximum lies in the smaller one": (torch.tensor(two), 0.3),
        "cells that touch at a corner": (torch.tensor(slanted), 0.3),
        "a map with negative values": (torch.tensor([[-10.0, 1, 2, 10, 8, -5]]), 0.25),
        "a cell that is just the threshold": (torch.tensor([[2.0, 4, 3, 1]]), 0.5),
    }


def _largest(mask: Tensor) -> Box:
    x0, y0, x1, y1 = region_boxes(mask)[0].tolist()
    return x0, y0, x1, y1


def _around_all(map: Tensor, threshold: float) -> Box:
    rows, columns = (map > threshold * map.max()).nonzero(as_tuple=True)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _around_the_maximum(map: Tensor, threshold: float) -> Box:
    regions, _ = ndimage.label((map > threshold * map.max()).numpy(), structure=np.ones((3, 3)))
    return _largest(torch.from_numpy(regions == regions.flat[int(map.argmax())]))


def _sides_only(map: Tensor, threshold: float) -> Box:
    regions, _ = ndimage.label((map > threshold * map.max()).numpy())
    return _largest(torch.from_numpy(regions == np.bincount(regions.ravel())[1:].argmax() + 1))


def shifted(maps: Tensor, dx: int, dy: int) -> Tensor:
    """Move maps to the right and down; zeros come in from outside."""
    height, width = maps.shape[-2:]
    moved = torch.zeros_like(maps)
    for y in range(max(0, dy), min(height, height + dy)):
        for x in range(max(0, dx), min(width, width + dx)):
            moved[..., y, x] = maps[..., y - dy, x - dx]
    return moved


def _steps() -> Cases:
    two = torch.arange(1.0, 13).reshape(2, 2, 3)
    return {
        "one step to the right": (two[:1], 1, 0),
        "one step up": (two[:1], 0, -1),
        "two maps, to the left and down": (two, -2, 1),
        "no step at all": (two, 0, 0),
    }


def _edge_repeated(maps: Tensor, dx: int, dy: int) -> Tensor:
    height, width = maps.shape[-2:]
    rows = (torch.arange(height) - dy).clamp(0, height - 1)
    return maps[..., rows, :][..., (torch.arange(width) - dx).clamp(0, width - 1)]


EXERCISES = (
    Exercise(
        "box_from_map",
        box_from_map,
        _maps,
        {
            **box_notations(box_from_map),
            "you drew the box around all places above the threshold; take the largest connected "
            "region alone.": _around_all,
            "you let cells touch at their sides only. Those that touch at a corner belong "
            "together, too.": _sides_only,
            "you took the region with the highest value. It need not be the largest one.": _around_the_maximum,
            "you stretched the map from 0 to 1 before you cut it. That moves its zero; compare "
            "the raw values with a part of the maximum.": (
                lambda map, threshold: _largest(
                    (map - map.min()) / (map.max() - map.min()) > threshold
                )
            ),
            "you used the threshold as a value. It is a part of the map's maximum: multiply.": (
                lambda map, threshold: _largest(map > threshold)
            ),
            "you kept the places at the threshold as well; only what lies above it counts.": (
                lambda map, threshold: _largest(map >= threshold * map.max())
            ),
        },
    ),
    Exercise(
        "shifted",
        shifted,
        _steps,
        {
            "you let what leaves on one side come back on the other, as torch.roll does. Zeros "
            "come in from outside.": lambda maps, dx, dy: maps.roll((dy, dx), (-2, -1)),
            "you exchanged the axes: dx moves columns, the last axis, and dy moves rows.": (
                lambda maps, dx, dy: shifted(maps, dy, dx)
            ),
            "you moved the maps the other way: what is at x goes to x + dx.": (
                lambda maps, dx, dy: shifted(maps, -dx, -dy)
            ),
            "you repeated the values at the border; zeros come in from outside.": _edge_repeated,
        },
    ),
)
