"""Assignment 3, from map to box: the largest region, and MaxBoxAcc."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from camlib.checks.exercise import Case, Exercise, Mistake
from camlib.checks.exercises.assignment3_boxes import mask_box, one_less
from camlib.localization import Box, box_from_map

_TOUCHING = np.ones((3, 3), dtype=int)  # at a side or a corner
_SIDES = ndimage.generate_binary_structure(2, 1)


def _region(kept: Tensor, structure: np.ndarray = _TOUCHING, *, by_box: bool = False) -> Box:
    """The box around the region with the most cells, or with the largest box."""
    regions, count = ndimage.label(kept.numpy(), structure)
    masks = [torch.from_numpy(regions == number) for number in range(1, count + 1)]

    def size(mask: Tensor) -> int:
        x0, y0, x1, y1 = mask_box(mask)
        return (x1 - x0) * (y1 - y0) if by_box else int(mask.sum())

    return mask_box(max(masks, key=size))


def _around_the_peak(map: Tensor, threshold: float) -> Box:
    regions, _ = ndimage.label(_kept(map, threshold).numpy(), _TOUCHING)
    return mask_box(torch.from_numpy(regions == regions.flat[int(map.argmax())]))


def _kept(map: Tensor, threshold: float) -> Tensor:
    return map > threshold * map.max()


def _stretched(map: Tensor) -> Tensor:
    return (map - map.min()) / (map.max() - map.min())


def _maps() -> tuple[Case, ...]:
    three = [[0.0, 0, 0, 0, 2], [4, 0, 0, 3, 0], [0, 6, 7, 0, 0], [-2, 7, 0, 0, 10]]
    lines = functional.pad(9 * torch.eye(4), (0, 3))
    lines[:2, 5:], lines[2, 5], lines[0, 6] = 6, 6, 9.5
    return (
        Case("a region of three cells, and the highest cell alone", (torch.tensor(three), 0.4)),
        Case("four cells in a slanting line, five in a block", (lines, 0.3)),
        Case("the same map, cut higher", (lines, 0.7)),
    )


def _tables() -> tuple[Case, ...]:
    one = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.2], [0.6, 0.7]])
    two = np.array([[0.5, 0.8], [0.5, 0.1], [0.4, 0.9]])
    return (
        Case("four maps, two thresholds, one bound", (one, (0.5,))),
        Case("three maps, two thresholds, two bounds", (two, (0.3, 0.7))),
    )


def _hits(reached: np.ndarray, leasts: tuple[float, ...]) -> np.ndarray:
    """A row of shares for each bound, a column for each threshold."""
    return np.array([(reached >= least).mean(0) for least in leasts])


EXERCISES = (
    Exercise(
        "region_box",
        box_from_map,
        _maps,
        (
            Mistake(
                "cells that touch at a corner are connected, too: give label a structure.",
                lambda map, threshold: _region(_kept(map, threshold), _SIDES),
            ),
            Mistake(
                "you put the box around all that is kept; take the largest region alone.",
                lambda map, threshold: mask_box(_kept(map, threshold)),
            ),
            Mistake(
                "you took the region with the highest value; the one with the most cells counts.",
                _around_the_peak,
            ),
            Mistake(
                "you compared with the threshold itself; it is a part of the map's maximum.",
                lambda map, threshold: _region(map > threshold),
            ),
            Mistake(
                "you stretched the map from 0 to 1 first, which moves its zero; cut the raw map.",
                lambda map, threshold: _region(_stretched(map) > threshold),
            ),
            Mistake(
                "you kept the places that equal the threshold; they have to lie above it.",
                lambda map, threshold: _region(map >= threshold * map.max()),
            ),
            Mistake(
                "the last two numbers lie outside the box: one more than the last column and row.",
                lambda map, threshold: one_less(_region(_kept(map, threshold))),
            ),
            Mistake(
                "you took the region with the largest box; the one with the most cells counts.",
                lambda map, threshold: _region(_kept(map, threshold), by_box=True),
            ),
        ),
    ),
    Exercise(
        "max_box_acc",
        lambda reached, leasts: float(_hits(reached, leasts).max(1).mean()),
        _tables,
        (
            Mistake(
                "you gave each map a threshold of its own; there is one for all maps.",
                lambda reached, leasts: float(
                    np.mean([(reached >= least).any(1).mean() for least in leasts])
                ),
            ),
            Mistake(
                "you averaged over the thresholds; the best of them counts.",
                lambda reached, leasts: float(_hits(reached, leasts).mean()),
            ),
            Mistake(
                "an IoU that equals the bound is a hit: at least, not more than.",
                lambda reached, leasts: float(
                    np.mean([(reached > least).mean(0).max() for least in leasts])
                ),
            ),
            Mistake(
                "you averaged over the bounds first; each bound has a best threshold of its own.",
                lambda reached, leasts: float(_hits(reached, leasts).mean(0).max()),
            ),
        ),
    ),
)
