"""Chapter 8: what maps are worth: the pointing game and MaxBoxAcc."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib import localization
from camlib.localization import Box


def pointing_game(map: Tensor, box: Box) -> bool:
    """Say whether the map's highest value, if it is positive, lies in the box."""
    x0, y0, x1, y1 = box
    inside = torch.zeros_like(map, dtype=torch.bool)
    inside[y0:y1, x0:x1] = True
    return bool(localization.pointing_game(map[None], inside[None])[0])


def _pointed() -> Cases:
    """Answers are yes or no, so that each case belongs to one mistake."""
    spread = torch.tensor([[3.0, 3, 0, 0], [3, 2, 0, 4]])
    against = torch.tensor([[1.0, -9, 1, 0], [0, 0, 0, 4]])
    return {
        "the peak in the box": (torch.tensor([[0.0, 1, 0, 2], [1, 0, 9, 8]]), (2, 1, 4, 2)),
        "the peak just to the right of the box": (torch.tensor([[0.0, 0, 9, 1]]), (0, 0, 2, 1)),
        "much evidence in the box, and the peak outside": (spread, (0, 0, 2, 2)),
        "strong evidence against in the box": (against, (1, 0, 2, 1)),
        "a map without a positive value": (torch.tensor([[-5.0, -1, -3]]), (1, 0, 2, 1)),
    }


def _peak(map: Tensor) -> tuple[int, int]:
    row, column = divmod(int(map.argmax()), map.shape[1])
    return row, column


def _at(place: tuple[int, int], box: Box, beyond: int = 0) -> bool:
    """Whether a place (row, column) lies in a box that reaches so much further."""
    return box[0] <= place[1] < box[2] + beyond and box[1] <= place[0] < box[3] + beyond


def _mostly_inside(map: Tensor, box: Box) -> bool:
    x0, y0, x1, y1 = box
    evidence = map.relu()
    return bool(evidence[y0:y1, x0:x1].sum() > evidence.sum() / 2)


def max_box_acc(maps: Tensor, boxes: Sequence[Box], thresholds: Sequence[float]) -> float:
    """Return the share of hits at the threshold that makes it largest."""
    return localization.max_box_acc(maps, boxes, thresholds=thresholds).best


def _measured() -> Cases:
    rows = [[9.0, 9, 4, 4, 4, 0], [9, 4, 4, 4, 0, 0], [9, 4, 4, 0, 0, 0]]
    three = torch.tensor(rows)[:, None]
    silent = torch.tensor([[[3.0, 3, 0, 0]], [[-2.0, -1, -2, -2]]])
    return {
        "two maps, one threshold: one box is right, the other is not": (
            three[:2],
            [(0, 0, 2, 1), (0, 0, 4, 1)],
            (0.6,),
        ),
        "two thresholds, of which each suits other maps": (
            three,
            [(0, 0, 2, 1), (0, 0, 4, 1), (0, 0, 3, 1)],
            (0.2, 0.6),
        ),
        "an IoU of exactly one half": (three[:1], [(0, 0, 4, 1)], (0.6,)),
        "a map without a positive value: no box, and a miss": (
            silent,
            [(0, 0, 2, 1), (1, 0, 2, 1)],
            (0.5,),
        ),
    }


def _reached(maps: Tensor, boxes: Sequence[Box], thresholds: Sequence[float]) -> np.ndarray:
    """The IoU of each map at each threshold."""
    both = zip(maps, boxes, strict=True)
    return np.array([localization.best_ious(map, box, thresholds)[0] for map, box in both])


def _counted(count: Callable[[np.ndarray], float]) -> Callable[..., float]:
    """Make another number of the same IoUs, a row for each map, a column for each threshold."""
    return lambda maps, boxes, thresholds: float(count(_reached(maps, boxes, thresholds)))


def _best_threshold(maps: Tensor, boxes: Sequence[Box], thresholds: Sequence[float]) -> float:
    return localization.max_box_acc(maps, boxes, thresholds=thresholds).best_threshold


def _without_the_silent(maps: Tensor, boxes: Sequence[Box], thresholds: Sequence[float]) -> float:
    kept = [i for i, map in enumerate(maps) if map.max() > 0]
    return max_box_acc(maps[kept], [boxes[i] for i in kept], thresholds)


EXERCISES = (
    Exercise(
        "pointing_game",
        pointing_game,
        _pointed,
        {
            "you compared the row with x and the column with y. x counts columns, y counts rows.": (
                lambda map, box: _at(_peak(map)[::-1], box)
            ),
            "you let a map point that has no positive value. Its least bad place is no evidence.": (
                lambda map, box: _at(_peak(map), box)
            ),
            "you let the last column or row count as inside: boxes are half-open, x < x1.": (
                lambda map, box: _at(_peak(map), box, beyond=1)
            ),
            "you asked where most of the evidence lies (that is the energy). The pointing game "
            "asks for the highest value alone.": _mostly_inside,
            "you took the largest magnitude. A strongly negative cell speaks against the class "
            "and is no peak.": lambda map, box: _at(_peak(map.abs()), box),
        },
    ),
    Exercise(
        "max_box_acc",
        max_box_acc,
        _measured,
        {
            "you let each map choose its own threshold. One threshold serves all: take the mean "
            "over the maps first, then the largest.": _counted(
                lambda reached: (reached >= 0.5).any(1).mean()
            ),
            "you averaged the IoUs. Each map is a hit or a miss, from an IoU of one half on.": _counted(
                lambda reached: reached.mean(0).max()
            ),
            "you averaged over the thresholds; take the best one.": _counted(
                lambda reached: (reached >= 0.5).mean()
            ),
            "you left out the map that has no box. It is a miss: leaving out failures makes any "
            "number better.": _without_the_silent,
            "you counted the hits; divide by the number of maps.": _counted(
                lambda reached: (reached >= 0.5).sum(0).max()
            ),
            "an IoU of exactly one half is a hit, too: ≥ instead of >.": _counted(
                lambda reached: (reached > 0.5).mean(0).max()
            ),
            "you returned the best threshold; what is wanted is the share of hits there.": _best_threshold,
        },
    ),
)
