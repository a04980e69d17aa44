"""Localization: numbers worked by hand, and slow loops over pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from camlib.localization import (
    THRESHOLDS,
    best_ious,
    box_from_map,
    centre_box,
    energy_inside,
    iou,
    max_box_acc,
    pointing_game,
)

NAN = float("nan")


def test_a_box_by_hand() -> None:
    """Of the maximum 10, 20 % are 2: the L of 5, 10, 3 and 4 stands out, and the lone 6 is smaller."""
    map = torch.tensor(
        [
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 5.0, 0.0, 0.0, 0.0],
            [0.0, 10.0, 3.0, 4.0, 0.0],
            [0.0, 2.0, 0.0, 0.0, 0.0],
            [6.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
    assert box_from_map(map) == (1, 1, 4, 3)
    assert box_from_map(map, threshold=0.45) == (1, 1, 2, 3)
    # At 19 % the 2 belongs to it as well, and by its corner the 6.
    assert box_from_map(map, threshold=0.19) == (0, 1, 4, 5)


@pytest.mark.parametrize(
    ("map", "message"),
    [
        (torch.full((3, 3), -1.0), "no positive value"),
        (torch.zeros(3, 3), "no positive value"),
        (torch.full((3, 3), 2.0), "2 everywhere"),
        (torch.full((3, 3), NAN), "finite numbers"),
    ],
)
def test_a_map_that_singles_out_nothing_has_no_box(map: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        box_from_map(map)


def test_iou_by_hand() -> None:
    """4 pixels each: apart 0, corner to corner 1 of 7, half over half 2 of 6, equal 4 of 4."""
    others = [(2, 0, 4, 2), (1, 1, 3, 3), (1, 0, 3, 2), (0, 0, 2, 2)]
    assert iou((0, 0, 2, 2), others).tolist() == [0, 1 / 7, 2 / 6, 1]


boxes = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.integers(1, 6)).map(
    lambda sides: (sides[0], sides[1], sides[0] + sides[2], sides[1] + sides[3])
)


@given(boxes, boxes)
def test_iou_counts_pixels(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    def pixels(box: tuple[int, ...]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    assert float(iou(a, b)) == len(pixels(a) & pixels(b)) / len(pixels(a) | pixels(b))


@pytest.mark.parametrize(
    ("box", "message"),
    [((0, 0, 0, 2), "got an empty one"), ((3, 0, 1, 2), "x0 < x1"), ((0, 1, 2), "boxes")],
)
def test_iou_refuses_what_is_no_box(box: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"b: expected.*{message}"):
        iou((0, 0, 2, 2), box)


def test_pointing_by_hand() -> None:
    """Peaks at (0, 1), (1, 0) and, negative, nowhere."""
    maps = torch.tensor(
        [[[1.0, 3.0], [2.0, 0.0]], [[0.0, 0.0], [4.0, 4.0]], [[-3.0, -1.0], [-2.0, -9.0]]]
    )
    upper_right = torch.tensor([[False, True], [False, False]]).expand(3, 2, 2)
    assert pointing_game(maps, upper_right).tolist() == [True, False, False]
    assert pointing_game(maps, ~upper_right).tolist() == [False, True, False]


def test_energy_by_hand() -> None:
    """Of 1 + 3 + 0 (negative) + 4 = 8, the right column holds 3; a map without any has no share."""
    maps = torch.tensor([[[1.0, 3.0], [4.0, -5.0]], [[-1.0, -1.0], [-1.0, 0.0]]])
    right = torch.tensor([[False, True], [False, True]]).expand(2, 2, 2)
    assert energy_inside(maps, right).tolist() == [3 / 8, 0]


ONES = torch.ones(1, 2, 2)


@pytest.mark.parametrize("measure", [pointing_game, energy_inside])
@pytest.mark.parametrize(
    ("maps", "targets", "error", "message"),
    [
        (ONES, ONES, TypeError, "targets: expected a tensor of true"),
        (ONES, torch.ones(1, 3, 2) > 0, ValueError, "targets: expected the maps' shape"),
        (ONES[0], ONES[0] > 0, ValueError, "maps: expected 3 axes"),
        (ONES * NAN, ONES > 0, ValueError, "maps: expected finite"),
    ],
)
def test_pointing_and_energy_refuse_other_maps_and_targets(
    measure, maps: torch.Tensor, targets: torch.Tensor, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        measure(maps, targets)


def test_box_accuracy_by_hand() -> None:
    """One map in steps 4, 3, 2, 1 along a row, the object is the first two pixels.

    Thresholds below 1/4 draw 4 pixels (IoU 1/2), below 2/4 3 pixels (2/3), below 3/4 2 pixels (1),
    above that 1 pixel (1/2).
    """
    maps = torch.tensor([[[4.0, 3.0, 2.0, 1.0]]])
    found = max_box_acc(maps, [(0, 0, 2, 1)], thresholds=(0.1, 0.4, 0.6, 0.9), ious=(0.5, 0.6, 0.9))
    assert found.accuracy.tolist() == [[1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 1, 0]]
    assert found.best == 1
    assert found.best_threshold == 0.6
    assert found.at(0.4) == pytest.approx(2 / 3)


def test_the_maximum_is_over_thresholds_not_over_maps() -> None:
    """Two maps that no single threshold serves: each alone reaches 1, both together 1/2."""
    narrow = [[4.0, 0.5, 0.5, 0.5]]
    wide = [[4.0, 4.0, 1.0, 1.0]]
    truths = [(0, 0, 4, 1), (0, 0, 2, 1)]
    maps = torch.tensor([narrow, wide])
    options = {"thresholds": (0.1, 0.3), "ious": (0.9,)}
    assert max_box_acc(maps[:1], truths[:1], **options).best == 1
    assert max_box_acc(maps[1:], truths[1:], **options).best == 1
    assert max_box_acc(maps, truths, **options).best == 0.5


def test_best_of_several_true_boxes_and_of_several_regions() -> None:
    """The larger region is nobody's; a smaller one is an object, until the threshold passes it."""
    maps = torch.tensor([[[9.0, 9.0, 9.0, 0.0, 5.0]]])
    truths = [[(4, 0, 5, 1), (2, 0, 4, 1)]]
    options = {"thresholds": (0.5, 0.6), "ious": (0.5,)}
    assert max_box_acc(maps, truths, **options).best == 0
    found = max_box_acc(maps, truths, regions="all", **options)
    assert found.accuracy.tolist() == [[1, 0]]
    largest, every = best_ious(maps[0], truths[0], options["thresholds"])
    np.testing.assert_allclose([largest, every], [[0.25, 0.25], [1, 0.25]])


