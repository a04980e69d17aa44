"""Regions and their boxes, by hand and against a flood fill written out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from camlib.regions import above, region_boxes


def flooded_boxes(mask: np.ndarray) -> list[list[int]]:
    """The boxes by a flood fill over all eight neighbours, largest region first."""
    left = {(y, x) for y, x in zip(*np.nonzero(mask), strict=True)}
    regions = []
    for start in sorted(left):
        if start not in left:
            continue
        left.discard(start)
        region, edge = [], [start]
        while edge:
            y, x = edge.pop()
            region.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            edge += near
        regions.append(region)
    boxes = []
    for region in sorted(regions, key=len, reverse=True):
        ys, xs = zip(*region, strict=True)
        boxes.append([min(xs), min(ys), max(xs) + 1, max(ys) + 1])
    return boxes


def test_two_regions_by_hand() -> None:
    """Three cells at the left (two of them touch at a corner), one at the far right."""
    mask = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1]], dtype=torch.bool)
    assert region_boxes(mask).tolist() == [[0, 0, 2, 3], [3, 2, 4, 3]]
    assert region_boxes(mask & False).shape == (0, 4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 0.9))
def test_boxes_are_those_of_a_flood_fill(seed: int, rows: int, columns: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    assert region_boxes(torch.from_numpy(mask)).tolist() == flooded_boxes(mask)


def test_above_a_part_of_the_maximum() -> None:
    """A fifth of 10 is 2, which itself is not above it; without positive values nothing is."""
    map = torch.tensor([[10.0, 2.0], [2.5, -9.0]])
    assert above(map, 0.2).tolist() == [[True, False], [True, False]]
    assert not above(torch.tensor([[-1.0, -2.0], [0.0, -3.0]]), 0.2).any()


@pytest.mark.parametrize(
    ("map", "threshold", "error", "message"),
    [
        (torch.zeros(2, 2), 0.0, ValueError, "threshold: expected a part of the maximum between"),
        (torch.zeros(2, 2), 1.0, ValueError, "got 1. Pass 0.2"),
        (torch.zeros(2, 2), float("nan"), ValueError, "threshold"),
        (torch.zeros(2, 2), "high", TypeError, "threshold: expected a number"),
        (torch.zeros(1, 2, 2), 0.2, ValueError, r"map: expected one map of shape \(h, w\)"),
        (torch.zeros(0, 2), 0.2, ValueError, "map: expected one map"),
        (torch.tensor([[float("nan"), 1.0]]), 0.2, ValueError, "map: expected finite numbers"),
        (torch.ones(2, 2, dtype=torch.int64), 0.2, TypeError, "map: expected a floating-point"),
    ],
)
def test_bad_input_is_named(
    map: torch.Tensor, threshold: float, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        above(map, threshold)