def test_a_map_without_evidence_is_a_miss() -> None:
    maps = torch.stack([torch.full((2, 2), -1.0), torch.tensor([[5.0, 0.0], [0.0, 0.0]])])
    found = max_box_acc(maps, [(0, 0, 1, 1), (0, 0, 1, 1)], thresholds=THRESHOLDS[::10])
    assert found.best == 0.5


ONE = (0, 0, 1, 1)
PLACES = torch.ones(1, 4, 4)


@pytest.mark.parametrize(
    ("maps", "truths", "options", "message"),
    [
        (PLACES.repeat(2, 1, 1), [ONE], {}, "boxes: expected true boxes for each of 2 maps"),
        (PLACES, [(0, 0, 5, 1)], {}, "boxes: expected boxes inside the picture of 4×4"),
        (PLACES, [(0, 0, 1, 5)], {}, "boxes: expected boxes inside"),
        (PLACES, [(-1, 0, 2, 1)], {}, "boxes: expected boxes inside"),
        (PLACES, [(0, 0, 0, 1)], {}, "got an empty one"),
        (PLACES, [ONE], {"regions": "some"}, 'regions: expected one of "largest", "all"'),
        (PLACES, [ONE], {"thresholds": (0.5, 1.5)}, "threshold: expected"),
        (PLACES * NAN, [ONE], {}, "maps: expected finite"),
        (PLACES[0], [ONE], {}, "maps: expected 3 axes"),
    ],
)
def test_box_accuracy_refuses_what_does_not_belong_together(
    maps, truths, options, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        max_box_acc(maps, truths, **options)


def test_the_centre_box_stands_in_the_middle() -> None:
    """20 high and 10 wide in 64 x 64: 22 rows above and below, 27 columns at either side."""
    assert centre_box(64, 64, 20, 10) == (27, 22, 37, 42)
    assert centre_box(8, 4, 0.2, 0.2) == (2, 4, 3, 5)  # a pixel at least


@pytest.mark.parametrize("value", [-1.0, 0.0, 2.0])
def test_a_flat_map_meets_no_box_even_one_as_large_as_the_picture(value: float) -> None:
    largest, every = best_ious(torch.full((4, 4), value), (0, 0, 4, 4), (0.2, 0.5))
    assert largest.tolist() == every.tolist() == [0, 0]
